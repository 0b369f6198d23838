"""When admins are reminded: the two rules, to the call and to the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.foundation.clock import end_of, start_of
from webapp.quota.rules import default_expiry
from webapp.reminders import rules
from webapp.reminders.rules import Closed, ExpiringLot, Rule, Standing, Step, Supply

SHANGHAI = ZoneInfo("Asia/Shanghai")
LAST = date(2026, 11, 29)
BOUGHT = datetime(2025, 11, 29, 4, tzinfo=UTC)
EARLY = datetime(2000, 1, 1, tzinfo=UTC)


def lot(
    left: int = 100, ends: date = LAST, id: int = 1, recorded_at: datetime = BOUGHT, *, closed: bool = False
) -> ExpiringLot:
    return ExpiringLot(id, ends, left, recorded_at, closed=closed)


@pytest.mark.parametrize(
    ("remaining", "total", "low"),
    [(2000, 10000, True), (2001, 10000, False), (1823, 9115, True), (1824, 9115, False), (0, 1, True), (1, 4, False),
     (0, 0, False), (1, 5, True), (10**17 // 5, 10**17, True), (10**17 // 5 + 1, 10**17, False)],
)  # fmt: skip
def test_the_line_is_at_a_fifth_exactly(remaining: int, total: int, low: bool) -> None:
    assert Supply(remaining, total, 1).is_low is low


def test_a_fall_to_the_line_opens_one_episode_and_staying_below_does_nothing() -> None:
    assert rules.low_step(Supply(20, 100, 1), None) == Step.OPEN
    assert rules.low_step(Supply(7, 100, 1), Standing(100, 1)) == Step.NOTHING


def test_released_calls_lift_the_ratio_and_arm_nothing() -> None:
    assert rules.low_step(Supply(25, 100, 1), Standing(100, 1)) == Step.NOTHING


@pytest.mark.parametrize(
    ("supply", "why"), [(Supply(520, 600, 2), Closed.RENEWED), (Supply(20, 50, 1), Closed.LOTS_CHANGED)]
)
def test_a_purchase_or_another_set_of_lots_that_lifts_the_ratio_arms_again(supply: Supply, why: Closed) -> None:
    standing = Standing(100, 1)

    assert rules.low_step(supply, standing) == Step.CLOSE
    assert rules.why_closed(supply, standing) == why


def test_a_purchase_that_does_not_lift_it_is_followed_so_that_no_release_after_it_counts_as_its_lift() -> None:
    after = Supply(21, 110, 2)

    assert rules.low_step(after, Standing(100, 1)) == Step.FOLLOW
    assert rules.low_step(Supply(23, 110, 2), Standing(after.total, after.mark)) == Step.NOTHING


@given(st.lists(st.sampled_from(["use", "release", "buy little", "buy much"]), max_size=60))
def test_whatever_happens_each_reminder_but_the_first_follows_a_lift_by_a_purchase(steps: list[str]) -> None:
    remaining, total, mark, standing, told, lifts = 100, 100, 1, None, 0, 0
    for step in steps:
        match step:
            case "use":
                remaining = max(0, remaining - 30)
            case "release":
                remaining = min(total, remaining + 20)
            case "buy little":
                remaining, total, mark = remaining + 1, total + 1, mark + 1
            case "buy much":
                remaining, total, mark = remaining + 100, total + 100, mark + 1
        supply = Supply(remaining, total, mark)
        match rules.low_step(supply, standing):
            case Step.OPEN:
                standing, told = Standing(total, mark), told + 1
            case Step.FOLLOW:
                standing = Standing(total, mark)
            case Step.CLOSE:
                standing, lifts = None, lifts + 1
                assert step.startswith("buy")

    assert told in (lifts, lifts + 1)


@given(st.lists(st.sampled_from(["use", "release", "a day", "bought", "bought ahead"]), max_size=60))
def test_however_lots_of_one_size_follow_each_other_each_fall_below_the_line_is_told(steps: list[str]) -> None:
    """Lots of 100 calls, by [calls left, days until it begins, days until it is over]. What is bought ahead begins when
    the first lot ends: total and number of purchases are then what they were."""
    lots, standing = [[100, 0, 2]], None
    for step in steps:
        valid = [one for one in lots if one[1] <= 0 < one[2]]
        match step:
            case "use" if valid:
                valid[0][0] = max(0, valid[0][0] - 85)
            case "release" if valid:
                valid[0][0] = min(100, valid[0][0] + 5)
            case "a day":
                lots = [[left, begins - 1, over - 1] for left, begins, over in lots]
            case "bought":
                lots.append([100, 0, 2])
            case "bought ahead" if lots:
                lots.append([100, max(0, lots[-1][2]), max(0, lots[-1][2]) + 2])
        valid = [one for one in lots if one[1] <= 0 < one[2]]
        supply = Supply(sum(one[0] for one in valid), 100 * len(valid), sum(one[1] <= 0 for one in lots))
        seen = rules.low_step(supply, standing)
        match seen:
            case Step.OPEN | Step.FOLLOW:
                standing = Standing(supply.total, supply.mark)
            case Step.CLOSE:
                standing = None
        if step in ("a day", "bought") and supply.is_above and valid[-1][0] == 100 and valid[-1][1] == 0:
            assert standing is None, "a new lot has begun and lifted it: the next fall is told"
        assert standing is not None or not supply.is_low


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
)
@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_the_reminder_is_due_from_the_first_instant_of_the_seventh_day_before_the_last(zone: str, last: date) -> None:
    """Whatever the zone does with its clocks between: skipped midnights, long days, a day that never was."""
    where = ZoneInfo(zone)
    due = start_of(last - timedelta(days=7), where)

    assert rules.endings([lot(ends=last, recorded_at=EARLY)], due - timedelta(seconds=1), where) == []
    [ending] = rules.endings([lot(ends=last, recorded_at=EARLY)], due, where)
    assert (ending.due, ending.closed) == (due, None)
    assert not rules.is_late(Rule.EXPIRY, ending.due, due + timedelta(hours=1), where)


def test_midnight_of_the_reporting_zone_decides_and_not_that_of_greenwich() -> None:
    before, after = datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 21, 16, 0, tzinfo=UTC)

    assert rules.endings([lot()], before, SHANGHAI) == []
    assert len(rules.endings([lot()], after, SHANGHAI)) == 1


def test_a_lot_bought_on_29_february_is_told_on_21_february() -> None:
    last = default_expiry(date(2028, 2, 29))

    assert last == date(2029, 2, 28)
    assert rules.first_day(last) == date(2029, 2, 21)
    assert rules.first_day(date(2028, 3, 3)) == date(2028, 2, 25)


def test_two_lots_that_end_on_one_day_are_one_reminder_and_other_days_are_others() -> None:
    now = start_of(date(2026, 11, 25), SHANGHAI)

    found = rules.endings([lot(id=2), lot(id=1), lot(id=3, ends=date(2026, 12, 1))], now, SHANGHAI)

    assert [(one.expires_on, [each.id for each in one.lots]) for one in found] == [
        (LAST, [1, 2]), (date(2026, 12, 1), [3])
    ]  # fmt: skip


def test_a_lot_without_calls_is_not_told() -> None:
    assert rules.endings([lot(left=0)], start_of(LAST, SHANGHAI), SHANGHAI) == []


def test_a_lot_found_after_its_end_is_told_late_and_one_found_a_month_later_is_only_recorded() -> None:
    over = end_of(LAST, SHANGHAI)

    [late] = rules.endings([lot()], over + timedelta(days=2), SHANGHAI)
    [old] = rules.endings([lot()], over + timedelta(days=31), SHANGHAI)

    assert (late.closed, old.closed) == (Closed.EXPIRED, Closed.TOO_LATE)
    assert rules.is_late(Rule.EXPIRY, late.due, over + timedelta(days=2), SHANGHAI)


def test_a_lot_that_had_ended_before_it_was_recorded_is_old_news() -> None:
    recorded = end_of(LAST, SHANGHAI) + timedelta(hours=1)

    assert rules.endings([lot(recorded_at=recorded)], recorded, SHANGHAI) == []


def test_a_lot_recorded_within_its_last_days_is_told_at_once_and_not_called_late() -> None:
    recorded = start_of(date(2026, 11, 27), SHANGHAI)

    [ending] = rules.endings([lot(recorded_at=recorded)], recorded + timedelta(minutes=1), SHANGHAI)

    assert ending.due == recorded
    assert not rules.is_late(Rule.EXPIRY, ending.due, recorded + timedelta(minutes=1), SHANGHAI)


@pytest.mark.parametrize(
    ("lots", "today", "why"),
    [([lot(5)], LAST, None), ([lot(0)], LAST, Closed.EMPTIED), ([lot(0), lot(3)], LAST, None),
     ([lot(0, closed=True)], LAST, Closed.LOT_CLOSED), ([lot(0, closed=True), lot(0)], LAST, Closed.LOT_CLOSED),
     ([lot(0, closed=True), lot(3)], LAST, None), ([lot(0, closed=True)], LAST + timedelta(days=1), Closed.LOT_CLOSED),
     ([lot(5)], LAST + timedelta(days=1), Closed.EXPIRED), ([lot(5)], LAST + timedelta(days=31), Closed.TOO_LATE),
     ([lot(5)], LAST - timedelta(days=7), None), ([lot(5)], LAST - timedelta(days=8), Closed.NOT_YET),
     ([lot(5, ends=date(2027, 1, 1))], LAST, Closed.MOVED)],
)  # fmt: skip
def test_an_expiry_is_over_when_its_lots_are_empty_closed_moved_or_ended_or_its_day_has_not_come(
    lots: list[ExpiringLot], today: date, why: Closed | None
) -> None:
    assert rules.expiry_closed(LAST, lots, today) == why


def test_a_low_balance_is_late_an_hour_after_the_last_thing_that_changed_it() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    entry = now - timedelta(hours=5)

    assert rules.low_since(entry, [], now, SHANGHAI) == entry
    assert rules.low_since(entry, [date(2026, 11, 21)], now, SHANGHAI) == entry
    assert rules.low_since(now - timedelta(days=9), [date(2026, 11, 21)], now, SHANGHAI) == end_of(
        date(2026, 11, 21), SHANGHAI
    )
    assert rules.is_late(Rule.LOW, entry, now, SHANGHAI)
    assert not rules.is_late(Rule.LOW, now - timedelta(minutes=59), now, SHANGHAI)


@pytest.mark.parametrize(("decided_after", "looks_after"), [(None, 0), (-1, 0), (1, 1), (600, 600), (601, 0)])
def test_nobody_looks_from_before_the_newest_decision(decided_after: int | None, looks_after: int) -> None:
    decided_at = None if decided_after is None else BOUGHT + timedelta(seconds=decided_after)
    assert rules.not_before(BOUGHT, decided_at) == BOUGHT + timedelta(seconds=looks_after)
