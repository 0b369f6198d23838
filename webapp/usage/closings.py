"""Calls whose facts retention has let go: kept as counts, so that charts can be counted anew without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db, must_write
from webapp.usage.counters import upsert
from webapp.usage.dimensions import Dimensions
from webapp.usage.models import UsageClosing

NAMES = tuple(one.name for one in fields(Dimensions))
NO_ANSWER = -1
QUARTER = 15
"""Minutes: the zones that there are differ by whole quarters of an hour."""

Call = tuple[datetime, Dimensions, int | None]
"""When it was made, how it counted, and the bucket of its answer time."""


def close(calls: Iterable[Call]) -> None:
    """Keeps the counts of calls whose facts are being destroyed, in the caller's transaction."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for at, told_apart, bucket in calls:
        slot = at.replace(minute=at.minute // QUARTER * QUARTER, second=0, microsecond=0)
        key = (getattr(told_apart, name) for name in NAMES)
        counts[slot, *key, NO_ANSWER if bucket is None else bucket] += 1
    upsert(must_write(), UsageClosing, counts)


def closed(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, Dimensions, int | None, int]]:
    """What was closed of the calls made from `begins` (included) to `ends` (not)."""
    columns = (getattr(UsageClosing, name) for name in ("at", *NAMES, "latency_bucket", "calls"))
    within = UsageClosing.at >= begins, UsageClosing.at < ends
    for at, *key, bucket, calls in db.session.execute(select(*columns).where(*within)):
        yield at, Dimensions(*key), None if bucket == NO_ANSWER else bucket, calls


def how_many(first: date | None, last: date | None, zone: ZoneInfo, **of: int | str) -> int:
    """Calls of these days that have no fact any more; as `queries.how_many`."""
    having = [getattr(UsageClosing, name) == value for name, value in of.items()]
    if first is not None:
        having.append(UsageClosing.at >= start_of(first, zone))
    if last is not None:
        having.append(UsageClosing.at < end_of(last, zone))
    return int(db.session.scalar(select(func.coalesce(func.sum(UsageClosing.calls), 0)).where(*having)) or 0)


def ends() -> list[datetime]:
    """When the first and the last of them were made; empty: there are none."""
    return [at for at in db.session.execute(select(func.min(UsageClosing.at), func.max(UsageClosing.at))).one() if at]
