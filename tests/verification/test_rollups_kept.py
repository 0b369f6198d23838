"""Rollups are those of the reporting zone, in this version's shape: whoever starts first counts anew, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from tests.support.waiting import together
from tests.verification.calls import MATCH, UNKNOWN, ask, buy, differences, somebody
from webapp.foundation import leases, runtime
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.usage.models import UsageDay, UsageDelta, UsageHour
from webapp.verification import rollups

MakeApp = Callable[..., Flask]
NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
"""Half an hour before the day in New York on which an hour comes twice."""
SPRING = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)
"""The same before the day on which an hour is missing."""


def calls_around(app: Flask, *starts: datetime) -> None:
    """Calls every five hours of two days, on a lot and beyond it, folded."""
    buy(app, 12)
    times = [start + timedelta(hours=5 * step) for start in starts for step in range(10)]
    for number, at in enumerate(times):
        reply = MATCH if number % 3 else UNKNOWN
        ask(app, somebody(number), lambda *_, reply=reply: reply, clock=lambda at=at: at)  # type: ignore[misc]
    fold(app)


def fold(app: Flask) -> None:
    with app.app_context():
        while rollups.fold(this_instance()):
            pass


def make_current(app: Flask, holder: str = "us", clock: Callable[[], datetime] = lambda: NOW) -> None:
    with app.app_context():
        rollups.make_current(this_instance(), holder, clock)


def is_current(app: Flask) -> bool:
    with app.app_context():
        return rollups.are_current(this_instance())


def lots_counted(app: Flask) -> set[int]:
    with app.app_context():
        return set(db.session.scalars(select(UsageDay.lot_id)))


def waiting(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(UsageDelta.id)).all())


@contextmanager
def each_day_counted(app: Flask, heard: Callable[[], None]) -> Iterator[None]:
    """`heard` is called whenever a day is about to be counted anew."""

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("DELETE FROM usage_day "):
            heard()

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Cairo", "Asia/Kolkata", "Pacific/Chatham"])
def test_a_start_with_another_zone_counts_in_its_days_and_one_with_the_same_does_not_count(
    make_app: MakeApp, zone: str
) -> None:
    calls_around(make_app(), AUTUMN, SPRING)
    there = make_app(TIMEZONE=zone)
    assert not is_current(there)

    make_current(there)

    assert is_current(there)
    assert differences(there) == []
    counted: list[int] = []
    with each_day_counted(there, lambda: counted.append(1)):
        make_current(there)
    assert counted == []


def test_what_an_older_version_counted_is_counted_anew_by_lot(app: Flask) -> None:
    calls_around(app, AUTUMN)
    with app.app_context(), transaction() as session:
        session.execute(update(UsageDay).values(lot_id=0))
        session.execute(update(UsageHour).values(lot_id=0))
        runtime.store("counted_in_zone", "Asia/Shanghai", this_instance().sealer, NOW)
    assert differences(app) != []

    make_current(app)

    assert differences(app) == []


def test_uncovered_calls_stand_under_no_lot(app: Flask) -> None:
    buy(app, 3)
    for number in range(5):
        ask(app, somebody(number), lambda *_: MATCH)
    fold(app)

    assert lots_counted(app) == {0, 1}
    assert differences(app) == []


def test_of_several_that_start_at_once_one_counts_and_the_others_wait_for_it(make_app: MakeApp) -> None:
    calls_around(make_app(), AUTUMN)
    there = make_app(TIMEZONE="America/New_York")
    counted: list[int] = []

    with each_day_counted(there, lambda: counted.append(1)):
        together(*(lambda name=name: make_current(there, name, lambda: datetime.now(UTC)) for name in "abc"))

    assert len(counted) == 4, "three days of New York, and one more that was counted in Shanghai"
    assert differences(there) == []


def test_a_start_that_dies_on_the_way_leaves_the_work_to_the_next(make_app: MakeApp) -> None:
    calls_around(make_app(), AUTUMN)
    there = make_app(TIMEZONE="America/New_York")
    days = iter(range(99))

    def die_on_the_second() -> None:
        if next(days):
            raise ZeroDivisionError

    with each_day_counted(there, die_on_the_second), pytest.raises(ZeroDivisionError):
        make_current(there)
    assert not is_current(there)
    assert not is_current(make_app()), "nor are they those of the zone before"

    make_current(there, "another")

    assert differences(there) == []


def test_a_holder_that_is_gone_without_a_word_is_waited_for_no_longer_than_its_lease(make_app: MakeApp) -> None:
    calls_around(make_app(), AUTUMN)
    there = make_app(TIMEZONE="America/New_York")
    with there.app_context():
        assert leases.take(rollups.WORK, "gone", NOW, rollups.LEASE, timedelta())
    ticks = iter(range(10_000))

    make_current(there, clock=lambda: NOW + timedelta(seconds=30 * next(ticks)))

    assert is_current(there)


def test_a_holder_that_was_taken_for_dead_stops_and_leaves_the_end_to_the_other(make_app: MakeApp) -> None:
    calls_around(make_app(), AUTUMN)
    there = make_app(TIMEZONE="America/New_York")
    later = NOW + 2 * rollups.LEASE
    taken: list[bool] = []

    def another_takes_over() -> None:
        with there.app_context():
            taken.append(leases.take(rollups.WORK, "another", later, rollups.LEASE, timedelta()))

    now = iter([NOW, *[later] * 3, *[later + 2 * rollups.LEASE] * 99])

    def clock() -> datetime:
        at = next(now)
        if at == later and not taken:
            another_takes_over()
        return at

    make_current(there, clock=clock)

    assert taken == [True]
    assert is_current(there)
    assert differences(there) == []


def test_nobody_folds_into_days_of_another_zone(make_app: MakeApp) -> None:
    here, there = make_app(), make_app(TIMEZONE="America/New_York")
    ask(here, somebody(1), lambda *_: MATCH)

    fold(there)
    assert waiting(here) > 0

    make_current(there)
    ask(here, somebody(2), lambda *_: MATCH)
    fold(here)
    assert waiting(here) > 0
    fold(there)
    assert waiting(here) == 0
    assert differences(there) == []


def test_who_counts_anew_waits_for_a_fold_that_is_under_way(make_app: MakeApp) -> None:
    """A fold that had looked before, and went on after the first days were counted, put its calls into days of the
    former zone: those days had them twice, or at another hour."""
    here = make_app()
    buy(here, 5)
    for number in range(3):
        ask(here, somebody(number), lambda *_: MATCH, clock=lambda: AUTUMN)
    there = make_app(TIMEZONE="America/New_York")
    has_looked, may_go_on, order = threading.Event(), threading.Event(), list[str]()

    def looks(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT usage_delta") and not has_looked.is_set():
            has_looked.set()
            assert may_go_on.wait(30)

    def folder() -> None:
        fold(here)
        order.append("folded")

    def counter() -> None:
        assert has_looked.wait(30)
        threading.Timer(0.3, may_go_on.set).start()
        make_current(there)
        order.append("counted anew")

    with here.app_context():
        event.listen(db.engine, "before_cursor_execute", looks)
    together(folder, counter)

    assert order == ["folded", "counted anew"]
    assert differences(there) == []
    assert (is_current(here), is_current(there)) == (False, True)
    fold(here)
    assert differences(there) == []
