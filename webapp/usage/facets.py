"""Pure: what charts of days, weeks and months tell calls apart by. No I/O.

A facet makes a key of each call; its key as text is its parts, in the order of `names`, between slashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from webapp.usage.dimensions import Dimensions

EVERYONE = 0
"""The operator of what is kept of all calls together."""
UNCOVERED = "uncovered"
"""A facet by itself, though lots tell it too: most months have none, and every first page asks."""
HOUR, LATENCY = "hour", "latency"
"""Facets that are no dimension: the hour of the zone's clock, and the bucket of the answer time."""

Key = tuple[Any, ...]
Place = tuple[str, int, str]
"""Facet, operator, and key as text."""


class Facet(NamedTuple):
    """`own`: also kept for each operator; `charged`: only of calls that were charged for certain; `on_no_lot`: only of
    calls that no lot covered."""

    names: tuple[str, ...]
    own: bool = False
    charged: bool = False
    on_no_lot: bool = False

    def key(self, words: str) -> Key:
        """The parts of a key's text: numbers of rows and of facets that are no dimension are numbers."""
        parts = zip(self.names, words.split("/"), strict=True)
        return tuple(part if name in WORDS else int(part) for name, part in parts)


WORDS = {"outcome", "billed", "source", "cause"}
"""Parts of keys that are no numbers."""
FACETS = {
    "outcome": Facet(("outcome", "billed"), own=True),
    "cause": Facet(("outcome", "cause"), own=True),
    "source": Facet(("source",), own=True),
    "operator": Facet(("operator_id",)),
    "department": Facet(("department_id",)),
    "purpose": Facet(("purpose_id",), own=True),
    "lot": Facet(("lot_id", "outcome", "billed")),
    "cost": Facet(("lot_id", "department_id", "purpose_id"), charged=True),
    UNCOVERED: Facet(("lot_id",), charged=True, on_no_lot=True),
    HOUR: Facet((HOUR,), own=True),
    LATENCY: Facet((LATENCY,)),
}
_POSITIONS = {one.name: position for position, one in enumerate(fields(Dimensions))}
_OPERATOR, _BILLED, _LOT = (_POSITIONS[name] for name in ("operator_id", "billed", "lot_id"))
_OF_DAYS = {
    name: (facet, [_POSITIONS[one] for one in facet.names])
    for name, facet in FACETS.items()
    if name not in (HOUR, LATENCY)
}


def sums(
    days: Mapping[Key, int], hours: Mapping[Key, int], latencies: Mapping[Key, int], zone: ZoneInfo
) -> Counter[tuple[date, Place]]:
    """What cells come to by (day, place). Cells are by (day, *`Dimensions`), (hour, *`Dimensions`) and (hour, bucket),
    as the rollups have them."""
    found: Counter[tuple[date, Place]] = Counter()
    for cell, calls in days.items():
        for place in _of_day(cell[1:]):
            found[cell[0], place] += calls
    clock = {hour: hour.astimezone(zone) for hour in {cell[0] for cells in (hours, latencies) for cell in cells}}
    of_operators: Counter[tuple[datetime, int]] = Counter()
    for cell, calls in hours.items():
        of_operators[cell[0], cell[1 + _OPERATOR]] += calls
    for (hour, operator), calls in of_operators.items():
        for place in _of_hour(clock[hour].hour, operator):
            found[clock[hour].date(), place] += calls
    for (hour, bucket), calls in latencies.items():
        found[clock[hour].date(), _of_latency(bucket)] += calls
    return found


def places(told: Key, hour: int, bucket: int | None) -> tuple[Place, ...]:
    """Where calls of these dimensions count that were made in this hour of the clock; `bucket`: of their answers."""
    found = *_of_day(told), *_of_hour(hour, told[_OPERATOR])
    return found if bucket is None else (*found, _of_latency(bucket))


@lru_cache(maxsize=10_000)
def _of_day(told: Key) -> tuple[Place, ...]:
    found: list[Place] = []
    for name, (facet, parts) in _OF_DAYS.items():
        if (facet.charged and told[_BILLED] != "yes") or (facet.on_no_lot and told[_LOT]):
            continue
        key = "/".join(str(told[part]) for part in parts)
        found += [(name, operator, key) for operator in ((EVERYONE, told[_OPERATOR]) if facet.own else (EVERYONE,))]
    return tuple(found)


def _of_hour(hour: int, operator: int) -> tuple[Place, Place]:
    return (HOUR, EVERYONE, str(hour)), (HOUR, operator, str(hour))


def _of_latency(bucket: int) -> Place:
    return LATENCY, EVERYONE, str(bucket)
