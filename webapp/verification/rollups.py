"""Counting everything anew: the rollups as the stored verifications make them.

The database remembers for which zone, and in which shape, its rollups were made. Where the settings or the code want
others, whoever starts the product first counts anew, under a lease; the others wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.orm import Session

from webapp.foundation import leases, runtime
from webapp.foundation.clock import day_of, end_of, start_of, utc_now
from webapp.foundation.database import UtcDateTime, db, end_read, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.usage import closings, counters, packing
from webapp.usage.dimensions import Dimensions
from webapp.usage.latency import bucket_of
from webapp.usage.models import LatencyHour, UsageClosing, UsageDay, UsageDelta, UsageHour
from webapp.verification.models import Verification

Delta = tuple[datetime, Dimensions, int | None, int]
MADE_FOR = "counted_in_zone"
"""Name under which the database remembers what its rollups were made for."""
SHAPE = 4
"""Of the rollups; another number makes every instance count anew. 2: by lot and cause; 3: months; 4: uncovered."""
WORK = "count anew"
LEASE = timedelta(minutes=2)
"""How long one day may take to count before others believe its holder dead."""
BEFORE_ALL = datetime(1900, 1, 1, tzinfo=UTC)

# Put together once: it is asked for each day. Deltas have no index by time, and are few.
_NEXT = select(
    *(
        select(func.min(made)).where(made >= bindparam("at", type_=UtcDateTime)).scalar_subquery()
        for made in (Verification.created_at, UsageHour.hour, LatencyHour.hour, UsageClosing.at)
    ),
    select(func.min(UsageDay.day)).where(UsageDay.day >= bindparam("day")).scalar_subquery(),
)


def are_current(instance: Instance) -> bool:
    """Whether the rollups are those of the settings' zone, in this version's shape."""
    return runtime.stored(MADE_FOR, instance.sealer) == _wanted(instance)


def remember(instance: Instance, now: datetime) -> None:
    """Says in the caller's transaction that the rollups are current."""
    must_write()
    runtime.store(MADE_FOR, _wanted(instance), instance.sealer, now)


def make_current(instance: Instance, holder: str, clock: Callable[[], datetime] = utc_now) -> None:
    """Sees to it that the rollups are current: counts anew, or waits for whoever does that already."""
    while not are_current(instance):
        end_read()
        if leases.take(WORK, holder, clock(), LEASE, timedelta()):
            try:
                _count_anew(instance, holder, clock)
            finally:
                leases.give_back(WORK, holder, clock(), clock())
        else:
            time.sleep(0.2)


def _count_anew(instance: Instance, holder: str, clock: Callable[[], datetime]) -> None:
    if are_current(instance):  # another has just done it
        return
    with transaction():
        runtime.clear(MADE_FOR)  # nobody folds in the old way from now on
    for day in counted_days(instance.settings.zone):
        _recount(day, instance.settings.zone)
        if not leases.keep(WORK, holder, clock(), LEASE):
            return  # we were taken for dead, and another counts
    with transaction():
        remember(instance, clock())


def fold(instance: Instance) -> bool:
    """Folds one batch of deltas, unless the rollups are being made anew, or not in our way; True: there may be more.

    Whether they are is looked up in the very transaction that folds: whoever makes them anew says so first, and waits
    until a fold that found them current has ended. Else it could put calls into days that are counted already.
    """
    with transaction():
        return runtime.kept(MADE_FOR, instance.sealer) == _wanted(instance) and counters.fold_batch(
            instance.settings.zone
        )


def _wanted(instance: Instance) -> str:
    return f"{instance.settings.timezone} {SHAPE}"


def rebuild(zone: ZoneInfo) -> int:
    """Replaces all counts by a recount in days and hours of `zone`; returns how many calls were counted.

    One day a transaction, so that nobody waits long: calls go on meanwhile, and after each day its counts are exact.
    """
    days = counted_days(zone)
    end_read()
    return sum(_recount(day, zone) for day in days)


def counted_days(zone: ZoneInfo) -> list[date]:
    """Every day that has calls or counts, in order: from one to the next by indexes, however far it is."""
    days = {day_of(at, zone) for at in db.session.scalars(select(UsageDelta.at).execution_options(yield_per=10_000))}
    days |= packing.days()
    at, day = BEFORE_ALL, BEFORE_ALL.date()
    while found := _next_day(at, day, zone):
        days.add(found)
        at, day = end_of(found, zone), found + timedelta(days=1)
    return sorted(days)


def _next_day(at: datetime, day: date, zone: ZoneInfo) -> date | None:
    """The first day with something that is stored by its time, from `at` on, or by its day, from `day` on."""
    *times, counted = db.session.execute(_NEXT, {"at": at, "day": day}).one()
    return min([day_of(one, zone) for one in times if one] + [counted] * (counted is not None), default=None)


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
        deltas += closings.closed(begins, ends)
        counters.add_up(session, deltas, zone, anew=day)
        return sum(calls for *_what, calls in deltas)


def _deltas(session: Session, *of_the_day: ColumnElement[bool]) -> list[Delta]:
    rows = session.execute(
        select(
            Verification.created_at, Verification.outcome, Verification.billed, Verification.source,
            Verification.operator_id, Verification.department_id, Verification.purpose_id, Verification.lot_id,
            Verification.cause, Verification.latency_ms,
        ).where(*of_the_day)
    )  # fmt: skip
    return [
        (at, Dimensions(outcome, billed, source, operator, department or 0, purpose, lot or 0, cause or ""),
         None if latency is None else bucket_of(latency), 1)
        for at, outcome, billed, source, operator, department, purpose, lot, cause, latency in rows
    ]  # fmt: skip
