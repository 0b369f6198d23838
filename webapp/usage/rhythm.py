"""Pure: how much of an average day each kind of day takes, learnt from past days. No I/O.

The factor of a day is that of its weekday, or of holidays, or of shifted workdays: the calls of such days over what the
three weeks around each of them would give an average day. Weekdays are pulled together as far as chance alone would
explain their differences; holidays begin as weekends and shifted workdays as the working week, until enough are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from webapp.usage.calendar import DayKind

WEEKEND = (5, 6)
HOLIDAY, SHIFTED, CLOSED = 7, 8, 9
"""Cells after those of Monday to Sunday; a closed day has no calls and tells nothing."""
AROUND = 10
"""Days before and after a day that tell its level."""
HALF_LIFE = 70
"""Days after which the past of a weekday counts half; holidays are few and count in full."""
ROUNDS = 3
"""Levels make factors, and factors better levels."""
PRIOR_DAYS = 2.0
"""For how many holidays the weekend stands, and the working week for shifted workdays."""
LEAST_DAYS = 14


class Rhythm(NamedTuple):
    """What a day takes of an average day, by its cell; the mean of Monday to Sunday is 1."""

    factors: tuple[float, ...]


EVEN = Rhythm((1.0,) * 9 + (0.0,))


def cell_of(day: date, kind: DayKind) -> int:
    """Which factor is that of `day`."""
    if kind == DayKind.CLOSED:
        return CLOSED
    if kind == DayKind.HOLIDAY:
        return HOLIDAY
    weekday = day.weekday()
    return SHIFTED if kind == DayKind.WORKDAY and weekday in WEEKEND else weekday


def learn(cells: Sequence[int], counts: Sequence[int]) -> Rhythm:
    """The rhythm of days, the oldest first, by their cells and calls."""
    if len(counts) < LEAST_DAYS:
        return EVEN
    rhythm = EVEN
    for _round in range(ROUNDS):
        rhythm = _better(rhythm, cells, counts)
    return rhythm


def _better(rhythm: Rhythm, cells: Sequence[int], counts: Sequence[int]) -> Rhythm:
    """The rhythm by the levels that the given one makes."""
    made, due, chance = [0.0] * 10, [0.0] * 10, [0.0] * 10
    fade, weight = 0.5 ** (1 / HALF_LIFE), 1.0
    for cell, count, level in zip(reversed(cells), reversed(counts), reversed(_levels(rhythm, cells, counts)),
                                  strict=True):  # fmt: skip
        share = weight if cell < HOLIDAY else 1.0
        made[cell] += share * count
        due[cell] += share * level
        chance[cell] += (share * (count - rhythm.factors[cell] * level)) ** 2
        weight *= fade
    week = _week(made, due, chance)
    mean = sum(week) / 7
    if mean <= 0:
        return EVEN
    week = [factor / mean for factor in week]
    prior = PRIOR_DAYS * sum(due[:7]) * (1 - fade) / (1 - weight)  # of an average day
    usual = {HOLIDAY: (week[5] + week[6]) / 2, SHIFTED: sum(week[:5]) / 5}
    special = ((made[cell] / mean + prior * like) / (due[cell] + prior) for cell, like in usual.items())
    return Rhythm((*week, *special, 0.0))


def _levels(rhythm: Rhythm, cells: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Calls of an average day around each day."""
    calls = [0, *accumulate(count if cell != CLOSED else 0 for cell, count in zip(cells, counts, strict=True))]
    taken = [0.0, *accumulate(rhythm.factors[cell] for cell in cells)]
    last = len(counts)
    spans = ((max(0, index - AROUND), min(last, index + AROUND + 1)) for index in range(last))
    return [(calls[high] - calls[low]) / max(taken[high] - taken[low], 0.5) for low, high in spans]


def _week(made: Sequence[float], due: Sequence[float], chance: Sequence[float]) -> list[float]:
    """Monday to Sunday by their own calls, as far as they differ by more than chance."""
    raw = [m / d if d > 0 else 1.0 for m, d in zip(made[:7], due[:7], strict=True)]
    by_chance = sum(square / d**2 for square, d in zip(chance[:7], due[:7], strict=True) if d > 0) / 7
    mean = sum(raw) / 7
    spread = sum((factor - mean) ** 2 for factor in raw) / 6
    kept = max(0.0, 1 - by_chance / spread) if spread > 0 else 0.0
    return [mean + kept * (factor - mean) for factor in raw]
