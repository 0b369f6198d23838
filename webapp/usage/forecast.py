"""Pure: how long the calls last, what will lapse of each lot, and when to buy. No I/O; days of the reporting zone.

Days ahead are counted from today: 0 is today. The range runs from the 10 % to the 90 % mark, rounded to whole days.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain, pairwise
from math import floor
from typing import NamedTuple

from webapp.usage.demand import HORIZON, Demand


@dataclass(frozen=True, slots=True)
class Stock:
    """Calls that end with `expires_on`; of the same `turn`, the ones that end first are used first."""

    lot_id: int
    expires_on: date
    left: int
    name: str = ""
    """What people call it."""
    starts_on: date = date.min
    """The day it was bought, or will be: nothing is taken from it before."""
    turn: int = 0
    """Whose turn it is first, where lots are not used in the order of their ends."""
    size: int = 0
    """Calls that it was bought with."""


class Course(NamedTuple):
    """One possible future: when no call is left (None: not within a year), and what becomes of each lot's calls."""

    out_after: float | None
    """Days from the beginning of today; a whole number where the last lot lapses at the end of the day before."""
    out_day: int | None
    """The day ahead at which, or with whose end, no call is left."""
    used: dict[int, int]
    lapses: dict[int, int]
    left: dict[int, int]


class Forecast(NamedTuple):
    """Days from today until the calls are used up: likely, at least, at most. None: more than a year."""

    days: int | None
    least: int | None
    most: int | None
    out_on: date | None
    buy_by: date | None
    """The last day on which buying is early enough even if much is used; None: no hurry this year."""
    lapses: dict[int, int]
    """Calls of each lot that will likely lapse unused, on the lot's last day."""
    used_up: bool
    """Whether the likely end is by use; else the last calls lapse, or nothing ends within a year."""


class Remaining(NamedTuple):
    """Calls left at the end of a day: likely, and between the marks."""

    day: date
    least: int
    likely: int
    most: int


def course(stock: Sequence[Stock], demand: Demand, factor: float = 1.0, days: int = HORIZON, since: int = 0) -> Course:
    """Plays today and the `days` after it with the likely calls times `factor`, with none before day `since`. Calls are
    taken from the lot whose turn is first, then from the one that ends first, then bought first. A call that no lot
    covers is nowhere taken off later."""
    lots = sorted(stock, key=lambda lot: (lot.turn, lot.expires_on, lot.starts_on, lot.lot_id))
    spans = [(max(0, (lot.starts_on - demand.today).days), (lot.expires_on - demand.today).days + 1) for lot in lots]
    left = [float(lot.left) for lot in lots]
    lapses: dict[int, int] = {}
    out_after: float | None = None
    out_day = None
    turns = sorted({0, days + 1, *(day for day in (since, *chain(*spans)) if 0 < day <= days)})
    for first, end in pairwise(turns):
        open_lots = [index for index, (start, over) in enumerate(spans) if start <= first < over]
        gone = demand.likely[first - 1] * factor if first else 0.0
        due = demand.likely[end - 1] * factor - gone if first >= since else 0.0
        there = sum(left[index] for index in open_lots)
        if out_after is None and first >= since and there <= 0:
            out_after, out_day = float(first), max(0, first - 1)
        elif out_after is None and first >= since and due >= there:
            out_day = min(bisect_left(demand.likely, (gone + there) / factor, first, end - 1), end - 1)
            out_after = out_day + _part(demand, factor, out_day, gone + there)
        for index in open_lots:
            taken = min(left[index], due)
            left[index], due = left[index] - taken, due - taken
            if spans[index][1] == end and (lapsed := floor(left[index] + 0.5)):
                lapses[lots[index].lot_id] = lapsed
            left[index] = 0.0 if spans[index][1] == end else left[index]
    keep = {lot.lot_id: floor(rest + 0.5) for lot, rest in zip(lots, left, strict=True)}
    used = {lot.lot_id: lot.left - keep[lot.lot_id] - lapses.get(lot.lot_id, 0) for lot in lots}
    return Course(out_after, out_day, used, lapses, keep)


def _part(demand: Demand, factor: float, day: int, at: float) -> float:
    """The part of a day's calls that is made when `at` calls are."""
    before = demand.likely[day - 1] * factor if day else 0.0
    made = demand.likely[day] * factor - before
    return min(1.0, (at - before) / made) if made > 0 else 0.0


