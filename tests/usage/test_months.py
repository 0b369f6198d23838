"""The months that charts read are the sum of the cells, whatever was folded, moved or counted anew, by however many."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, select, text

from tests.support.waiting import Tally, together
from tests.usage.counting import SHANGHAI, count, count_many, fold, plain, rows
from tests.verification.calls import MATCH, UNKNOWN, ask, differences, somebody
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.usage import counters, daily, facets, packing
from webapp.usage.dimensions import Dimensions
from webapp.usage.facets import FACETS, Place
from webapp.usage.models import LatencyHour, UsageDay, UsageHour, UsageMonth
from webapp.usage.spans import Span
from webapp.verification import rollups

NOW = datetime(2026, 10, 31, 15, 30, tzinfo=UTC)
"""Half an hour before November in Shanghai."""
YEAR = Span(date(2025, 11, 1), date(2026, 10, 31))


def of_cells(zone: ZoneInfo = SHANGHAI) -> dict[tuple[date, Place], int]:
    """What the months must hold: the sums of the cells by (day, place)."""
    db.session.rollback()
    days = {tuple(row[:-1]): row.calls for row in db.session.execute(select(UsageDay.__table__))}
    hours = {tuple(row[:-1]): row.calls for row in db.session.execute(select(UsageHour.__table__))}
    answers = {tuple(row[:-1]): row.calls for row in db.session.execute(select(LatencyHour.__table__))}
    return {place: calls for place, calls in facets.sums(days, hours, answers, zone).items() if calls}


def of_months() -> dict[tuple[date, Place], int]:
    """What they hold."""
    db.session.rollback()
    months = set(db.session.scalars(select(UsageMonth.month)))
    return {
        (day, place): calls
        for month in months
        for day, counted in packing.of_month(month).items()
        for place, calls in counted.items()
    }


def some_call(dice: random.Random) -> None:
    """Counts a call around the end of a month, which may change its outcome."""
    at = NOW + timedelta(minutes=dice.randrange(-3_000, 3_000))
    before = plain("sending", "unknown", operator_id=dice.randrange(1, 4), purpose_id=dice.randrange(1, 3))
    count(before, at)
    if dice.random() < 0.8:
        outcome, billed = dice.choice([("match", "yes"), ("refused", "no"), ("unknown", "unknown")])
        after = replace(before, outcome=outcome, billed=billed, lot_id=dice.randrange(3))
        with transaction():
            counters.recount(before, after, at, dice.randrange(9_000))


def test_months_are_the_sum_of_the_cells_after_every_fold(context: Flask) -> None:
    dice = random.Random(8)
    for _ in range(12):
        for _call in range(dice.randrange(12)):
            some_call(dice)
        fold()
        assert of_months() == of_cells()
    assert {day.month for day, _place in of_months()} == {10, 11}


def test_what_is_taken_back_leaves_no_key_and_no_row(context: Flask) -> None:
    count(plain("sending", "unknown"))
    fold()
    assert rows(UsageMonth) > 0
    with transaction():
        counters.recount(plain("sending", "unknown"), plain(), NOW + timedelta(days=40), None)
        counters.count(plain("sending", "unknown"), NOW + timedelta(days=40), +1)
        counters.count(plain("sending", "unknown"), datetime(2026, 11, 2, 4, tzinfo=UTC), -1)
    fold()

    kept = db.session.scalars(select(UsageMonth)).all()

    assert {row.month for row in kept} == {date(2026, 12, 1)}
    assert all("sending" not in key for row in kept for key in row.days)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_fold_does_not_wait_for_the_vacuum_of_the_months(context: Flask) -> None:
    count()
    with db.engine.connect() as vacuum:
        vacuum.execute(text("LOCK TABLE usage_month IN SHARE UPDATE EXCLUSIVE MODE"))
        fold()
        vacuum.rollback()
    assert of_months() == of_cells()


def test_another_facet_wants_another_shape() -> None:
    """Years that were counted without it would be drawn empty: whoever changes facets gives the next number to
    `rollups.SHAPE`, and writes both here."""
    kept = {name: (facet.names, facet.own, facet.charged, facet.on_no_lot) for name, facet in FACETS.items()}
    assert (rollups.SHAPE, kept) == (4, {
        "outcome": (("outcome", "billed"), True, False, False),
        "cause": (("outcome", "cause"), True, False, False),
        "source": (("source",), True, False, False),
        "operator": (("operator_id",), False, False, False),
        "department": (("department_id",), False, False, False),
        "purpose": (("purpose_id",), True, False, False),
        "lot": (("lot_id", "outcome", "billed"), False, False, False),
        "cost": (("lot_id", "department_id", "purpose_id"), False, True, False),
        "uncovered": (("lot_id",), False, True, True),
        "hour": (("hour",), True, False, False),
        "latency": (("latency",), False, False, False),
    })  # fmt: skip


def test_folders_at_once_add_up_to_every_call(context: Flask) -> None:
    """Each batch is of the same days: whoever read a month before the other wrote it would lose the other's calls."""
    writers_left = Tally(2)

    def writer(seed: int) -> None:
        dice = random.Random(seed)
        with context.app_context():
            for _ in range(25):
                some_call(dice)
        writers_left.add(-1)

    def folder() -> None:
        with context.app_context():
            while writers_left.value:
                fold()

    count_many(500, NOW)
    together(lambda: writer(1), lambda: writer(2), folder, folder)

    fold()
    assert of_months() == of_cells()
    counted = daily.calls("outcome", Span(date(2026, 10, 20), date(2026, 11, 10)), SHANGHAI)
    assert sum(map(sum, counted.values())) == 500 + 2 * 25


