"""The past course of the remaining calls, told backwards, is what was left at the end of each day."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webapp.usage.past_supply import Life, Movement, at_once, days_until, ends_of_days, in_force

TODAY = date(2026, 11, 23)
DAYS = days_until(TODAY, 10)
moves = st.lists(st.builds(Movement, st.sampled_from(DAYS), st.just("purchase"), st.just(1), st.integers(-5, 50)))
takes = st.dictionaries(st.sampled_from(DAYS), st.integers(0, 30))


@given(st.integers(0, 1000), moves, takes)
def test_forwards_and_backwards_meet(begin: int, movements: list[Movement], taken: dict[date, int]) -> None:
    left, forwards = begin, []
    for day in DAYS:
        left += sum(one.change for one in movements if one.day == day) - taken.get(day, 0)
        forwards.append(left)

    begins = min((one.day for one in movements), default=TODAY)
    expected = [None if day < begins else end for day, end in zip(DAYS, forwards, strict=True)]
    assert ends_of_days(left, DAYS, taken, movements) == expected


def test_what_was_used_before_a_lot_came_is_no_loss_of_the_day() -> None:
    opening = [Movement(TODAY, "purchase", 1, 50), Movement(TODAY, "used_before", 1, -20),
               Movement(TODAY, "covered_late", 1, -5)]  # fmt: skip
    lapse, other = Movement(TODAY, "lapse", 1, -4), Movement(TODAY, "purchase", 2, 9)

    assert at_once([*opening, lapse, other]) == [Movement(TODAY, "purchase", 1, 25), lapse, other]


def test_calls_bought_ahead_count_from_the_lots_first_day() -> None:
    bought = Movement(TODAY - timedelta(days=5), "purchase", 1, 100)

    (found,) = in_force([bought], {1: Life(TODAY - timedelta(days=2), TODAY + timedelta(days=300))})

    assert found.day == TODAY - timedelta(days=2)


def test_what_is_written_off_the_night_after_is_gone_with_the_end_of_the_last_day() -> None:
    last = TODAY - timedelta(days=3)
    bought = Movement(TODAY - timedelta(days=300), "purchase", 1, 50)
    lapse = Movement(last + timedelta(days=1), "lapse", 1, -7)

    found = in_force([bought, lapse], {1: Life(bought.day, last)})

    assert found == [bought, Movement(last, "lapse", 1, -7)]


def test_a_lot_recorded_after_its_end_never_lapses_before_it_came() -> None:
    lives = {1: Life(TODAY - timedelta(days=900), TODAY - timedelta(days=500))}
    came, went = Movement(TODAY, "purchase", 1, 50), Movement(TODAY, "lapse", 1, -50)

    assert [one.day for one in in_force([came, went], lives)] == [TODAY, TODAY]


def test_what_a_person_wrote_off_is_gone_on_that_day() -> None:
    closed = Movement(TODAY, "write_off", 1, -9)

    assert in_force([closed], {1: Life(TODAY - timedelta(days=9), TODAY - timedelta(days=1))}) == [closed]


@given(st.integers(1, 400))
def test_days_end_with_today(number: int) -> None:
    days = days_until(TODAY, number)

    assert (len(days), days[-1]) == (number, TODAY)
    assert all(later - day == timedelta(days=1) for day, later in pairwise(days))
