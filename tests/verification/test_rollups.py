"""Counting anew: whatever was wrong is right afterwards, and calls go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import delete, insert, update

from tests.support.waiting import Tally, together
from tests.verification.calls import MATCH, UNKNOWN, ask, differences, somebody
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.usage import counters
from webapp.usage.models import LatencyHour, UsageClosing, UsageDay, UsageDelta, UsageHour
from webapp.verification import rollups

NIGHT = datetime(2026, 11, 2, 15, 59, 30, tzinfo=UTC)
"""Half a minute before midnight in Shanghai."""


def rebuild(app: Flask, zone: ZoneInfo | None = None) -> int:
    with app.app_context():
        return rollups.rebuild(zone or this_instance().settings.zone)


def fold(app: Flask) -> None:
    with app.app_context():
        while counters.fold(this_instance().settings.zone):
            pass


def over_three_days(app: Flask) -> int:
    """Calls at both sides of midnight, folded and not; how many."""
    for number, hours in enumerate((0, 0, 1, 25, 26)):
        at = NIGHT + timedelta(hours=hours)
        reply = MATCH if number % 2 else UNKNOWN
        ask(app, somebody(number), lambda *_, reply=reply: reply, clock=lambda at=at: at)  # type: ignore[misc]
        if number == 2:
            fold(app)
    return 5


def test_whatever_was_miscounted_is_right_afterwards(app: Flask) -> None:
    calls = over_three_days(app)
    assert differences(app) == []
    dimensions = {"outcome": "match", "billed": "yes", "source": "desk", "operator_id": 2, "department_id": 0,
                  "purpose_id": 1, "lot_id": 0, "cause": "", "calls": 7}  # fmt: skip
    with app.app_context(), transaction() as session:
        session.execute(update(UsageDay).values(calls=UsageDay.calls + 1))
        session.execute(delete(UsageHour))
        session.execute(insert(UsageDelta).values(at=NIGHT - timedelta(days=3), **dimensions))
        session.execute(insert(UsageDay).values(day=date(2026, 12, 1), **dimensions))
        session.execute(insert(LatencyHour).values(hour=NIGHT, bucket=10, calls=9))
    assert differences(app) != []

    assert rebuild(app) == calls

    assert differences(app) == []
    assert rebuild(app) == calls, "again and again"


def test_a_changed_zone_moves_calls_to_its_own_days(make_app: Callable[..., Flask]) -> None:
    calls = over_three_days(make_app())
    honolulu = make_app(TIMEZONE="Pacific/Honolulu")
    assert differences(honolulu) != []

    assert rebuild(honolulu) == calls

    assert differences(honolulu) == []


def test_every_day_that_has_anything_is_counted_however_far_apart_and_no_other(app: Flask) -> None:
    ask(app, somebody(1), lambda *_: MATCH, clock=lambda: NIGHT)
    dimensions = {"outcome": "match", "billed": "yes", "source": "desk", "operator_id": 2, "department_id": 0,
                  "purpose_id": 1, "lot_id": 0, "cause": "", "calls": 7}  # fmt: skip
    with app.app_context(), transaction() as session:
        session.execute(delete(UsageDelta))
        session.execute(insert(UsageDelta).values(at=NIGHT - timedelta(days=900), **dimensions))
        session.execute(insert(UsageHour).values(hour=NIGHT - timedelta(days=700), **dimensions))
        session.execute(insert(LatencyHour).values(hour=NIGHT - timedelta(days=600), bucket=10, calls=9))
        session.execute(insert(UsageClosing).values(at=NIGHT - timedelta(days=500), latency_bucket=10, **dimensions))
        session.execute(insert(UsageDay).values(day=date(2027, 1, 1), **dimensions))
    ask(app, somebody(2), lambda *_: MATCH, clock=lambda: NIGHT + timedelta(minutes=1))
    times = [*(NIGHT - timedelta(days=ago) for ago in (900, 700, 600, 500)), NIGHT, NIGHT + timedelta(minutes=1)]

    for name in ("Asia/Shanghai", "America/New_York"):
        zone = ZoneInfo(name)
        with app.app_context():
            found = rollups.counted_days(zone)
            db.session.remove()
        days = [day_of(at, zone) for at in times]
        assert found == sorted({*days, date(2027, 1, 1)}), name


def test_nothing_counted_is_nothing_to_count(app: Flask) -> None:
    assert rebuild(app) == 0


def test_calls_that_are_made_and_folded_meanwhile_are_counted_once(app: Flask) -> None:
    over_three_days(app)
    left = Tally(2)

    def caller(first: int) -> None:
        for number in range(first, first + 15):
            ask(app, somebody(number), lambda *_: MATCH)
        left.add(-1)

    def again_and_again() -> None:
        while left.value:
            rebuild(app)

    def folder() -> None:
        while left.value:
            fold(app)

    together(lambda: caller(100), lambda: caller(200), again_and_again, folder)

    assert differences(app) == []
    assert rebuild(app) == 35
