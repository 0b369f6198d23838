"""How a year of calls spreads over its days and hours: offices, holidays, shifted workdays, growth, good and bad days.

No I/O: the calendar and the seeded chance are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate, pairwise
from random import Random

from webapp.usage.calendar import DayKind

GROWTH = 0.6
"""How much more a day has at the end of a year than at its beginning."""
WEEK = (1.08, 1.03, 1.0, 1.0, 0.95, 0.24, 0.13)
SPECIAL = {DayKind.HOLIDAY: 0.09, DayKind.WORKDAY: 0.85, DayKind.CLOSED: 0.0}
QUARTERS = 96
OPENS = 33
"""The quarter of an hour that the first calls of a day fall into: what a day begins with is done before."""
HOURS = {8: 5, 9: 12, 10: 14, 11: 11, 12: 4, 13: 7, 14: 12, 15: 12, 16: 11, 17: 7, 18: 3, 19: 1.5, 20: 0.8, 21: 0.4}
PROFILE = tuple(HOURS.get(quarter // 4, 0.0) if quarter >= OPENS else 0.0 for quarter in range(QUARTERS))
"""How much of a day falls into each quarter of an hour."""


def weights(days: Sequence[date], calendar: Mapping[date, DayKind], chance: Random) -> list[float]:
    """How busy each day is, beside the others."""
    last = max(len(days) - 1, 1)
    return [
        SPECIAL.get(calendar[day], WEEK[day.weekday()])
        * (1 + GROWTH * index / last * min(1.0, len(days) / 365))
        * chance.gammavariate(60, 1 / 60)
        for index, day in enumerate(days)
    ]


def spread(calls: int, weights: Sequence[float]) -> list[int]:
    """`calls` shared out by weight: whole numbers, and exactly that many together."""
    whole = sum(weights)
    ends = [round(calls * part / whole) for part in accumulate(weights, initial=0.0)]
    return [after - before for before, after in pairwise(ends)]


def profile_until(quarter: int) -> tuple[float, ...]:
    """The profile of a day that is no older than the begin of that quarter of an hour."""
    return tuple(weight if index < quarter else 0.0 for index, weight in enumerate(PROFILE))
