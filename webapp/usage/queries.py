"""Reads of the counters: rollups and unfolded deltas in one statement, so that no call is missed or seen twice."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Integer, cast, func, null, select, union_all

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import UtcDateTime, db
from webapp.usage.models import UsageDay, UsageDelta


def calls_by_day(
    first: date, last: date, zone: ZoneInfo, *, operator_id: int | None = None
) -> Counter[tuple[date, str, str]]:
    """Calls of each (day, outcome, billed) from `first` to `last`, both included, days of `zone`."""
    folded = (
        select(UsageDay.day, cast(null(), UtcDateTime).label("at"), UsageDay.outcome, UsageDay.billed,
               func.sum(UsageDay.calls).label("calls"))
        .where(UsageDay.day >= first, UsageDay.day <= last)
        .group_by(UsageDay.day, UsageDay.outcome, UsageDay.billed)
    )  # fmt: skip
    waiting = select(
        cast(null(), Date).label("day"), UsageDelta.at, UsageDelta.outcome, UsageDelta.billed,
        cast(UsageDelta.calls, Integer).label("calls"),
    ).where(UsageDelta.at >= start_of(first, zone), UsageDelta.at < end_of(last, zone))  # fmt: skip
    if operator_id is not None:
        folded = folded.where(UsageDay.operator_id == operator_id)
        waiting = waiting.where(UsageDelta.operator_id == operator_id)
    counts: Counter[tuple[date, str, str]] = Counter()
    for day, at, outcome, billed, calls in db.session.execute(union_all(folded, waiting)):
        counts[day if at is None else day_of(at, zone), outcome, billed] += calls
    return Counter({key: calls for key, calls in counts.items() if calls})


def totals() -> Counter[tuple[str, str]]:
    """All calls ever counted, by (outcome, billed), in one statement."""
    folded = select(UsageDay.outcome, UsageDay.billed, func.sum(UsageDay.calls)).group_by(
        UsageDay.outcome, UsageDay.billed
    )
    waiting = select(UsageDelta.outcome, UsageDelta.billed, func.sum(UsageDelta.calls)).group_by(
        UsageDelta.outcome, UsageDelta.billed
    )
    counts: Counter[tuple[str, str]] = Counter()
    for outcome, billed, calls in db.session.execute(union_all(folded, waiting)):
        counts[outcome, billed] += int(calls)
    return Counter({key: calls for key, calls in counts.items() if calls})


def unknown_calls() -> int:
    """How many calls may have been charged and nobody knows: their holds stand."""
    return sum(
        calls or 0
        for (calls,) in db.session.execute(
            union_all(
                *(
                    select(func.sum(table.calls)).where(table.outcome == "unknown", table.billed == "unknown")
                    for table in (UsageDay, UsageDelta)
                )
            )
        )
    )


def waiting_deltas() -> int:
    """How many deltas are not folded yet."""
    return db.session.scalar(select(func.count()).select_from(UsageDelta)) or 0


def oldest_delta() -> datetime | None:
    """When the oldest delta not folded yet was counted."""
    return db.session.scalar(select(func.min(UsageDelta.at)))
