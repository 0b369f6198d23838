"""Reads of the months: the calls of each day of a span, told apart by facets, as series.

Months and unfolded deltas are read in one statement, so that no call is missed or seen twice. However many calls there
were, a year is thirteen rows of each facet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    BigInteger,
    CompoundSelect,
    Date,
    String,
    bindparam,
    cast,
    func,
    null,
    select,
    union_all,
)

from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db
from webapp.usage import facets
from webapp.usage.dimensions import Dimensions
from webapp.usage.facets import EVERYONE, FACETS, UNCOVERED, Key
from webapp.usage.models import UsageDelta, UsageMonth
from webapp.usage.packing import month_of
from webapp.usage.spans import Span

Series = Mapping[Key, list[int]]
"""By the key of a facet, one number for each day (or piece) of a span, the first first. None is all nothing."""


def calls(facet: str, span: Span, zone: ZoneInfo, *, operator_id: int | None = None) -> Series:
    """Calls of each day of a span of days of `zone`, by the keys of one of `FACETS`; of one operator where given, which
    must be a facet that is kept for each."""
    return read((facet,), span, zone, operator_id=operator_id)[facet]


def read(names: tuple[str, ...], span: Span, zone: ZoneInfo, *, operator_id: int | None = None) -> Mapping[str, Series]:
    """As `calls` by several facets, at one instant."""
    if operator_id is not None and not all(FACETS[name].own for name in names):
        raise ValueError(f"not all of {names} are kept for each operator")
    base, whose = month_of(span.first), operator_id or EVERYONE
    lines = _Lines((span.last - base).days + 1)
    waiting: list[tuple[Any, ...]] = []
    asked = {"operator": whose, "first": base, "last": span.last,
             "begins": start_of(span.first, zone), "ends": end_of(span.last, zone)}  # fmt: skip
    for facet, month, days, *delta in db.session.execute(_statement(names, operator_id is not None), asked):
        if facet is None:
            waiting.append(tuple(delta))
        else:
            for key, numbers in days.items():
                lines.put(facet, key, (month - base).days, numbers)
    for at, *told, bucket, number in waiting:
        local: datetime = at.astimezone(zone)
        for facet, operator, key in facets.places(tuple(told), local.hour, bucket):
            if operator == whose and facet in names:
                lines.add(facet, key, (local.date() - base).days, number)
    return {name: lines.told(name, (span.first - base).days) for name in names}


def uncovered() -> int:
    """All calls that were ever charged on no lot: of the months that have any, and of what waits to be folded."""
    return sum(
        calls if days is None else sum(map(sum, days.values()))
        for days, calls in db.session.execute(_UNCOVERED)
        if days or calls
    )


_UNCOVERED = union_all(
    select(UsageMonth.days, cast(null(), BigInteger))
    .where(UsageMonth.facet == UNCOVERED, UsageMonth.operator_id == EVERYONE),
    select(cast(null(), JSON), func.sum(UsageDelta.calls)).where(UsageDelta.lot_id == 0, UsageDelta.billed == "yes"),
)  # fmt: skip


class _Lines:
    """A line of so many days for each facet and key."""

    def __init__(self, days: int) -> None:
        self._days, self._found = days, dict[str, dict[str, list[int]]]()

    def put(self, facet: str, key: str, place: int, numbers: list[int]) -> None:
        """Days that nothing else is told of; what reaches beyond the end is left out."""
        end = min(place + len(numbers), self._days)
        self._line(facet, key)[place:end] = numbers[: end - place]

    def add(self, facet: str, key: str, place: int, number: int) -> None:
        """Calls of one day more."""
        self._line(facet, key)[place] += number

    def told(self, facet: str, lead: int) -> Series:
        """The lines of a facet without the first `lead` days."""
        cut = ((FACETS[facet].key(key), line[lead:]) for key, line in self._found.get(facet, {}).items())
        return {key: line for key, line in cut if any(line)}

    def _line(self, facet: str, key: str) -> list[int]:
        lines = self._found.setdefault(facet, {})
        if key not in lines:
            lines[key] = [0] * self._days
        return lines[key]


@cache
def _statement(names: tuple[str, ...], own: bool) -> CompoundSelect[Any]:
    """Once for all: making a statement costs more than running it."""
    told = (getattr(UsageDelta, one.name) for one in fields(Dimensions))
    delta = [UsageDelta.at, *told, UsageDelta.latency_bucket, UsageDelta.calls]
    months = select(
        UsageMonth.facet, UsageMonth.month, UsageMonth.days, *(cast(null(), column.type) for column in delta)
    ).where(
        UsageMonth.facet.in_(names), UsageMonth.operator_id == bindparam("operator"),
        UsageMonth.month >= bindparam("first"), UsageMonth.month <= bindparam("last"),
    )  # fmt: skip
    waiting = select(cast(null(), String), cast(null(), Date), cast(null(), JSON), *delta).where(
        UsageDelta.at >= bindparam("begins"), UsageDelta.at < bindparam("ends"),
        *([UsageDelta.operator_id == bindparam("operator")] if own else []),
    )  # fmt: skip
    return union_all(months, waiting)
