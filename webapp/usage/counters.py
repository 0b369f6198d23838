"""Counting calls for charts: a transaction inserts deltas, a job folds them into rollups, nobody waits for anybody.

A call counts on the day and hour it was made, under its present outcome: when the outcome changes, one delta takes
the old count back and one adds the new. Readers sum rollups and unfolded deltas in one statement (`queries`), so
they are exact at every instant.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.orm import Session

from webapp.foundation.clock import day_of
from webapp.foundation.database import Base, insert_into, insert_rows, must_write, transaction
from webapp.usage import facets, packing
from webapp.usage.dimensions import Dimensions
from webapp.usage.hours import hour_of
from webapp.usage.latency import bucket_of
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour

FOLD_BATCH = 5_000


def count(dimensions: Dimensions, at: datetime, calls: int, latency_ms: int | None = None) -> None:
    """Adds `calls` (+1 or -1) to the counts of calls made `at`, in the caller's transaction."""
    insert_rows(UsageDelta, _delta(dimensions, at, calls, latency_ms))


def recount(before: Dimensions, after: Dimensions, at: datetime, latency_ms: int | None) -> None:
    """Moves one call made `at` from one set of dimensions to another, in the caller's transaction."""
    insert_rows(UsageDelta, _delta(before, at, -1, None), _delta(after, at, +1, latency_ms))


def _delta(dimensions: Dimensions, at: datetime, calls: int, latency_ms: int | None) -> dict[str, Any]:
    bucket = None if latency_ms is None else bucket_of(latency_ms)
    return {"at": at, "latency_bucket": bucket, "calls": calls, **asdict(dimensions)}


def fold(zone: ZoneInfo) -> bool:
    """Folds one batch of deltas into the rollups; True where there may be more."""
    with transaction():
        return fold_batch(zone)


def fold_batch(zone: ZoneInfo) -> bool:
    """As `fold`, in the caller's transaction."""
    session = must_write()
    # SKIP LOCKED: on PostgreSQL two workers fold different rows; on SQLite the write lock is held already.
    # Not as a subquery of the DELETE: with old statistics PostgreSQL runs that once for each row, and takes more.
    batch = select(UsageDelta).order_by(UsageDelta.id).limit(FOLD_BATCH).with_for_update(skip_locked=True)
    deltas = session.scalars(batch).all()
    taken = delete(UsageDelta).where(UsageDelta.id.in_([delta.id for delta in deltas]))
    session.execute(taken, execution_options={"synchronize_session": False})
    add_up(session, [(d.at, _dimensions(d), d.latency_bucket, d.calls) for d in deltas], zone)
    return len(deltas) == FOLD_BATCH


def add_up(
    session: Session, deltas: list[tuple[datetime, Dimensions, int | None, int]], zone: ZoneInfo, *,
    anew: date | None = None,
) -> None:  # fmt: skip
    """Adds deltas to the day, hour and latency rollups, and to the months made of them. `anew`: they are all calls of
    that day, whose rows are gone, and take their place in its month."""
    days: Counter[tuple[Any, ...]] = Counter()
    hours: Counter[tuple[Any, ...]] = Counter()
    latencies: Counter[tuple[Any, ...]] = Counter()
    slots = {at: (day_of(at, zone), hour_of(at, zone)) for at in {delta[0] for delta in deltas}}
    for at, dimensions, bucket, calls in deltas:
        (day, hour), told_apart = slots[at], _told_apart(dimensions)
        days[day, *told_apart] += calls
        hours[hour, *told_apart] += calls
        if bucket is not None:
            latencies[hour, bucket] += calls
    upsert(session, UsageDay, days)
    upsert(session, UsageHour, hours)
    upsert(session, LatencyHour, latencies)
    packing.add(session, facets.sums(days, hours, latencies, zone), anew=anew)


_told_apart = attrgetter(*(one.name for one in fields(Dimensions)))
"""A twentieth of the time of `astuple`, which copies what it finds."""


def _dimensions(delta: UsageDelta) -> Dimensions:
    return Dimensions(
        delta.outcome, delta.billed, delta.source, delta.operator_id, delta.department_id, delta.purpose_id,
        delta.lot_id, delta.cause,
    )  # fmt: skip


def upsert(session: Session, model: type[Base], counts: Counter[tuple[Any, ...]]) -> None:
    """Adds calls to the rows of a table of counts, by the columns of its key, in the caller's transaction. Rows that
    come to nothing by it are not kept."""
    keys = [column.name for column in model.__table__.primary_key]
    rows = [dict(zip(keys, key, strict=True), calls=calls) for key, calls in sorted(counts.items()) if calls]
    if not rows:
        return
    # Past the unit of work, which would look at each row.
    insert = insert_into(model)
    total = {"calls": insert.table.c.calls + insert.excluded.calls}
    session.connection().execute(insert.on_conflict_do_update(index_elements=keys, set_=total), rows)
    _remove_empty(session.connection(), model, keys, rows)


def _remove_empty(connection: Connection, model: type[Base], keys: list[str], rows: list[dict[str, Any]]) -> None:
    """Removes those of `rows` that count nothing any more: a call under way at a fold leaves one, wherever it ends."""
    table = model.__table__
    columns = [table.c[name] for name in keys]
    empty = select(*columns).where(columns[0].in_({row[keys[0]] for row in rows}), table.c.calls == 0)
    # No others: ours are locked by us. To wait for a row of somebody who waits for one of ours would never end.
    ours = {tuple(row[name] for name in keys) for row in rows}
    gone = [dict(zip(keys, key, strict=True)) for key in map(tuple, connection.execute(empty)) if key in ours]
    if gone:
        named = (column == bindparam(name) for name, column in zip(keys, columns, strict=True))
        connection.execute(delete(model).where(*named, table.c.calls == 0), gone)
