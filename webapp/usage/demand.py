"""Pure: the calls to be expected on each day ahead, and how wrong that may be. No I/O; days of the reporting zone.

Past days are made comparable by their rhythm and put together to weeks; weeks before a clear jump of the level are
scaled to what came after. The level is a mean of the weeks in which recent ones count more: how much more is decided
by what would have foreseen past weeks best, several such means being blended by their errors. Growth is damped, and
taken for what it is worth. The range comes from the errors themselves: how far off the blend would have been at past
weeks, up to 13 weeks ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from math import exp

from webapp.usage import hindsight
from webapp.usage.calendar import DayKind
from webapp.usage.hindsight import Spread
from webapp.usage.level import change, growth, levels, reach, weeks_of
from webapp.usage.rhythm import cell_of, learn

HORIZON = 366
"""Days looked ahead; what lasts longer lasts «more than a year»."""
HISTORY = 400
"""Days looked back: last year's spring festival is among them."""
HALF_LIVES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Weeks."""


@dataclass(frozen=True)
class Demand:
    """Likely calls from `today` on: `likely[n]` are those of the rest of today and of the n days after it."""

    today: date
    likely: tuple[float, ...]
    spread: Spread
    _known: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict, compare=False, repr=False)

    def high(self, since: int = 0) -> tuple[float, ...]:
        """For each day ahead, the factor between the 90 % mark of the calls from day `since` until then and the likely
        ones; 1 before."""
        return self._marks(since, 1)

    def low(self, since: int = 0) -> tuple[float, ...]:
        """The same to the 10 % mark."""
        return self._marks(since, -1)

    def _marks(self, since: int, power: int) -> tuple[float, ...]:
        if (since, power) not in self._known:
            self._known[since, power] = self._worked_out(since, power)
        return self._known[since, power]

    def _worked_out(self, since: int, power: int) -> tuple[float, ...]:
        # The calls until a day are never fewer than those until the day before, at either mark.
        gone = self.likely[since - 1] if since else 0.0
        factors = [self.spread.factor(day + 1, since) ** power for day in range(len(self.likely) - since)]
        calls = [until - gone for until in self.likely[since:]]
        marks = accumulate((made * factor for made, factor in zip(calls, factors, strict=True)), max)
        return (1.0,) * since + tuple(
            mark / made if made else factor for mark, made, factor in zip(marks, calls, factors, strict=True)
        )


def demand(calls: Mapping[date, int], today: date, used_today: int, kinds: Callable[[date], DayKind]) -> Demand | None:
    """What the whole days before `today` let expect; None without a single call in them."""
    oldest = today - timedelta(days=HISTORY)
    first = min((day for day, count in calls.items() if count > 0 and oldest <= day < today), default=None)
    if first is None:
        return None
    counts = [max(0, calls.get(day, 0)) for day in _days(first, (today - first).days)]
    cells = [cell_of(day, kinds(day)) for day in _days(first, len(counts) + HORIZON + 1)]
    factors, level, growing, spread = _learned(tuple(counts), tuple(cells))
    ahead = [
        level * exp(growing * reach((index + 0.5) / 7)) * factor for index, factor in enumerate(factors[len(counts) :])
    ]
    ahead[0] = max(0.0, ahead[0] - used_today)
    return Demand(today, tuple(accumulate(ahead)), spread)


def _days(first: date, number: int) -> list[date]:
    return [first + timedelta(days=index) for index in range(number)]


@lru_cache(maxsize=4)
def _learned(counts: tuple[int, ...], cells: tuple[int, ...]) -> tuple[list[float], float, float, Spread]:
    """What whole days teach, kept while they are the same: every look at a page on one day asks for it.

    The factor of each cell, then as `_level`.
    """
    rhythm = learn(cells[: len(counts)], counts)
    factors = [rhythm.factors[cell] for cell in cells]
    return factors, *_level(counts, factors[: len(counts)])


def _level(counts: Sequence[int], factors: Sequence[float]) -> tuple[float, float, Spread]:
    """Calls of an average day now, their growth a week, and how wrong that may be."""
    jump = change(counts, factors)
    weeks = weeks_of(
        [count * (jump.factor if index < jump.index else 1) for index, count in enumerate(counts)], factors
    )
    growing = growth(weeks)
    ways = [levels(weeks, half_life, growing) for half_life in HALF_LIVES]
    shares = hindsight.shares(ways, growing, weeks)
    blend = [sum(share * way[index] for share, way in zip(shares, ways, strict=True)) for index in range(len(growing))]
    spread = hindsight.spread(blend, growing, weeks)
    return blend[-1], growing[-1], replace(spread, level=spread.level + jump.variance)
