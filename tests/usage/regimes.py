"""Made-up installations, each of one regime: what they used, what they go on to use, and what was known of holidays.

Counts are overdispersed (a gamma mixture of Poisson counts), as real counts of people are. Holidays and shifted
workdays are those of the years 2021 to 2026, and at each origin only the notices that were out then are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from webapp.usage.calendar import Calendar, DayKind
from webapp.usage.demand import demand
from webapp.usage.forecast import Forecast, Stock, forecast
from webapp.usage.notices import noticed

AHEAD = 200
"""Days that are made after the origin."""
STOCKS = ((7, 20), (20, 40), (40, 70))
"""Days that the stocks of a case last by the mean of the last four weeks."""
LONG = ((70, 90), (90, 110))
"""The same of stocks that last long."""
LAPSES, AFTER = ((14, 25), (25, 40), (40, 60)), (10, 60)
"""Days after which the first of two lots lapses; and that the second lasts from then on, by the same mean."""


@dataclass(frozen=True, slots=True)
class Case:
    """One origin: past calls by day, the calls of today and after, and what there is: stocks that last from one week to
    ten, such as last up to sixteen, and pairs of lots of which the first lapses."""

    today: date
    past: dict[date, int]
    future: list[int]
    stocks: tuple[int, ...]
    long: tuple[int, ...]
    lapsing: tuple[tuple[Stock, Stock], ...]
    calendar: Calendar

    def supplies(self) -> dict[str, list[Sequence[Stock]]]:
        """What there may be, by what is judged together."""
        singles, long = ([[Stock(1, date.max, stock)] for stock in of] for of in (self.stocks, self.long))
        return {"one lot": [*singles], "a long one": [*long], "one that lapses": [*self.lapsing]}

    def out_after(self, supply: Sequence[Stock]) -> int:
        """Days from the origin to the day on which these lots are used up."""
        return _out_after(supply, self.today, self.future)

    def naive_out_after(self, supply: Sequence[Stock]) -> int:
        """The same by the plain rate of the last seven days."""
        rate = sum(self.past.get(self.today - timedelta(days=back), 0) for back in range(1, 8)) / 7
        return _out_after(supply, self.today, [rate] * AHEAD)


def _out_after(supply: Sequence[Stock], today: date, calls: Iterable[float]) -> int:
    """Days from `today` to the one on which lots, the first to end first, are used up by so many calls a day."""
    left = [float(lot.left) for lot in supply]
    for ahead, count in enumerate(calls):
        due = count
        for index, lot in enumerate(supply):
            valid = lot.expires_on >= today + timedelta(days=ahead)
            taken = min(left[index], due)
            left[index], due = (left[index] - taken, due - taken) if valid else (0.0, due)
        if sum(left) <= 1e-9:
            return ahead
    return AHEAD


Mean = Callable[[date, DayKind], float]
"""What a day is made to use in the mean."""


def known_at(today: date) -> Calendar:
    """The holidays as known on `today`: the notice for a year comes in the November before it."""
    known_to = today.year + (today.month == 12)
    return Calendar({day: kind for day, kind in noticed().items() if day.year <= known_to}, known_to)


def case(regime: str, seed: int) -> Case:
    """The installation of that number."""
    rng = Random(f"{regime} {seed}")
    today = _origin(regime, rng)
    first = today - timedelta(days=rng.randint(90, 400))
    means, dispersion = REGIMES[regime](rng, first, today)
    truth = Calendar(noticed(), 2026)
    days = [first + timedelta(days=ahead) for ahead in range((today - first).days + AHEAD)]
    counts = [_count(rng, means(day, truth.kind(day)), dispersion) for day in days]
    past = {day: count for day, count in zip(days, counts, strict=True) if day < today}
    month = sum(past[today - timedelta(days=back)] for back in range(1, 29))
    stocks, long = (
        tuple(max(1, round(days * month / 28)) for days in (rng.uniform(*span) for span in spans))
        for spans in (STOCKS, LONG)
    )
    lapsing = tuple(_lapsing(rng, today + timedelta(days=rng.randint(*span) - 1), today, month / 28) for span in LAPSES)
    return Case(today, past, counts[len(past) :], stocks, long, lapsing, known_at(today))


def _lapsing(rng: Random, last: date, today: date, rate: float) -> tuple[Stock, Stock]:
    """Two lots, of which calls of the first will likely lapse on its last day, many or few."""
    first, second = rng.uniform(1.05, 2.0) * (last - today).days, rng.uniform(*AFTER)
    return Stock(1, last, max(1, round(first * rate))), Stock(2, date.max, max(1, round(second * rate)))


def _origin(regime: str, rng: Random) -> date:
    """A day; of the holiday regime one with a long holiday within four weeks."""
    while True:
        today = date(2022, 6, 1) + timedelta(days=rng.randrange(4 * 365))
        soon = [noticed().get(today + timedelta(days=ahead)) == DayKind.HOLIDAY for ahead in range(28)]
        if regime != "holiday" or sum(soon) >= 5:
            return today


def _count(rng: Random, mean: float, dispersion: float) -> int:
    """A count with that mean, and that many times the variance of a Poisson count."""
    return _poisson(rng, rng.gammavariate(mean / (dispersion - 1), dispersion - 1)) if mean > 0 else 0


def _poisson(rng: Random, mean: float) -> int:
    if mean > 200:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, chance, limit = 0, rng.random(), math.exp(-mean)
    while chance > limit:
        count += 1
        chance *= rng.random()
    return count


def _size(rng: Random, least: float, most: float) -> float:
    return math.exp(rng.uniform(math.log(least), math.log(most)))


def _walk(rng: Random, first: date, a_week: float) -> Callable[[date], float]:
    """A level that goes its own way, by that share of itself in a week."""
    steps = [0.0]
    for _day in range(400 + AHEAD):
        steps.append(steps[-1] + rng.gauss(0, a_week / math.sqrt(7)))
    return lambda day: math.exp(steps[(day - first).days])


def _week(rng: Random) -> list[float]:
    """Offices rest at the weekend, hotels do not."""
    if rng.random() < 0.7:
        return [rng.uniform(0.85, 1.15) for _day in range(5)] + [rng.uniform(0.1, 0.6), rng.uniform(0.0, 0.5)]
    return [rng.uniform(0.8, 1.0) for _day in range(4)] + [rng.uniform(1.0, 1.4) for _day in range(3)]


def _steady(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    size = _size(rng, 8, 400)
    return lambda day, kind: size, rng.uniform(1.2, 4)


def _weekly(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    size, week, walk = _size(rng, 8, 400), _week(rng), _walk(rng, first, 0.02)
    return lambda day, kind: size * week[day.weekday()] * walk(day), rng.uniform(1.2, 4)


def _growing(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    """Between 1.6 and 5 times as much after a year."""
    size, week, walk = _size(rng, 8, 200), _week(rng), _walk(rng, first, 0.02)
    a_day = math.log(_size(rng, 1.6, 5)) / 365
    return (
        lambda day, kind: size * week[day.weekday()] * walk(day) * math.exp(a_day * (day - today).days),
        rng.uniform(1.2, 4),
    )


def _bursty(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    """Twice a month or so a batch of many times a day's calls, on one to four days."""
    size, week = _size(rng, 8, 150), _week(rng)
    extra = [0.0] * (410 + AHEAD)
    for index in range(len(extra)):
        if rng.random() < 1 / 15:
            calls = size * rng.uniform(2, 8)
            for ahead in range(rng.randint(1, 4)):
                if index + ahead < len(extra):
                    extra[index + ahead] += calls
    return lambda day, kind: size * week[day.weekday()] + extra[(day - first).days], rng.uniform(1.5, 4)


