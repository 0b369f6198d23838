"""Pure: counted calls as the series that charts draw. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.usage.spans import Slot

CONCLUSIVE = ("match", "mismatch", "no_such_number")
"""Outcomes that answer the question."""
OUTCOMES = (*CONCLUSIVE, "invalid_input", "maintenance", "refused", "unknown", "unexpected", "sending")
"""In the order of drawing."""
OTHERS = "others"
MOST = 9
"""Series told apart by colour and pattern; what is smaller stands under `OTHERS`."""


@dataclass(frozen=True, slots=True)
class Series:
    """Calls of one kind in each slot, the oldest first."""

    key: str
    values: list[int]

    @property
    def total(self) -> int:
        """Of all slots."""
        return sum(self.values)


def stack(counts: Mapping[tuple[Slot, str], int], slots: Sequence[Slot], order: Iterable[str] = ()) -> list[Series]:
    """One series for each key that occurs: in `order`, then the largest first; counts are by (slot, key)."""
    places = {slot: place for place, slot in enumerate(slots)}
    values: dict[str, list[int]] = {}
    for (slot, key), calls in counts.items():
        values.setdefault(key, [0] * len(slots))[places[slot]] += calls
    ranks = {key: rank for rank, key in enumerate(order)}
    series = [Series(key, found) for key, found in values.items() if any(found)]
    return sorted(series, key=lambda one: (ranks.get(one.key, len(ranks)), -one.total, one.key))


def largest(series: Sequence[Series], most: int = MOST) -> list[Series]:
    """The series as they are, or where they are too many the largest and the sum of all others."""
    if len(series) <= most:
        return list(series)
    kept = sorted(series, key=lambda one: -one.total)[: most - 1]
    rest = [one.values for one in series if one not in kept]
    return [*(one for one in series if one in kept), Series(OTHERS, [sum(calls) for calls in zip(*rest, strict=True)])]


def week(counts: Mapping[datetime, int], zone: ZoneInfo) -> list[list[int]]:
    """Calls of each weekday (Monday first) in each hour of the zone's clock; counts are by hour."""
    cells = [[0] * 24 for _weekday in range(7)]
    for hour, calls in counts.items():
        local = hour.astimezone(zone)
        cells[local.weekday()][local.hour] += calls
    return cells


def success(by_outcome: Mapping[str, int]) -> float | None:
    """The share of the finished calls that were answered; None where none is finished."""
    finished = sum(calls for outcome, calls in by_outcome.items() if outcome != "sending")
    answered = sum(by_outcome.get(outcome, 0) for outcome in CONCLUSIVE)
    return answered / finished if finished else None


def change(now: int, then: int) -> float | None:
    """How much more than then, as a share of it; None where then was nothing."""
    return (now - then) / then if then else None


def summed(counts: Mapping[tuple[Slot, str], int]) -> Counter[str]:
    """Calls by key, whenever they were made."""
    sums: Counter[str] = Counter()
    for (_slot, key), calls in counts.items():
        sums[key] += calls
    return sums
