"""Pure: how long the calls last, from a plain rate per weekday. No I/O; days are days of the reporting zone.

The rate of a weekday is its mean over the last four whole weeks (fewer where the product is younger). The range
is what would come if every week were like the quietest, or like the busiest, of those weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = 4
HORIZON = 366
"""Days looked ahead; what lasts longer lasts «more than a year»."""
LEAST_SPREAD, MOST_SPREAD = 0.15, 0.5
"""A week is never taken to be closer to the mean than 15 %, nor quieter than half of it."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Calls that end with `expires_on`; the ones that end first are used first."""

    lot_id: int
    expires_on: date
    left: int
    name: str = ""
    """The order number, where it is known."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls expected on each weekday (Monday first), and the factors of the quietest and the busiest week."""

    by_weekday: tuple[float, ...]
    quiet: float
    busy: float


@dataclass(frozen=True, slots=True)
class Course:
    """One possible future: the day on which no call is left (None: not within a year), and what lapses by lot."""

    out_on: date | None
    lapses: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from today until the calls are used up: likely, at least, at most. None: more than a year."""

    days: int | None
    least: int | None
    most: int | None
    out_on: date | None
    buy_by: date | None
    """The last day on which buying is still early enough if the weeks get busy; None: no hurry this year."""
    lapses: Mapping[int, int]
    """Calls of each lot that will lapse unused at the likely rate."""


def rates(calls: Mapping[date, int], today: date) -> Rates | None:
    """The rates that the whole days before `today` show; None without a single call in them."""
    first = max(min((day for day, count in calls.items() if count), default=today), today - timedelta(days=7 * WEEKS))
    if first >= today:
        return None
    days = [first + timedelta(days=ahead) for ahead in range((today - first).days)]
    counts = [calls.get(day, 0) for day in days]
    mean = sum(counts) / len(counts)
    if len(days) < 14:  # too short for a rhythm of the week
        return Rates((mean,) * 7, 1 - MOST_SPREAD, 1 + MOST_SPREAD)
    by_weekday = tuple(_mean([c for d, c in zip(days, counts, strict=True) if d.weekday() == wd]) for wd in range(7))
    weeks = [sum(counts[end - 7 : end]) / 7 for end in range(len(counts), 6, -7)]
    quiet = min(max(min(weeks) / mean, 1 - MOST_SPREAD), 1 - LEAST_SPREAD)
    return Rates(by_weekday, quiet, max(max(weeks) / mean, 1 + LEAST_SPREAD))


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def course(stock: Sequence[Stock], rates: Rates, factor: float, today: date, used_today: int) -> Course:
    """Plays the days ahead: each day uses its rate times `factor`, first of the lots that end first."""
    lots = sorted(stock, key=lambda one: (one.expires_on, one.lot_id))
    left = {one.lot_id: one.left for one in lots}
    lapses: dict[int, int] = {}
    owed = 0.0
    for ahead in range(HORIZON + 1):
        day = today + timedelta(days=ahead)
        owed += max(0.0, rates.by_weekday[day.weekday()] * factor - (used_today if ahead == 0 else 0))
        spend, owed = int(owed), owed % 1
        for one in lots:
            taken = min(left[one.lot_id], spend)
            left[one.lot_id] -= taken
            spend -= taken
            if one.expires_on <= day and left[one.lot_id]:
                lapses[one.lot_id], left[one.lot_id] = left[one.lot_id], 0
        if not any(left.values()):
            return Course(day, lapses)
    return Course(None, lapses)


def forecast(stock: Sequence[Stock], rates: Rates | None, today: date, used_today: int) -> Forecast | None:
    """How long `stock` lasts; None where no past use tells a rate."""
    if rates is None:
        return None
    likely, slow, fast = (course(stock, rates, factor, today, used_today) for factor in (1.0, rates.quiet, rates.busy))
    least = _days(fast.out_on, today)
    buy_by = None if least is None else today + timedelta(days=max(0, least - 1))
    return Forecast(_days(likely.out_on, today), least, _days(slow.out_on, today), likely.out_on, buy_by, likely.lapses)


def low_on(remaining: int, total: int, percent: int, rates: Rates | None, today: date, used_today: int) -> date | None:
    """The likely day on which at most `percent` of `total` remain; None: not within a year, or nobody can tell."""
    spare = remaining - total * percent // 100
    if rates is None or total <= 0:
        return None
    return today if spare <= 0 else course([Stock(0, date.max, spare)], rates, 1.0, today, used_today).out_on


def _days(out_on: date | None, today: date) -> int | None:
    return None if out_on is None else (out_on - today).days
