"""Makes the calls of a year, day by day, as rows to be stored: sealed, counted, and drawn from the lots in turn.

The same orders make the same calls; only the nonces of what is sealed differ. No I/O, and only one day in memory.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Any

from webapp.demo import purchases, year
from webapp.demo.days import Day, Days, stamps
from webapp.demo.orders import Orders
from webapp.demo.outcomes import KINDS
from webapp.demo.purchases import Need
from webapp.demo.records import Records
from webapp.demo.rows import Batch, Bought, Settled
from webapp.demo.stock import Stock, Stocked
from webapp.foundation.clock import day_of, start_of
from webapp.foundation.sealing import Sealer
from webapp.quota.rules import DrawOrder
from webapp.usage.calendar import DayKind
from webapp.vendor.contract import Billed

QUARTER = timedelta(minutes=15)
QUARTER_US, SECOND_US = 900_000_000, 1_000_000
NEW_PEOPLE, NOT_AGAIN_FOR = 0.2, 2
"""The share of calls about somebody new, at least, and the days before one may come again."""
_LOGARITHM = NormalDist(4.88, 0.42)
LATENCIES = [int(2.718281828 ** _LOGARITHM.inv_cdf((rank + 0.5) / 4096)) + 9 for rank in range(4096)]
"""Milliseconds of an answer, each as likely: lognormal, 132 in the middle."""
OVERHEAD_US = 4_000
"""Our own time around the answer."""
CHARGED_SHARE = 0.8
"""Of the unknown outcomes that an admin settles."""
BATCH = 5_000


@dataclass(slots=True)
class _Open:
    """An unknown outcome that will be settled on that day."""

    due: date
    verification_id: int
    lot_id: int | None
    charged: bool


class Maker:
    """Makes the batches of one year, each to be stored before the next is asked for. `secret` seals the trail."""

    def __init__(self, orders: Orders, calendar: Mapping[date, DayKind], sealer: Sealer, secret: bytes) -> None:
        self.orders, self.calendar, self.secret, self._sealer = orders, calendar, secret, sealer
        self._chance = Random(orders.seed)  # noqa: S311  # no secret
        today = day_of(orders.now, orders.zone)
        # The last quarter of an hour is left out: its calls might end after now.
        self._until = int((orders.now - start_of(today, orders.zone)) / QUARTER) - 1
        last = today if any(year.profile_until(self._until)) else today - timedelta(days=1)
        self._today = today
        self.days = [last - timedelta(days=back) for back in range(orders.days - 1, -1, -1)]
        self._need = Need(self.days[0], self._shared_out())
        by_purchase = orders.draw_order is DrawOrder.PURCHASE
        self._stock = Stock(lambda lot: (lot.bought_on, lot.expires_on, lot.id) if by_purchase
                            else (lot.expires_on, lot.bought_on, lot.id))  # fmt: skip
        self._next_call, self._next_lot = orders.first_call, orders.first_lot
        self._seen = array("l", [0])
        """On which day each person came last."""
        self._open: list[_Open] = []
        self._records = Records(orders, secret)
        self._shares = list(accumulate(one.share for one in KINDS))
        # The first of the desk and the first purpose have the most to do.
        self._busy = list(accumulate(1 / (3 + place) for place in range(len(orders.operators))))
        self._wanted = list(accumulate(1 / (1 + place) for place in range(len(orders.purposes))))

    def _shared_out(self) -> list[int]:
        weights = year.weights(self.days, self.calendar, self._chance)
        if self.days[-1] == self._today:
            weights[-1] *= sum(year.profile_until(self._until)) / sum(year.PROFILE)
        return year.spread(self.orders.calls, weights)

    def batches(self) -> Iterator[Batch]:
        """The year, in order."""
        batch: Batch | None = None
        days = Days(self.orders, self._sealer)  # not before it is needed: it is made in one of two processes
        for index, day in enumerate(self.days):
            evening = self._figures()
            lapsed, bought = self._begin(index, day)
            if batch is not None and (lapsed or bought or len(batch.calls) >= BATCH):
                yield replace(batch, lots=evening, trail=self._records.seal())
                batch = None
            if batch is None:
                batch = Batch(day, bought)
                self._records.leave_out(len(bought))
            self._settle_due(day, batch)
            if calls := self._need.calls[index]:
                days.write(self._made(day, calls), self._records, batch)
        if batch is not None:
            yield replace(batch, lots=self._figures(), trail=self._records.seal())

    def _figures(self) -> list[Stocked]:
        return [replace(lot) for lot in self._stock.lots.values()]

    def _begin(self, index: int, day: date) -> tuple[bool, list[Bought]]:
        """Whether calls lapse, and what is bought, before the first call of the day."""
        lapsed = self._stock.lapse(day)
        self._stock.begin(day)
        found = purchases.bought(self._need, index, self._stock.remaining())
        for one in found:
            self._stock.add(Stocked(self._next_lot, one.bought_on, one.expires_on, one.calls - one.used_before))
            self._next_lot += 1
        self._stock.begin(day)
        return lapsed, found

    def _settle_due(self, day: date, batch: Batch) -> None:
        due = [one for one in self._open if one.due <= day]
        if not due:
            return
        self._open = [one for one in self._open if one.due > day]
        (at,) = stamps(start_of(day, self.orders.zone), [(8 * 60 + 5) * 60 * SECOND_US])
        rows = [self._settled(one, at) for one in due]
        batch.settled += rows
        self._records.settled(rows)

    def _settled(self, one: _Open, at: str) -> Settled:
        move, decision, kind = (
            (self._stock.charge, "charged", "charge") if one.charged
            else (self._stock.release, "not_charged", "release")
        )  # fmt: skip
        change = int(not one.charged and one.lot_id is not None)
        detail = json.dumps({"decision": decision})
        return Settled(one.verification_id, at, decision, kind, change, one.lot_id, move(one.lot_id), detail)

    def _made(self, day: date, calls: int) -> Day:
        """Who asks about whom, when, what for, what comes of it, and which lot it is drawn from."""
        chance, orders = self._chance, self.orders
        profile = year.profile_until(self._until) if day == self._today else year.PROFILE
        quarters = sorted(chance.choices(range(year.QUARTERS), profile, k=calls))
        begun = sorted(int((quarter + chance.random()) * QUARTER_US) for quarter in quarters)
        kinds = chance.choices(range(len(KINDS)), cum_weights=self._shares, k=calls)
        slower = [one.slower for one in KINDS]
        latencies = [latency + slower[kind]
                     for latency, kind in zip(chance.choices(LATENCIES, k=calls), kinds, strict=True)]  # fmt: skip
        ended = [at + latency * 1_000 + OVERHEAD_US for at, latency in zip(begun, latencies, strict=True)]
        moments = [at << 24 | index << 1 for index, at in enumerate(begun)]
        moments += [at << 24 | index << 1 | 1 for index, at in enumerate(ended)]
        order = [moment & 0xFFFFFF for moment in sorted(moments)]
        ids = range(self._next_call, self._next_call + calls)
        self._next_call += calls
        lots, held, left = self._draw(kinds, order)
        billed = [one.billed.value for one in KINDS]
        made = Day(
            day, ids, begun, ended, kinds, [billed[kind] for kind in kinds], latencies,
            chance.choices(orders.operators, cum_weights=self._busy, k=calls),
            chance.choices(orders.purposes, cum_weights=self._wanted, k=calls),
            self._somebody(day.toordinal(), calls), chance.randbytes(16 * calls).hex().upper(), lots, held, left, order,
        )  # fmt: skip
        self._decide(made)
        return made

    def _draw(self, kinds: list[int], order: list[int]) -> tuple[list[Any], list[int], list[int]]:
        """For each call its lot, and what was left there after its hold and after its answer; in the order of time."""
        lots: list[int | None] = [None] * len(kinds)
        held, left = [0] * len(kinds), [0] * len(kinds)
        stock = self._stock
        moves = [{Billed.YES: stock.charge, Billed.NO: stock.release}.get(one.billed) for one in KINDS]
        for moment in order:
            index = moment >> 1
            if not moment & 1:
                lots[index], held[index] = stock.hold()
            elif (move := moves[kinds[index]]) is not None:
                left[index] = move(lots[index])
        return lots, held, left

    def _somebody(self, today: int, calls: int) -> list[int]:
        """For each call the number of somebody new, or of one who has not been here since the day before yesterday: a
        recent result would have been shown instead of a call."""
        chance, seen, found = self._chance.random, self._seen, list[int]()
        for _call in range(calls):
            if chance() < NEW_PEOPLE or seen[index := int(chance() * len(seen))] > today - NOT_AGAIN_FOR:
                index = len(seen)
                seen.append(today)
            seen[index] = today
            found.append(index)
        return found

    def _decide(self, made: Day) -> None:
        """Whether unknown outcomes are settled by now, and how."""
        for place, billed in enumerate(made.billed):
            if billed != "unknown":
                continue
            due = made.day + timedelta(days=self._chance.randint(1, 4))
            if due <= self.days[-1] - timedelta(days=1):
                lot_id = made.lots[place]
                lapsed = lot_id is not None and self._stock.lots[lot_id].expires_on < due
                charged = lapsed or self._chance.random() < CHARGED_SHARE
                self._open.append(_Open(due, made.ids[place], lot_id, charged))
                made.billed[place] = "yes" if charged else "no"
