"""When a message is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.notify.retrying import FARTHEST_HOLD, FARTHEST_TRY, GIVE_UP_AFTER, hold_pause, next_try, pause

START = datetime(2026, 11, 2, 4, tzinfo=UTC)


def test_pauses_double_from_half_a_minute_to_an_hour() -> None:
    seconds = [pause(attempts, 0).total_seconds() for attempts in range(1, 11)]

    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


@pytest.mark.parametrize(("refused", "minutes"), [(False, [0.5, 1, 2, 4, 8, 10, 10, 10]),
                                                  (True, [0.5, 1, 2, 4, 8, 16, 30, 30])])  # fmt: skip
def test_a_server_that_fails_is_asked_less_and_less_often_one_that_refuses_us_least(
    refused: bool, minutes: list[float]
) -> None:
    waits = [hold_pause(failures, 0, refused=refused) for failures in range(1, 9)]

    assert waits == [timedelta(minutes=one) for one in minutes]


@given(st.integers(1, 10_000), st.floats(0, 1), st.booleans())
def test_no_pause_reaches_beyond_what_is_believed_of_a_clock(times: int, chance: float, refused: bool) -> None:
    assert pause(times, chance) <= FARTHEST_TRY
    assert hold_pause(times, chance, refused=refused) <= FARTHEST_HOLD


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_is_at_most_a_quarter_longer_by_chance(attempts: int, chance: float) -> None:
    assert pause(attempts, 0) <= pause(attempts, chance) <= pause(attempts, 0) * 1.25


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_it_is_tried_for_72_hours_with_the_last_try_at_their_end(chance: float) -> None:
    now, attempts = START, 1
    while (again := next_try(START, attempts, now, chance)) is not None:
        assert again > now
        now, attempts = again, attempts + 1

    assert now == START + GIVE_UP_AFTER
    assert 60 <= attempts <= 90


def test_a_try_that_was_late_itself_is_the_last_one() -> None:
    assert next_try(START, 1, START + timedelta(days=9), 0) is None
