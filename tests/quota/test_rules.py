"""What a lot is on a day, and what lots make together."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from webapp.quota.catalogue import CATALOGUE
from webapp.quota.rules import Balance, LotState, default_expiry, lot_name, place, state

BOUGHT, LAST = date(2026, 3, 10), date(2027, 3, 10)


@pytest.mark.parametrize(
    ("bought_on", "last_day"),
    [
        (date(2022, 11, 8), date(2023, 11, 8)),
        (date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2023, 3, 1), date(2024, 3, 1)),
        (date(2023, 2, 28), date(2024, 2, 28)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2024, 2, 28), date(2025, 2, 28)),
    ],
)
def test_a_lot_is_valid_for_a_year_of_the_calendar(bought_on: date, last_day: date) -> None:
    assert default_expiry(bought_on) == last_day


def test_every_day_of_ten_years_has_an_expiry_about_a_year_later() -> None:
    days = (date(2020, 1, 1) + timedelta(days=n) for n in range(3653))

    assert {(default_expiry(day) - day).days for day in days} == {365, 366}


@pytest.mark.parametrize(
    ("today", "available", "held", "expected"),
    [
        (BOUGHT - timedelta(days=1), 100, 0, LotState.UPCOMING),
        (BOUGHT, 100, 0, LotState.VALID),
        (LAST, 100, 0, LotState.VALID),
        (LAST, 0, 1, LotState.VALID),
        (LAST, 0, 0, LotState.EXHAUSTED),
        (LAST + timedelta(days=1), 100, 0, LotState.EXPIRED),
        (LAST + timedelta(days=1), 0, 1, LotState.EXPIRED),
    ],
)
def test_a_lot_is_valid_from_its_first_to_its_last_day_while_it_has_calls(
    today: date, available: int, held: int, expected: LotState
) -> None:
    found = state(available=available, held=held, bought_on=BOUGHT, expires_on=LAST, today=today)

    assert found is expected


def test_the_share_left_is_of_the_total_and_unsaid_without_a_lot() -> None:
    assert Balance(remaining=1842, total=10_000, held=3, unknown=1, uncovered=0).ratio == 0.1842
    assert Balance(remaining=0, total=500, held=0, unknown=0, uncovered=7).ratio == 0
    assert Balance(remaining=0, total=0, held=0, unknown=0, uncovered=7).ratio is None


def test_the_catalogue_has_the_manuals_sizes_and_prices() -> None:
    assert len(CATALOGUE) == 14
    assert dict(CATALOGUE)[1_000] == 3_000
    assert CATALOGUE[-1] == (5_000_000, 8_499_900)


def test_a_lot_is_called_by_its_order_number_else_by_its_own() -> None:
    assert (lot_name(6, "MK20261112"), lot_name(6, "")) == ("MK20261112", "#6")


def test_a_list_has_lots_in_use_first_then_those_to_come_then_the_ended_ones_the_last_first() -> None:
    lots = [
        ("old", LotState.EXPIRED, 1), ("used up", LotState.EXHAUSTED, 300), ("soon", LotState.VALID, 10),
        ("next", LotState.UPCOMING, 20), ("closed", LotState.CLOSED, 400), ("late", LotState.VALID, 500),
    ]  # fmt: skip

    found = sorted(lots, key=lambda lot: place(lot[1], BOUGHT + timedelta(days=lot[2])))

    assert [name for name, _state, _last in found] == ["soon", "late", "next", "closed", "used up", "old"]
