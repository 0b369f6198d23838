"""Counting everything anew: the rollups as the stored verifications make them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import db, end_read, transaction
from webapp.usage import counters
from webapp.usage.counters import Dimensions
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour
from webapp.verification.models import Verification

Delta = tuple[datetime, Dimensions, int | None, int]


def rebuild(zone: ZoneInfo) -> int:
    """Replaces all counts by a recount in days and hours of `zone`; returns how many calls were counted.

    One day a transaction, so that nobody waits long: calls go on meanwhile, and after each day its counts are exact.
    """
    days = _days(zone)
    end_read()
    return sum(_recount(day, zone) for day in days)


def _days(zone: ZoneInfo) -> list[date]:
    """Every day that has calls or counts, and those between."""
    ends: list[date] = []
    for column in (Verification.created_at, UsageDelta.at, UsageHour.hour, LatencyHour.hour):
        ends += [day_of(at, zone) for at in db.session.execute(select(func.min(column), func.max(column))).one() if at]
    ends += [day for day in db.session.execute(select(func.min(UsageDay.day), func.max(UsageDay.day))).one() if day]
    if not ends:
        return []
    first = min(ends)
    return [first + timedelta(days=ahead) for ahead in range((max(ends) - first).days + 1)]


def _recount(day: date, zone: ZoneInfo) -> int:
    begins, ends = start_of(day, zone), end_of(day, zone)
    with transaction() as session:
        # Until this commits, new intents wait: none is counted twice or missed.
        if session.get_bind().dialect.name == "postgresql":
            # EXCLUSIVE: a fold that has locked its rows and then waits for us to delete them would never end.
            session.connection().exec_driver_sql("LOCK TABLE verification IN SHARE ROW EXCLUSIVE MODE")
            session.connection().exec_driver_sql("LOCK TABLE usage_delta IN EXCLUSIVE MODE")
        session.execute(delete(UsageDay).where(UsageDay.day == day))
        session.execute(delete(UsageDelta).where(UsageDelta.at >= begins, UsageDelta.at < ends))
        for hours in (UsageHour, LatencyHour):
            session.execute(delete(hours).where(hours.hour >= begins, hours.hour < ends))
        deltas = _deltas(session, Verification.created_at >= begins, Verification.created_at < ends)
        counters.add_up(session, deltas, zone)
        return len(deltas)


def _deltas(session: Session, *of_the_day: ColumnElement[bool]) -> list[Delta]:
    rows = session.execute(
        select(
            Verification.created_at, Verification.outcome, Verification.billed, Verification.source,
            Verification.operator_id, Verification.department_id, Verification.purpose_id, Verification.latency_ms,
        ).where(*of_the_day)
    )  # fmt: skip
    return [
        (at, Dimensions(outcome, billed, source, operator, department or 0, purpose),
         None if latency is None else counters.bucket_of(latency), 1)
        for at, outcome, billed, source, operator, department, purpose, latency in rows
    ]  # fmt: skip
