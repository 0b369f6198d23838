"""What a text in the search box may be: each kind is told, what is ambiguous is tried as all it may be."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.persons.people import numbers, texts
from webapp.history.search_readings import MOST, Kind, Reading, readings
from webapp.history.search_texts import masked
from webapp.persons import names
from webapp.receipts import commitment, paper

NUMBER = "11010519491231002X"
RECEIPT = paper.write(random.Random(1).getrandbits(commitment.NUMBER_BITS), commitment.NUMBER_SIZE)


def kinds(text: str) -> list[Kind]:
    return [one.kind for one in readings(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("张三", [Kind.BEGINNING, Kind.REFERENCE]),
        ("欧阳", [Kind.BEGINNING, Kind.REFERENCE]),
        ("何〇", [Kind.BEGINNING, Kind.REFERENCE]),
        ("赵𠮷", [Kind.BEGINNING, Kind.REFERENCE]),
        ("古丽娜尔·演练", [Kind.BEGINNING, Kind.REFERENCE]),
        ("Anna Schmidt", [Kind.NAME, Kind.REFERENCE]),
        ("演练长名甲乙丙丁戊己", [Kind.BEGINNING, Kind.REFERENCE]),
        ("演练长名甲乙丙丁戊己庚", [Kind.NAME, Kind.REFERENCE]),
        ("张", [Kind.REFERENCE]),
        (NUMBER, [Kind.NUMBER, Kind.REQUEST_ID, Kind.REFERENCE]),
        ("110105491231002", [Kind.NUMBER, Kind.REFERENCE]),
        ("002X", [Kind.LAST_FOUR, Kind.REFERENCE]),
        ("002x", [Kind.LAST_FOUR, Kind.REFERENCE]),
        ("2024", [Kind.LAST_FOUR, Kind.REFERENCE]),
        ("02X4", [Kind.REFERENCE]),
        ("业务-7788", [Kind.BEGINNING, Kind.REFERENCE]),
        ("HR-2026-0007", [Kind.REFERENCE]),
        (RECEIPT, [Kind.RECEIPT, Kind.REFERENCE]),
        (paper.grouped(RECEIPT).lower(), [Kind.RECEIPT, Kind.REFERENCE]),
        ("3F2504E0-4F89-11D3-9A0C-0305E82C3301", [Kind.REQUEST_ID, Kind.REFERENCE]),
        ("12345", [Kind.REFERENCE]),
        ("%", [Kind.REFERENCE]),
        ("", []),
        ("   ", []),
        ("甲" * 100, [Kind.NAME]),
        ("甲" * 101, []),
        ("x" * 5_000, []),
    ],
)
def test_a_text_is_read_as_all_that_it_may_be(text: str, expected: list[Kind]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("１１０１０５　１９４９１２３１　００２ｘ", NUMBER),
        ("110105-19491231-002X", NUMBER), (" 110105491231002 ", NUMBER),
        (" 张　三 ", "张三"), ("古丽娜尔•演练", "古丽娜尔·演练"), ("００２ｘ", "002X"), (" HR-1 ", "HR-1"),
        (paper.grouped(RECEIPT).replace("0", "o"), RECEIPT),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_written_as_what_was_stored(text: str, value: str) -> None:
    assert readings(text)[0].value == value


@given(numbers)
@settings(max_examples=100, database=None)
def test_every_number_is_found_whole_by_its_end_and_in_its_old_form(number: str) -> None:
    assert Reading(Kind.NUMBER, number) in readings(number)
    assert Reading(Kind.LAST_FOUR, number[-4:]) in readings(number[-4:])
    if number[6:8] == "19":
        assert Reading(Kind.NUMBER, number) in readings(number[:6] + number[8:17])


@given(st.text(st.sampled_from("陈林周小满月·何〇𠮷龘"), min_size=2, max_size=30), st.integers(2, 10))
@settings(max_examples=200, database=None)
def test_every_beginning_that_is_indexed_is_looked_for(text: str, size: int) -> None:
    name = names.normalise(text)
    if len(name) < 2 or "·" in name[:size][-1:]:
        return
    beginning = names.normalise(name[:size])
    if beginning == name[:size]:
        assert Reading(Kind.BEGINNING, beginning) in readings(beginning)
        assert beginning in names.beginnings(name)


@given(texts | texts.map(lambda text: text * 40))
@example("\0")
@example("\ud800张三")
@example("' OR 1=1 --")
@settings(max_examples=500, database=None)
def test_any_text_is_read_quietly_and_a_kind_at_most_once(text: str) -> None:
    found = readings(text)

    assert len({one.kind for one in found}) == len(found)
    assert len(text.strip()) <= MOST or found == ()
    assert all(one.value for one in found)
    assert "value" not in repr(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (NUMBER, "1****************X"), ("110105491231002", "1****************X"), ("欧阳演练", "欧***"),
        ("002X", "0***"), ("业务-7788", "业******"), (RECEIPT, paper.grouped(RECEIPT)),
        ("3F2504E0-4F89-11D3-9A0C-0305E82C3301", "3F2504E0-4F89-11D3-9A0C-0305E82C3301"),
        (NUMBER[:17], "1****************"), (NUMBER[:17] + "0X", "1******************"),
        (f"0{NUMBER}", "0******************"), ("张三" + NUMBER, "张*******************"),
        (f"Li{NUMBER}", "L*******************"), (f"{NUMBER[:16]}-1234-5678", "1*************************"),
        ("11010519491231002-1234", "1*********************"), ("CRM-2026-000000017", "C*****************"),
    ],
)  # fmt: skip
def test_a_search_is_shown_masked_unless_it_names_nobody(text: str, shown: str) -> None:
    assert masked(text) == shown