def test_writers_of_different_calls_of_one_month_do_not_lose_each_others(context: Flask) -> None:
    """Their cells are different rows, the month is one, read and written whole."""

    def writer(lot: int) -> None:
        with context.app_context():
            for ahead in range(25):
                day = date(2026, 11, 1 + ahead)
                with transaction() as session:
                    packing.add(session, {(day, ("lot", 0, f"{lot}/match/yes")): 1})

    together(*(lambda lot=lot: writer(lot) for lot in (1, 2, 3, 4)))

    counted = daily.calls("lot", Span(date(2026, 11, 1), date(2026, 11, 25)), SHANGHAI)
    assert counted == {(lot, "match", "yes"): [1] * 25 for lot in (1, 2, 3, 4)}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_months_are_those_of_another_zone_once_all_is_counted_anew(make_app: Callable[..., Flask], zone: str) -> None:
    here, there = make_app(), make_app(TIMEZONE=zone)
    for number in range(20):
        at = NOW + timedelta(hours=3 * number - 30)
        reply = MATCH if number % 3 else UNKNOWN
        ask(here, somebody(number), lambda *_, reply=reply: reply, clock=lambda at=at: at)  # type: ignore[misc]
        if number == 12:
            with here.app_context():
                rollups.fold(this_instance())
    with there.app_context():
        rollups.make_current(this_instance(), "us")
        assert of_months() == of_cells(ZoneInfo(zone))
        db.session.rollback()
    assert differences(there) == []


def test_months_are_right_while_all_is_counted_anew_and_calls_go_on(app: Flask) -> None:
    for number in range(4):
        ask(app, somebody(number), lambda *_: MATCH, clock=lambda days=number: NOW - timedelta(days=days))  # type: ignore[misc]
    left = Tally(1)

    def caller() -> None:
        for number in range(100, 115):
            ask(app, somebody(number), lambda *_: MATCH)
        left.add(-1)

    def folder() -> None:
        while left.value:
            with app.app_context():
                fold()

    def rebuilder() -> None:
        while left.value:
            with app.app_context():
                rollups.rebuild(SHANGHAI)

    together(caller, folder, folder, rebuilder)

    with app.app_context():
        fold()
        assert of_months() == of_cells()
        db.session.rollback()
    assert differences(app) == []


def test_days_that_no_call_made_are_named_and_forgotten_when_all_is_counted_anew(app: Flask) -> None:
    ask(app, somebody(1), lambda *_: MATCH, clock=lambda: NOW)
    with app.app_context():
        fold()
        with transaction() as session:
            packing.add(session, {(date(2026, 8, 31), ("source", 0, "desk")): 3})
        db.session.rollback()
    assert differences(app) == ["calls of 2026-08-31 in its month source/0/desk: counted 3, stored 0"]

    with app.app_context():
        rollups.rebuild(SHANGHAI)
        assert of_months() == of_cells() != {}
        db.session.rollback()
    assert differences(app) == []


def a_year(context: Flask, a_day: int) -> None:
    """So many calls on each day, folded."""
    dice = random.Random(a_day)
    deltas: list[tuple[datetime, Dimensions, int | None, int]] = []
    for ahead in range(YEAR.days):
        for _ in range(a_day):
            at = datetime(2025, 11, 1, tzinfo=UTC) + timedelta(days=ahead, minutes=dice.randrange(900))
            outcome, billed = dice.choice([("match", "yes"), ("mismatch", "yes"), ("refused", "no")])
            told = plain(outcome, billed, operator_id=dice.randrange(1, 4), lot_id=dice.randrange(1, 3))
            deltas.append((at, told, 100, 1))
    with transaction() as session:
        counters.add_up(session, deltas, SHANGHAI)
    db.session.rollback()


@pytest.mark.parametrize("a_day", [3, 30])
def test_a_year_is_read_from_as_many_rows_however_many_calls_it_has(context: Flask, a_day: int) -> None:
    a_year(context, a_day)
    asked: list[str] = []
    fetched: list[int] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        for facet, told in FACETS.items():
            asked.clear()
            counted = daily.calls(facet, YEAR, SHANGHAI)
            assert len([one for one in asked if "usage_" in one]) == 1
            mine = select(UsageMonth.month).where(UsageMonth.facet == facet, UsageMonth.operator_id == 0)
            fetched.append(len(db.session.scalars(mine).all()))
            charged = 0 if told.on_no_lot else 2 / 3 if told.charged else 1
            total = sum(map(sum, counted.values()))
            assert total == pytest.approx(YEAR.days * a_day * charged, rel=0.1 if told.charged else 0)
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)

    assert fetched == [0 if one.on_no_lot else 12 for one in FACETS.values()]


def test_the_days_of_a_span_are_cut_out_of_their_months(context: Flask) -> None:
    a_year(context, 2)
    for first, last in (("2025-11-01", "2025-11-01"), ("2025-11-30", "2025-12-01"), ("2026-02-28", "2026-10-30")):
        span = Span(date.fromisoformat(first), date.fromisoformat(last))
        counted = daily.calls("source", span, SHANGHAI)
        assert counted == {("desk",): [2] * span.days}
    assert daily.calls("source", Span(date(2025, 10, 1), date(2025, 11, 2)), SHANGHAI) == {("desk",): [0] * 31 + [2, 2]}
    assert daily.calls("source", Span(date(2027, 1, 1), date(2027, 2, 2)), SHANGHAI) == {}
    assert day_of(NOW, SHANGHAI) == YEAR.last
