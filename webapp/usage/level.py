"""Pure: how many calls an average day has, as it was at the end of each past week, and how that grows. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from statistics import median
from typing import NamedTuple

GROWTH_HALF_LIFE = 16.0
"""Weeks after which a past week counts half for the growth."""
GROWTH_FROM = 8
"""Weeks without which no growth is seen."""
DOUBT = 3.0
"""A growth counts by t²/(t² + this), t being its standard deviations from none."""
MOST_GROWTH = 0.1
"""A week, as a logarithm."""
DAMPING = 0.97
"""Of the growth of a week, the next one keeps this share."""

CHANGES = range(6, 64)
"""Days ago that a change of the level may lie."""
BEFORE = 56
"""Days before a change that it is compared with."""
LEAST_CHANGE, SIGMAS = 0.3, 4.0
"""A change is at least this large, as a logarithm and in standard deviations."""
LEAST_NOISE = 0.03


class Weeks(NamedTuple):
    """Weeks that end with yesterday, the oldest first, which may be a part of one: their calls, and the days of average
    use that they hold."""

    made: tuple[float, ...]
    due: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The level jumped by `factor` on the day at `index`; `variance` is that of the factor's logarithm."""

    index: int
    factor: float
    variance: float


NO_CHANGE = Change(0, 1.0, 0.0)


def weeks_of(counts: Sequence[float], factors: Sequence[float]) -> Weeks:
    """Days put together to weeks."""
    ends = range((len(counts) - 1) % 7 + 1, len(counts) + 1, 7)
    spans = [(max(0, end - 7), end) for end in ends]
    return Weeks(tuple(sum(counts[a:b]) for a, b in spans), tuple(sum(factors[a:b]) for a, b in spans))


def change(counts: Sequence[int], factors: Sequence[float]) -> Change:
    """The clearest lasting change of the level in the last weeks: a department that came or went."""
    noise = _noise(weeks_of(counts, factors))
    last, clearest, found = len(counts), SIGMAS, NO_CHANGE
    if noise is None:
        return found
    calls, due = [0, *accumulate(counts)], [0.0, *accumulate(factors)]
    for ago in CHANGES:
        at, first = last - ago, max(0, last - ago - BEFORE)
        if at < 15:
            break
        after, before = due[last] - due[at], due[at] - due[first]
        if after < 2 or before < 7:
            continue
        jump = log((calls[last] - calls[at] + 0.5) / after) - log((calls[at] - calls[first] + 0.5) / before)
        sigmas = abs(jump) / (noise * sqrt(7 / after + 7 / before))
        if abs(jump) > LEAST_CHANGE and sigmas > clearest:
            clearest, found = sigmas, Change(at, exp(jump), noise**2 * 7 / after)
    return found


def _noise(weeks: Weeks) -> float | None:
    """The usual difference of a week from the one before, as the standard deviation of one; None: too few weeks."""
    rates = [log((made + 0.5) / due) for made, due in zip(weeks.made, weeks.due, strict=True) if due > 1]
    if len(rates) < 5:
        return None
    return max(median(abs(b - a) for a, b in pairwise(rates)) / 0.6745 / sqrt(2), LEAST_NOISE)


def growth(weeks: Weeks) -> list[float]:
    """The growth a week, as a logarithm, seen at the end of each week: the slope of a line through the weeks until
    then, recent ones counting more, taken for what it is worth."""
    fade = 0.5 ** (1 / GROWTH_HALF_LIFE)
    n = x = xx = y = xy = yy = 0.0
    seen = []
    for index, (made, due) in enumerate(zip(weeks.made, weeks.due, strict=True)):
        xx, x, xy = (xx - 2 * x + n) * fade, (x - n) * fade, (xy - y) * fade  # a week passes: all lies one further back
        n, y, yy = n * fade, y * fade, yy * fade
        if due > 1:
            weight, rate = due / 7, log((made + 0.5) / due)
            n, y, yy = n + weight, y + weight * rate, yy + weight * rate**2
        seen.append(_slope(n, x, xx, y, xy, yy) if index >= GROWTH_FROM - 1 else 0.0)
    return seen


def _slope(n: float, x: float, xx: float, y: float, xy: float, yy: float) -> float:
    room = n * xx - x * x
    if room <= 1e-9:
        return 0.0
    slope = (n * xy - x * y) / room
    rest = max(yy - (y - slope * x) / n * y - slope * xy, 1e-9) / max(n - 2, 1)
    t_squared = slope**2 * room / (rest * n)
    return max(-MOST_GROWTH, min(MOST_GROWTH, slope * t_squared / (t_squared + DOUBT)))


def levels(weeks: Weeks, half_life: float, growing: Sequence[float]) -> list[float]:
    """The level at the end of each week: the mean of the weeks until then, recent ones counting more, brought forward
    from their middle by the growth."""
    fade = 0.5 ** (1 / half_life)
    made = due = 0.0
    found = []
    for index, (calls, days) in enumerate(zip(weeks.made, weeks.due, strict=True)):
        made, due = made * fade + calls, due * fade + days
        gone = fade ** (index + 1)
        age = 0.5 + fade / (1 - fade) - (index + 1) * gone / (1 - gone)
        found.append(made / due * exp(growing[index] * age) if due > 0 else 0.0)
    return found


def reach(weeks: float) -> float:
    """For how many weeks of undamped growth that many weeks stand."""
    return float(1 - DAMPING**weeks) / -log(DAMPING)