def _holiday(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    """An office that all but closes on holidays and works on shifted workdays."""
    size, walk = _size(rng, 8, 400), _walk(rng, first, 0.02)
    week = [rng.uniform(0.85, 1.15) for _day in range(5)] + [rng.uniform(0.1, 0.6), rng.uniform(0.0, 0.5)]
    special = {DayKind.HOLIDAY: rng.uniform(0.0, 0.3), DayKind.WORKDAY: rng.uniform(0.75, 1.05)}
    return lambda day, kind: size * special.get(kind, week[day.weekday()]) * walk(day), rng.uniform(1.2, 4)


def _changed(rng: Random, first: date, today: date) -> tuple[Mean, float]:
    """A department came or went in the last two months."""
    size, week, walk = _size(rng, 15, 400), _week(rng), _walk(rng, first, 0.02)
    since, factor = today - timedelta(days=rng.randint(7, 60)), rng.choice((0.4, 0.5, 1.6, 2.0, 2.5))
    return (
        lambda day, kind: size * week[day.weekday()] * walk(day) * (factor if day >= since else 1),
        rng.uniform(1.2, 4),
    )


REGIMES: dict[str, Callable[[Random, date, date], tuple[Mean, float]]] = {
    "steady": _steady,
    "weekly": _weekly,
    "growing": _growing,
    "bursty": _bursty,
    "holiday": _holiday,
    "changed": _changed,
}


@dataclass(slots=True)
class Score:
    """How forecasts of one regime fared: days of error, and how often the day lay in the range."""

    number: int = 0
    wrong: int = 0
    naive_wrong: int = 0
    inside: int = 0

    def add(self, one: Case, supply: Sequence[Stock], told: Forecast | None) -> None:
        """Counts one more."""
        assert told is not None
        days, least, most = (AHEAD if day is None else min(day, AHEAD) for day in (told.days, told.least, told.most))
        came = one.out_after(supply)
        self.number += 1
        self.wrong += abs(days - came)
        self.naive_wrong += abs(one.naive_out_after(supply) - came)
        self.inside += least <= came <= most

    @property
    def ratio(self) -> float:
        """Mean absolute error over that of the naive rate."""
        return self.wrong / self.naive_wrong

    @property
    def coverage(self) -> float:
        """The share of run-out days within the range."""
        return self.inside / self.number


def score(regime: str, seeds: Iterable[int]) -> dict[str, Score]:
    """Forecasts each supply of each case and compares with what came, told by the kind of supply."""
    found: dict[str, Score] = {}
    for one in (case(regime, seed) for seed in seeds):
        expected = demand(one.past, one.today, 0, one.calendar.kind)
        for kind, supplies in one.supplies().items():
            for supply in supplies:
                found.setdefault(kind, Score()).add(one, supply, forecast(supply, expected))
    return found
