"""Pure: the calls that were left at the end of past days. No I/O; days of the reporting zone.

Told backwards from what is left now: a day's end is the next one's, with the calls made on that day put back and what
was bought or lost on it taken off. A call counts on the day it was made, as what it has become since: one that came
back uncharged never was away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

OPENING = ("purchase", "used_before", "covered_late")
"""What a lot begins with."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Calls that were bought, corrected, refunded or lapsed on a day: all but what verifications took."""

    day: date
    kind: str
    lot_id: int
    change: int


class Life(NamedTuple):
    """The days on which calls of a lot count."""

    first: date
    last: date


def in_force(movements: Iterable[Movement], lives: Mapping[int, Life]) -> list[Movement]:
    """The movements on the days from which on they counted: calls bought ahead from the lot's first day on, and what
    lapsed, which is written off the night after, with the end of the lot's last day."""
    entered: dict[int, date] = {}
    found = []
    for one in movements:
        life = lives[one.lot_id]
        day = max(one.day, life.first)
        entered.setdefault(one.lot_id, day)
        if one.kind == "lapse":
            day = min(day, max(life.last, entered[one.lot_id]))
        found.append(Movement(day, one.kind, one.lot_id, one.change))
    return found


def ends_of_days(
    left: int, days: Sequence[date], taken: Mapping[date, int], movements: Iterable[Movement]
) -> list[int | None]:
    """Calls left at the end of each day, the oldest first; `left` are those of the last one. None on days before the
    first movement: nobody counted then. `taken` are the calls of each day that were or may have been charged to a
    lot."""
    moved: Counter[date] = Counter()
    for one in movements:
        moved[one.day] += one.change
    begins = min(moved, default=days[-1])
    found: list[int | None] = []
    for day in reversed(days):
        found.append(left if day >= begins else None)
        left += taken.get(day, 0) - moved[day]
    return found[::-1]


def at_once(movements: Iterable[Movement]) -> list[Movement]:
    """The movements, with what of a lot was used before it was recorded taken off what was bought with it: it never was
    here to be lost."""
    found: dict[tuple[date, int, object], Movement] = {}
    for index, one in enumerate(movements):
        key = one.day, one.lot_id, OPENING if one.kind in OPENING else index
        before = found.get(key)
        found[key] = replace(before, change=before.change + one.change) if before else one
    return list(found.values())


def days_until(today: date, days: int) -> list[date]:
    """So many days, the oldest first, `today` last."""
    return [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