def forecast(stock: Sequence[Stock], demand: Demand | None) -> Forecast | None:
    """How long `stock` lasts; None where no past use tells a rate."""
    if demand is None:
        return None
    likely = course(stock, demand)
    early, late = _mark(stock, demand, demand.high), _mark(stock, demand, demand.low)
    days = likely.out_day
    least = None if early is None else floor(early + 0.5)
    most = None if late is None else floor(late + 0.5) - 1
    out_on = _day(demand, days)
    if days is not None:
        least = days if least is None else min(least, days)
        most = None if most is None else max(most, days)
    return Forecast(
        days=days,
        least=least,
        most=most,
        out_on=out_on,
        buy_by=None if least is None else _day(demand, max(0, least - 1)),
        lapses=likely.lapses,
        used_up=out_on is not None
        and not any(lot.expires_on == out_on and lot.lot_id in likely.lapses for lot in stock),
    )


def _mark(stock: Sequence[Stock], demand: Demand, factors: Callable[[int], Sequence[float]]) -> float | None:
    """The first day until which the calls since today or since a lapse, with the factor for so many days, use up what
    there was, and when on it."""
    found: float | None = None
    for since, kept in _since(stock, demand):
        until = HORIZON if found is None else floor(found)
        own = factors(since)
        first = course(kept, demand, max(own), since=since).out_day
        for ahead in range(until + 1 if first is None else max(first, since - 1), until + 1):
            played = course(kept, demand, own[ahead], since=since)
            if played.out_day is not None and played.out_after is not None and played.out_day <= ahead:
                out = max(played.out_after, float(ahead))
                found = out if found is None else min(found, out)
                break
    return found


def _since(stock: Sequence[Stock], demand: Demand) -> list[tuple[int, Sequence[Stock]]]:
    """Today and each day ahead before which lots end, and what has not lapsed by then.

    Where the lots that end first are used first, no call is left as soon as those since one of these days came to all
    that had not lapsed by it (the lots are a queue that is drained: Reich 1958). So each day is judged by itself: how
    many calls were made before it is no matter, but those after it are less sure than the whole.
    """
    in_turn = sorted(stock, key=lambda lot: (lot.turn, lot.expires_on))
    if any(one.expires_on > other.expires_on for one, other in pairwise(in_turn)):
        return [(0, stock)]
    ends = sorted({0, *((lot.expires_on - demand.today).days + 1 for lot in stock)})
    return [
        (since, [replace(lot, expires_on=date.max) for lot in stock if (lot.expires_on - demand.today).days >= since])
        for since in ends
        if 0 <= since <= HORIZON
    ]


def low_on(stock: Sequence[Stock], percent: int, demand: Demand | None) -> date | None:
    """The likely day on which at most `percent` of the calls of all lots valid on it remain, be it by use, or because
    a lot ends or begins; None: not within a year, or nobody can tell."""
    if demand is None:
        return None
    starts = [(lot.starts_on - demand.today).days for lot in stock]
    ends = [(lot.expires_on - demand.today).days + 1 for lot in stock]
    turns = sorted({0, HORIZON + 1, *(day for day in (*starts, *ends) if 0 < day <= HORIZON)})
    for first, end in pairwise(turns):
        valid = [lot for lot, start, over in zip(stock, starts, ends, strict=True) if start <= first < over]
        left = course(stock, demand, days=first - 1).left if first else {lot.lot_id: lot.left for lot in stock}
        size, gone = sum(lot.size for lot in valid), demand.likely[first - 1] if first else 0.0
        spare = sum(left[lot.lot_id] for lot in valid) - size * percent // 100
        if size and (day := first if spare <= 0 else bisect_left(demand.likely, gone + spare, first, end)) < end:
            return _day(demand, day)
    return None


def burn_down(stock: Sequence[Stock], demand: Demand, days: int) -> list[Remaining]:
    """Calls left at the end of today and of each of the `days` after it; lots count from the day they start."""
    found = []
    for ahead in range(min(days, HORIZON) + 1):
        started = [lot for lot in stock if lot.starts_on <= demand.today + timedelta(days=ahead)]
        likely = _left(course(started, demand, 1.0, ahead))
        least, most = (
            min(_left(course(kept, demand, factors(since)[ahead], ahead, since))
                for since, kept in _since(started, demand) if since <= ahead + 1)
            for factors in (demand.high, demand.low)
        )  # fmt: skip
        found.append(Remaining(demand.today + timedelta(days=ahead), min(least, likely), likely, max(most, likely)))
    return found


def _left(played: Course) -> int:
    return sum(played.left.values())


def _day(demand: Demand, ahead: int | None) -> date | None:
    return None if ahead is None else demand.today + timedelta(days=ahead)
