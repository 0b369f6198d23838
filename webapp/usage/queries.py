"""Reads of the counters: rollups and unfolded deltas in one statement, so that no call is missed or seen twice."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Integer, Select, cast, func, null, select, union_all

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import UtcDateTime, db
from webapp.usage.calendar import Calendar, DayKind
from webapp.usage.demand import HISTORY, Demand, demand
from webapp.usage.models import CalendarDay, UsageDay, UsageDelta
from webapp.usage.notices import known_to, noticed


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


def totals() -> Counter[tuple[Any, ...]]:
    """All calls ever counted, by (outcome, billed, source, operator, department, purpose), in one statement."""

    def summed(table: type[UsageDay] | type[UsageDelta]) -> Select[*tuple[Any, ...]]:
        by = (table.outcome, table.billed, table.source, table.operator_id, table.department_id, table.purpose_id)
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
                    select(func.sum(table.calls)).where(table.outcome == "unknown", table.billed == "unknown")
                    for table in (UsageDay, UsageDelta)
                )
            )
        )
    )


def calendar() -> Calendar:
    """Which days are holidays, shifted workdays or closed: by the notices, and by what admins say."""
    said = db.session.execute(select(CalendarDay.day, CalendarDay.kind))
    return Calendar(noticed(), known_to(), {day: DayKind(kind) for day, kind in said})


def charged_by_day(first: date, last: date, zone: ZoneInfo) -> Counter[date]:
    """Calls of each day that were or may have been charged, from `first` to `last`, both included, days of `zone`."""
    counts: Counter[date] = Counter()
    for (day, _outcome, billed), calls in calls_by_day(first, last, zone).items():
        if billed != "no":
            counts[day] += calls
    return counts


def expected(today: date, zone: ZoneInfo) -> tuple[Counter[date], Demand | None]:
    """The calls of each day so far that the forecast goes by, today included, and those to be expected from today on;
    None without a whole day's calls."""
    used = charged_by_day(today - timedelta(days=HISTORY), today, zone)
    return used, demand(used, today, used[today], calendar().kind)
