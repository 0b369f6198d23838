"""How limits on paid calls are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.foundation.limits import SECONDS, Limit, Subject, parse_limits

limits = st.builds(Limit, st.sampled_from(Subject), st.integers(1, 999_999_999), st.sampled_from([60, 3600, 86400]))
UNITS = {seconds: unit for unit, seconds in SECONDS.items()}


@given(st.lists(limits, max_size=6), st.sampled_from([";", " ; ", ";;"]))
@settings(max_examples=50)
def test_what_is_written_is_read(expected: list[Limit], between: str) -> None:
    text = between.join(f"{limit.subject}={limit.most}/{UNITS[limit.seconds]}" for limit in expected)

    assert parse_limits(text) == tuple(expected)


@pytest.mark.parametrize("text", ["", " ", ";", " ; ;"])
def test_nothing_written_is_no_limit(text: str) -> None:
    assert parse_limits(text) == ()


@pytest.mark.parametrize(
    "text",
    ["operator=00/day", "operator=-1/day", "operator=1000000000/day", "Operator=1/day", "operator=1/days", "=1/day",
     "operator = 1/day", "operator=1/day number=1/day", "operator=１/day", "operator", "name=1/"],
)  # fmt: skip
def test_anything_else_is_refused_and_quoted_short(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form") as raised:
        parse_limits(text + ";" + "x" * 5000 if text == "operator" else text)

    assert len(str(raised.value)) < 150
