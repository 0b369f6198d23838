"""What the counters say of a day, and what its calls come to themselves: by hour, in all that charts tell apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, select

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import UtcDateTime, db
from webapp.usage import closings, facets, packing
from webapp.usage.dimensions import Dimensions
from webapp.usage.facets import Place
from webapp.usage.hours import hour_of
from webapp.usage.latency import BUCKETS
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour
from webapp.usage.spans import Span, hours_of
from webapp.verification.models import Verification

NAMES = tuple(one.name for one in fields(Dimensions))
NOTHING = {"department_id": 0, "lot_id": 0, "cause": ""}
"""What the counters say where a call has none."""

MOST_HOURS = 25
"""Of a day, when clocks are put back."""

Key = tuple[Any, ...]


@dataclass(slots=True)
class Counts:
    """Calls by `Dimensions` and by (hour, *`Dimensions`), answers by (hour, bucket)."""

    of_day: Counter[Key] = field(default_factory=Counter)
    of_hours: Counter[Key] = field(default_factory=Counter)
    latencies: Counter[Key] = field(default_factory=Counter)
    of_months: Counter[Place] = field(default_factory=Counter)
    """What the months say of the day, where they were read."""

    def places(self, day: date, zone: ZoneInfo) -> Counter[Place]:
        """What the months must say of the day, going by these counts."""
        days = {(day, *key): calls for key, calls in self.of_day.items()}
        made = facets.sums(days, self.of_hours, self.latencies, zone)
        return Counter({place: calls for (_day, place), calls in made.items()})

    def add(self, hour: datetime, key: Key, bucket: int | None, calls: int) -> None:
        """Counts calls of one hour."""
        self.of_day[key] += calls
        self.of_hours[hour, *key] += calls
        if bucket is not None:
            self.latencies[hour, bucket] += calls


def counter(zone: ZoneInfo) -> Callable[[date], Counts]:
    """Tells of a day what the counters say: rollups and what waits to be folded."""
    unfolded, of_month = _unfolded(zone), lru_cache(maxsize=1)(packing.of_month)

    def counted(day: date) -> Counts:
        waits, begins, ends = unfolded.get(day, Counts()), start_of(day, zone), end_of(day, zone)
        counts = Counts(
            Counter(waits.of_day), Counter(waits.of_hours), Counter(waits.latencies), waits.places(day, zone)
        )
        for key, calls in _rows(UsageDay, (), UsageDay.day == day):
            counts.of_day[key] += calls
        for key, calls in _rows(UsageHour, ("hour",), UsageHour.hour >= begins, UsageHour.hour < ends):
            counts.of_hours[key] += calls
        rolled = select(LatencyHour).where(LatencyHour.hour >= begins, LatencyHour.hour < ends)
        for row in db.session.scalars(rolled):
            counts.latencies[row.hour, row.bucket] += row.calls
        counts.of_months.update(of_month(packing.month_of(day)).get(day, {}))
        return counts

    return counted


def _rows(table: type[UsageDay] | type[UsageHour], more: tuple[str, ...], *within: Any) -> Iterator[tuple[Key, int]]:
    columns = (getattr(table, name) for name in (*more, *NAMES, "calls"))
    for *key, calls in db.session.execute(select(*columns).where(*within)):
        yield tuple(key), calls


def _unfolded(zone: ZoneInfo) -> Mapping[date, Counts]:
    found: defaultdict[date, Counts] = defaultdict(Counts)
    columns = (getattr(UsageDelta, name) for name in ("at", *NAMES, "latency_bucket", "calls"))
    for at, *key, bucket, calls in db.session.execute(select(*columns).execution_options(yield_per=10_000)):
        found[day_of(at, zone)].add(hour_of(at, zone), tuple(key), bucket, calls)
    return found


def stored(day: date, zone: ZoneInfo) -> Counts:
    """What the calls of a day come to, those whose facts have gone included."""
    hours = [at for at in hours_of(Span(day, day), zone) if isinstance(at, datetime)]
    ends = [*hours[1:], *[end_of(day, zone)] * (MOST_HOURS + 1 - len(hours))]
    bounds = {"begins": hours[0], **{f"end_{place}": end for place, end in enumerate(ends)}}
    counts = Counts()
    for place, *key, calls in db.session.execute(_CALLS, bounds):
        counts.add(hours[place], tuple(key), None, calls)
    for place, bucket, answers in db.session.execute(_ANSWERS, bounds):
        counts.latencies[hours[place], bucket] += answers
    for at, dimensions, bucket, calls in closings.closed(bounds["begins"], end_of(day, zone)):
        counts.add(hour_of(at, zone), tuple(getattr(dimensions, name) for name in NAMES), bucket, calls)
    return counts


def _of_a_day(*by: ColumnElement[Any]) -> Select[Any]:
    """Calls of a day by the place of their hour in it, and by what else is given."""
    made = Verification.created_at
    ends = [bindparam(f"end_{place}", type_=UtcDateTime) for place in range(MOST_HOURS)]
    place = case(*((made < end, number) for number, end in enumerate(ends)))
    # By their places, for PostgreSQL: two bound values are not known to be one expression.
    places: list[ColumnElement[Any]] = [literal_column(str(number)) for number in range(1, len(by) + 2)]
    within = made >= bindparam("begins", type_=UtcDateTime), made < ends[-1]
    return select(place, *by, func.count()).where(*within).group_by(*places)


def _bucket() -> ColumnElement[Any]:
    took = Verification.latency_ms
    return case(*((took <= bound, bound) for bound in BUCKETS), else_=BUCKETS[-1])


# Two looks at a day: by all that tells calls apart and how long they took, nearly every call would be a row of its own.
_CALLS = _of_a_day(
    *(func.coalesce(getattr(Verification, name), NOTHING[name]) if name in NOTHING else getattr(Verification, name)
      for name in NAMES)
)  # fmt: skip
_ANSWERS = _of_a_day(_bucket()).where(Verification.latency_ms.is_not(None))
