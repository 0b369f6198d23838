"""How long the calls last, by a plain rate per weekday; and which size is worth buying."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.quota.catalogue import CATALOGUE
from webapp.reminders import forecast
from webapp.reminders.buying import advice
from webapp.reminders.forecast import Stock

MONDAY = date(2026, 11, 23)
FAR = date(2027, 10, 1)


def past(*weeks: list[int]) -> dict[date, int]:
    """Calls of the weeks before MONDAY, oldest first, Monday to Sunday each."""
    counts = [count for week in weeks for count in week]
    return {MONDAY - timedelta(days=len(counts) - index): count for index, count in enumerate(counts)}


def test_an_even_use_lasts_as_long_as_division_says() -> None:
    rates = forecast.rates(past(*[[10] * 7] * 4), MONDAY)

    found = forecast.forecast([Stock(1, FAR, 100)], rates, MONDAY, 0)

    assert found is not None
    assert (found.days, found.out_on) == (9, MONDAY + timedelta(days=9))
    assert found.least is not None
    assert found.most is not None
    assert found.least < 9 < found.most
    assert found.buy_by == MONDAY + timedelta(days=found.least - 1)


def test_weekends_without_calls_are_foreseen() -> None:
    rates = forecast.rates(past(*[[10] * 5 + [0, 0]] * 4), MONDAY)

    found = forecast.forecast([Stock(1, FAR, 60)], rates, MONDAY, 0)

    assert found is not None
    assert found.out_on == MONDAY + timedelta(days=7)


def test_what_was_used_today_is_not_expected_once_more() -> None:
    rates = forecast.rates(past(*[[10] * 7] * 4), MONDAY)

    fresh = forecast.forecast([Stock(1, FAR, 20)], rates, MONDAY, 0)
    used = forecast.forecast([Stock(1, FAR, 20)], rates, MONDAY, 10)

    assert fresh is not None
    assert used is not None
    assert (fresh.days, used.days) == (1, 2)


def test_the_lot_that_ends_first_is_used_first_and_the_rest_of_it_lapses() -> None:
    rates = forecast.rates(past(*[[10] * 7] * 4), MONDAY)

    found = forecast.forecast([Stock(2, FAR, 1000), Stock(1, MONDAY + timedelta(days=2), 100)], rates, MONDAY, 0)

    assert found is not None
    assert found.lapses[1] == 70


def test_without_past_use_nothing_is_foretold() -> None:
    assert forecast.rates({}, MONDAY) is None
    assert forecast.rates({MONDAY: 50}, MONDAY) is None
    assert forecast.forecast([Stock(1, FAR, 5)], None, MONDAY, 50) is None


def test_a_young_product_has_no_weekdays_yet_and_a_wide_range() -> None:
    rates = forecast.rates({MONDAY - timedelta(days=1): 30, MONDAY - timedelta(days=3): 30}, MONDAY)

    assert rates is not None
    assert rates.by_weekday == (20.0,) * 7
    assert (rates.quiet, rates.busy) == (0.5, 1.5)


def test_the_day_of_the_reminder_is_foretold_from_the_calls_above_the_line() -> None:
    rates = forecast.rates(past(*[[10] * 7] * 4), MONDAY)

    assert forecast.low_on(300, 1000, 20, rates, MONDAY, 0) == MONDAY + timedelta(days=9)
    assert forecast.low_on(200, 1000, 20, rates, MONDAY, 0) == MONDAY
    assert forecast.low_on(0, 0, 20, rates, MONDAY, 0) is None


@settings(deadline=None)  # a year is played three times
@given(
    st.lists(st.integers(0, 500), min_size=28, max_size=28),
    st.lists(st.tuples(st.integers(0, 366), st.integers(0, 5000)), max_size=5),
    st.integers(0, 800),
)
def test_the_range_holds_the_likely_day_and_no_call_is_lost(
    counts: list[int], lots: list[tuple[int, int]], used: int
) -> None:
    stock = [Stock(index, MONDAY + timedelta(days=days), left) for index, (days, left) in enumerate(lots)]

    found = forecast.forecast(stock, forecast.rates(past(counts), MONDAY), MONDAY, used)

    if found is not None:
        most, likely = found.most if found.most is not None else 999, found.days if found.days is not None else 999
        assert (found.least if found.least is not None else 999) <= likely <= most
        assert all(0 <= lapsed <= stock[lot].left for lot, lapsed in found.lapses.items())


def test_the_size_advised_is_the_largest_that_is_used_up_before_it_lapses() -> None:
    small, middle, large = advice(CATALOGUE, 0.1), advice(CATALOGUE, 100), advice(CATALOGUE, 10**6)

    assert small is not None
    assert (small.calls, small.price_fen) == (100, 310)
    assert middle is not None
    assert (middle.calls, middle.days) == (30_000, 300)
    assert large is not None
    assert large.calls == 5_000_000
    assert advice(CATALOGUE, 0) is None
