"""Pure: what forecasts made at past weeks were worth, now that the weeks after them are known. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, sqrt
from typing import NamedTuple

from webapp.usage.level import Weeks, reach

JUDGED, MEASURED = (2, 4, 8), (1, 2, 4, 8, 13)
"""Weeks ahead by which forecasts are compared, and at which their errors are measured."""
POWER = 3.0
"""A forecast twice as wrong gets 2 to this power less of the blend."""
COMPARED, RECENT = 26.0, 20.0
"""Weeks after which an error counts half: in comparing, in measuring."""
YOUNG, FIRST = 12, 10
"""Weeks from which on experience alone counts; and the first ones, which knew little, are not measured."""
PRIOR_ERROR, PRIOR_WEEKS = 0.2, 2.0
"""What is believed without any experience, as a logarithm, and for how many weeks it stands."""
WIDER, FEW = 1.1, 6.0
"""Variances are larger than they show, known as they are from n weeks with hindsight: by 1.1 + 6/n."""
AWAY = 2.0
"""How many times a level's way counts before days that are looked at, beside in them: its end is three times as
uncertain as its mean, if it walks at random; that counts in full only where a walk is sure, which it seldom is."""
ROUNDS = 40
TENTH = 1.2816
"""Standard deviations from the middle to the 10 % and the 90 % mark."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the logarithm of calls over what was foreseen: of one week (less over more weeks), of the level, and
    of its way in a week (more over more weeks)."""

    noise: float
    level: float
    drift: float

    def factor(self, days: int, since: int = 0) -> float:
        """The 90 % mark of the calls of that many days from day `since` on, over the likely ones; 1 by it is the 10 %
        mark."""
        weeks, before = days / 7, since / 7
        return exp(TENTH * sqrt(self.noise / weeks + self.level + self.drift * (weeks + AWAY * before)))


class _Error(NamedTuple):
    """How wrong forecasts were, `ahead` weeks ahead: mean square, from that many weeks' worth of experience."""

    ahead: int
    square: float
    weight: float


def _misses(levels: Sequence[float], growth: Sequence[float], weeks: Weeks, ahead: int, first: int) -> list[float]:
    """Logarithms of the calls of `ahead` weeks over what was foreseen at the end of each week from `first` on."""
    made, due = [0.0, *accumulate(weeks.made)], [0.0, *accumulate(weeks.due)]
    middle = reach(ahead / 2)
    return [
        log((after - before + 1) / (level * exp(slope * middle) * (end - begin) + 1))
        for before, after, begin, end, level, slope in zip(
            made[first + 1 :], made[first + 1 + ahead :], due[first + 1 :], due[first + 1 + ahead :],
            levels[first:], growth[first:], strict=False,
        )
    ]  # fmt: skip


def shares(ways: Sequence[Sequence[float]], growth: Sequence[float], weeks: Weeks) -> list[float]:
    """What each way to tell the level gets of the blend: more, the less wrong it was."""
    worth = []
    for levels in ways:
        wrong, weight = PRIOR_ERROR * PRIOR_WEEKS, PRIOR_WEEKS
        for ahead in JUDGED:
            for age, miss in enumerate(reversed(_misses(levels, growth, weeks, ahead, 2))):
                share = 0.5 ** (age / COMPARED)
                wrong, weight = wrong + share * abs(miss), weight + share
        worth.append((wrong / weight) ** -POWER)
    return [one / sum(worth) for one in worth]


def spread(levels: Sequence[float], growth: Sequence[float], weeks: Weeks) -> Spread:
    """How far off such levels were, and so how far off they may be."""
    number = len(weeks.made)
    believed = PRIOR_WEEKS * max(0.0, 1 - number / YOUNG)
    errors = [_Error(ahead, PRIOR_ERROR**2, believed / ahead) for ahead in MEASURED if believed]
    first = min(FIRST, number // 3)
    squares = [_square_now(level, levels[-1]) for level in levels]
    for ahead in MEASURED:
        misses = _misses(levels, growth, weeks, ahead, first)
        ages = [0.5 ** (age / RECENT) for age in range(len(misses))][::-1]
        if misses:
            wrong = sum(a * m**2 * s for a, m, s in zip(ages, misses, squares[first:], strict=False))
            errors.append(_Error(ahead, max(wrong / sum(ages), 1e-6), sum(ages) / ahead))
    return _most_likely(errors, WIDER + FEW / number)


def _square_now(level: float, now: float) -> float:
    """What a square counts now: the more calls, the less chance moves them (variances of counts are as their means)."""
    return max(0.5, min(2.0, level / now)) if now > 0 else 1.0


def _most_likely(errors: Sequence[_Error], wider: float) -> Spread:
    """The variances that make the errors the most likely: a few rounds of multiplicative steps, which keep them
    positive (maximum likelihood of variances is the Itakura-Saito divergence; Févotte, Bertin and Durrieu 2009)."""
    noise, level, drift = (errors[0].square * part for part in (0.7, 0.1, 0.02))
    for _round in range(ROUNDS):
        up, down = [0.0] * 3, [0.0] * 3
        for one in errors:
            model = noise / one.ahead + level + drift * one.ahead
            for part, share in enumerate((1 / one.ahead, 1.0, float(one.ahead))):
                up[part] += one.weight * one.square / model**2 * share
                down[part] += one.weight / model * share
        noise, level, drift = (
            old * sqrt(a / b) for old, a, b in zip((noise, level, drift), up, down, strict=True)
        )  # fmt: skip
    return Spread(noise * wider, level * wider, drift * wider)
