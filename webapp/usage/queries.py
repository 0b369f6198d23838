"""Reads of the counters: rollups and unfolded deltas in one statement, so that no call is missed or seen twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, text, union_all

from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db
from webapp.usage import daily, series
from webapp.usage.calendar import Calendar, DayKind
from webapp.usage.demand import HISTORY, Demand, demand
from webapp.usage.hours import hour_of
from webapp.usage.models import OPEN, CalendarDay, LatencyHour, UsageDay, UsageDelta, UsageHour
from webapp.usage.notices import known_to, noticed
from webapp.usage.spans import Span


def calls_by_hour(
    names: Sequence[str], span: Span, zone: ZoneInfo, *, operator_id: int | None = None
) -> Counter[tuple[Any, ...]]:
    """Calls of each (first instant of an hour, *names) of a span of days of `zone`. `names` are of `Dimensions`; only
    those of an operator where one is given. Days are read by `daily`, at a fraction of the price."""
    begins, ends = start_of(span.first, zone), end_of(span.last, zone)
    by = [getattr(UsageHour, name) for name in names]
    folded = (
        select(UsageHour.hour, *by, func.sum(UsageHour.calls))
        .where(UsageHour.hour >= begins, UsageHour.hour < ends, *_only(UsageHour, operator_id))
        .group_by(UsageHour.hour, *by)
    )
    waiting = select(UsageDelta.at, *(getattr(UsageDelta, name) for name in names), UsageDelta.calls).where(
        UsageDelta.at >= begins, UsageDelta.at < ends, *_only(UsageDelta, operator_id)
    )
    counts: Counter[tuple[Any, ...]] = Counter()
    for at, *key, calls in db.session.execute(union_all(folded, waiting)):
        counts[hour_of(at, zone), *key] += int(calls)
    return Counter({key: calls for key, calls in counts.items() if calls})


def _only(table: type[UsageHour] | type[UsageDelta], operator_id: int | None) -> list[ColumnElement[bool]]:
    return [] if operator_id is None else [table.operator_id == operator_id]


def latencies(span: Span, zone: ZoneInfo) -> dict[datetime, Counter[int]]:
    """For each hour of a span of days of `zone`, how many answers fell into each bucket (see `latency`)."""
    begins, ends = start_of(span.first, zone), end_of(span.last, zone)
    folded: Select[Any, Any, Any] = select(LatencyHour.hour, LatencyHour.bucket, LatencyHour.calls).where(
        LatencyHour.hour >= begins, LatencyHour.hour < ends
    )
    waiting: Select[Any, Any, Any] = select(UsageDelta.at, UsageDelta.latency_bucket, UsageDelta.calls).where(
        UsageDelta.at >= begins, UsageDelta.at < ends, UsageDelta.latency_bucket.is_not(None)
    )
    found: dict[datetime, Counter[int]] = {}
    for at, bucket, calls in db.session.execute(union_all(folded, waiting)):
        found.setdefault(hour_of(at, zone), Counter())[bucket] += calls
    return found


def totals() -> Counter[tuple[Any, ...]]:
    """All calls ever, by (outcome, billed, source, operator, department, purpose, lot, cause), in one statement."""

    def summed(table: type[UsageDay] | type[UsageDelta]) -> Select[*tuple[Any, ...]]:
        by = (table.outcome, table.billed, table.source, table.operator_id, table.department_id, table.purpose_id,
              table.lot_id, table.cause)  # fmt: skip
        return select(*by, func.sum(table.calls)).group_by(*by)

    counts: Counter[tuple[Any, ...]] = Counter()
    for row in db.session.execute(union_all(summed(UsageDay), summed(UsageDelta))):
        counts[tuple(row[:-1])] += int(row[-1])
    return Counter({key: calls for key, calls in counts.items() if calls})


def unknown_calls() -> int:
    """How many calls may have been charged and nobody knows: their holds stand."""
    return sum(
        calls or 0
        for (calls,) in db.session.execute(
            union_all(
                *(
                    select(func.sum(table.calls)).where(text(OPEN), table.outcome != "sending")
                    for table in (UsageDay, UsageDelta)
                )
            )
        )
    )


def spent(day: date, zone: ZoneInfo, **of: int | str) -> int:
    """Calls of one day that were or may have been charged; `of`: the operator, department or source they were of."""

    def summed(table: type[UsageDay] | type[UsageDelta], *that_day: ColumnElement[bool]) -> ScalarSelect[int]:
        its = (getattr(table, name) == value for name, value in of.items())
        calls = select(func.coalesce(func.sum(table.calls), 0)).where(*that_day, table.billed != "no", *its)
        return calls.scalar_subquery()

    folded = summed(UsageDay, UsageDay.day == day)
    waiting = summed(UsageDelta, UsageDelta.at >= start_of(day, zone), UsageDelta.at < end_of(day, zone))
    return int(db.session.scalar(select(folded + waiting)) or 0)


def how_many(first: date | None, last: date | None, zone: ZoneInfo, **of: int | str) -> int:
    """Calls of the days from `first` to `last` (None: no bound), both included; `of`: their fields of `Dimensions`."""

    def summed(table: type[UsageDay] | type[UsageDelta], *within: ColumnElement[bool]) -> ScalarSelect[int]:
        having = (getattr(table, name) == value for name, value in of.items())
        calls = select(func.coalesce(func.sum(table.calls), 0)).where(*within, *having)
        return calls.scalar_subquery()

    days, instants = [], []
    if first is not None:
        days.append(UsageDay.day >= first)
        instants.append(UsageDelta.at >= start_of(first, zone))
    if last is not None:
        days.append(UsageDay.day <= last)
        instants.append(UsageDelta.at < end_of(last, zone))
    return int(db.session.scalar(select(summed(UsageDay, *days) + summed(UsageDelta, *instants))) or 0)


def begins(zone: ZoneInfo) -> date | None:
    """The day of `zone` of the first call that was ever counted."""
    folded, waiting = db.session.execute(
        select(select(func.min(UsageDay.day)).scalar_subquery(), select(func.min(UsageDelta.at)).scalar_subquery())
    ).one()
    return min(filter(None, [folded, waiting and waiting.astimezone(zone).date()]), default=None)


def calendar() -> Calendar:
    """Which days are holidays, shifted workdays or closed: by the notices, and by what admins say."""
    said = db.session.execute(select(CalendarDay.day, CalendarDay.kind))
    return Calendar(noticed(), known_to(), {day: DayKind(kind) for day, kind in said})


def charged_by_day(first: date, last: date, zone: ZoneInfo) -> Counter[date]:
    """Calls of each day that were or may have been charged, from `first` to `last`, both included, days of `zone`."""
    counted = daily.calls("outcome", Span(first, last), zone)
    charged = series.added(numbers for (_outcome, billed), numbers in counted.items() if billed != "no")
    return Counter({first + timedelta(days=ahead): calls for ahead, calls in enumerate(charged) if calls})


def expected(today: date, zone: ZoneInfo) -> tuple[Counter[date], Demand | None]:
    """The calls of each day so far that the forecast goes by, today included, and those to be expected from today on;
    None without a whole day's calls."""
    used = charged_by_day(today - timedelta(days=HISTORY), today, zone)
    return used, demand(used, today, used[today], calendar().kind)
