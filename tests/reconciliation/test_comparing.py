"""What a reading is compared with: the calls made since the baseline, exact whatever happened to them since."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests.reconciliation.counting import books, call, enter, readings, standing, unknown
from tests.support.cast import NOW
from tests.verification.calls import MATCH, REFUSED, buy, differences, somebody, who
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.reconciliation.operations import WrongReading
from webapp.reconciliation.rules import Books, ReadingFault, Verdict
from webapp.usage import counters
from webapp.verification import operations, settling
from webapp.verification.asked import Asked
from webapp.verification.models import Decision

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def fold(app: Flask) -> None:
    with app.app_context():
        while counters.fold(this_instance().settings.zone):
            pass
        db.session.remove()


def settle(app: Flask, number: int, decision: Decision, at: datetime) -> None:
    with app.app_context():
        settling.settle(number, decision, "账单第 3 行", who(), this_instance(), at)


def test_the_first_reading_is_where_comparing_begins(app: Flask) -> None:
    call(app, 1, at=NOW)
    first = enter(app, 6700, 9115, NOW + MINUTE)

    found = standing(app)

    assert (found.reading.id, found.baseline.id) == (first, first)
    assert (found.comparison.vendor, found.comparison.books) == (0, Books())
    assert found.comparison.verdict is Verdict.AGREED


def test_calls_after_the_baseline_count_and_those_before_do_not(app: Flask) -> None:
    buy(app, 100)
    call(app, 1, at=NOW)
    enter(app, 100, at=NOW + MINUTE)
    for n in range(3):
        call(app, 10 + n, at=NOW + 2 * MINUTE)
    call(app, 20, REFUSED, at=NOW + 3 * MINUTE)
    unknown(app, 21, at=NOW + 3 * MINUTE)
    enter(app, 103, at=NOW + 4 * MINUTE)
    call(app, 30, at=NOW + 5 * MINUTE)

    found = standing(app)

    assert found.comparison.vendor == 3
    assert found.comparison.books == Books(charged=3, unknown=1)
    assert found.comparison.verdict is Verdict.OPEN
    assert [row.id for row in found.unknown] == [6]


def test_a_call_that_no_lot_covers_was_charged_all_the_same(app: Flask) -> None:
    enter(app, 0, at=NOW)
    call(app, 1, at=NOW + MINUTE)
    enter(app, 1, at=NOW + 2 * MINUTE)

    assert standing(app).comparison.verdict is Verdict.AGREED


@pytest.mark.parametrize("folded", [False, True])
def test_whole_days_and_their_edges_make_the_same_count_folded_or_not(app: Flask, folded: bool) -> None:
    """Calls at each hour of six days of the reporting zone: any interval counts exactly those inside it."""
    times = [NOW + hours * HOUR for hours in range(0, 24 * 6, 5)]
    for n, at in enumerate(times):
        call(app, n, at=at)
        if n % 4 == 0:
            unknown(app, 1000 + n, at=at)
    if folded:
        fold(app)

    for since, until in ((NOW - DAY, NOW + 9 * DAY), (NOW + HOUR, NOW + 2 * HOUR), (NOW + HOUR, NOW + DAY),
                         (NOW + 7 * HOUR, NOW + 4 * DAY + 3 * HOUR), (NOW, NOW), (NOW + DAY, NOW)):  # fmt: skip
        inside = [n for n, at in enumerate(times) if since <= at < until]
        assert books(app, since, until) == Books(len(inside), sum(n % 4 == 0 for n in inside)), (since, until)


def test_a_call_settled_later_counts_on_the_day_it_was_made(app: Flask) -> None:
    """The vendor counted it before the baseline: it must not count after it, whenever an admin settles it."""
    before = unknown(app, 1, at=NOW)
    enter(app, 10, at=NOW + HOUR)
    after = unknown(app, 2, at=NOW + 2 * HOUR)
    enter(app, 11, at=NOW + 3 * HOUR)
    settle(app, before, Decision.CHARGED, NOW + 4 * HOUR)
    settle(app, after, Decision.CHARGED, NOW + 4 * HOUR)

    assert standing(app).comparison.books == Books(charged=1)
    assert standing(app).comparison.verdict is Verdict.AGREED


def test_a_call_under_way_at_a_reading_may_lie_on_either_side(app: Flask) -> None:
    with app.app_context():
        instance = this_instance()
        first = operations.begin(Asked(*somebody(1), purpose_id=1, consent=True), who(), instance, NOW)
        enter(app, 10, at=NOW + timedelta(seconds=1))
        operations.finish(first, MATCH, who(), instance, NOW + timedelta(seconds=2))
        second = operations.begin(Asked(*somebody(2), purpose_id=1, consent=True), who(), instance, NOW + HOUR)
        enter(app, 10, at=NOW + HOUR + timedelta(seconds=1))
        assert readings(app)[-1].under_way == 2
        operations.finish(second, MATCH, who(), instance, NOW + HOUR + timedelta(seconds=2))
        db.session.remove()

    for used in (10, 11, 12):
        enter(app, used, at=NOW + HOUR + timedelta(seconds=1))
        assert standing(app).comparison.books == Books(0, 0, 2)
        assert standing(app).comparison.drift == 0
    enter(app, 13, at=NOW + HOUR + timedelta(seconds=1))
    assert standing(app).comparison.drift == 1
    enter(app, 13, at=NOW + 2 * HOUR)
    assert standing(app).comparison.books == Books(1, 0, 1), "the second is on our side for certain now"


def test_each_reading_keeps_what_it_showed(app: Flask) -> None:
    enter(app, 0, at=NOW)
    made = unknown(app, 1, at=NOW + MINUTE)
    enter(app, 8, at=NOW + HOUR)
    settle(app, made, Decision.CHARGED, NOW + 2 * HOUR)

    stored = readings(app)[-1]
    assert (stored.charged, stored.unknown, stored.drift) == (0, 1, 7)
    assert standing(app).comparison.books == Books(charged=1)
    assert standing(app).comparison.drift == 7
    assert (stored.used, stored.total, stored.remaining) == (8, 10_000, 9_992)


def test_figures_that_are_no_reading_are_not_stored(app: Flask) -> None:
    enter(app, 100, 1000, NOW)

    for used, total, fault in ((1001, 1000, ReadingFault.USED_OVER_TOTAL), (99, 1000, ReadingFault.OLDER)):
        with pytest.raises(WrongReading) as raised:
            enter(app, used, total, NOW + HOUR)
        assert raised.value.fault is fault
    with pytest.raises(WrongReading):
        enter(app, 1001, 1000, NOW + HOUR, anew=True)

    assert len(readings(app)) == 1


def test_a_counter_that_was_set_back_begins_anew_where_the_admin_says_so(app: Flask) -> None:
    enter(app, 9000, 9115, NOW)
    anew = enter(app, 10, 1000, NOW + HOUR, anew=True)

    assert standing(app).baseline.id == anew
    assert readings(app)[-1].baseline_id is None


def test_beginning_anew_hides_no_drift(app: Flask) -> None:
    first = enter(app, 10, at=NOW)
    enter(app, 60, at=NOW + HOUR, anew=True)

    assert standing(app).baseline.id == first
    assert standing(app).comparison.drift == 50


def test_a_clock_that_was_set_back_loses_no_reading(app: Flask) -> None:
    enter(app, 10, at=NOW + DAY)
    enter(app, 11, at=NOW)

    assert [reading.at for reading in readings(app)] == [NOW + DAY, NOW + DAY]


def test_a_total_that_grew_without_a_lot_is_a_purchase_to_record(app: Flask) -> None:
    enter(app, 0, 1000, NOW)
    enter(app, 0, 6000, NOW + HOUR)
    assert standing(app).total_grew == 5000

    buy(app, 5000)
    enter(app, 0, 6000)
    assert standing(app).total_grew == 0
    assert differences(app) == []
