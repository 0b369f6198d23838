"""Makes the calls of a year, day by day, as rows to be stored: sealed, counted, and drawn from the lots in turn.

The same orders make the same calls; only the nonces of what is sealed differ. No I/O, and only one day in memory.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any

from webapp.demo import purchases, year
from webapp.demo.orders import Orders
from webapp.demo.outcomes import KINDS
from webapp.demo.parts import parts
from webapp.demo.purchases import Need
from webapp.demo.register import Register
from webapp.demo.rows import Batch, Call, Counted, Settled
from webapp.demo.stock import Stock, Stocked
from webapp.foundation.clock import day_of, start_of
from webapp.foundation.sealing import Sealer
from webapp.quota.ledger import Purchase
from webapp.quota.models import EntryKind
from webapp.quota.rules import DrawOrder
from webapp.usage.calendar import DayKind
from webapp.usage.hours import hour_of
from webapp.usage.latency import bucket_of
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import Decision, Source

QUARTER, MICRO = timedelta(minutes=15), timedelta(microseconds=1)
QUARTER_US, SECOND_US, DAY_US = 900_000_000, 1_000_000, 86_400_000_000
NEW_PEOPLE, NOT_AGAIN_FOR = 0.2, 2
"""The share of calls about somebody new, at least, and the days before one may come again."""
LATENCY = (4.88, 0.42)
"""Milliseconds of an answer: lognormal, 132 in the middle."""
OVERHEAD_US = 4_000
"""Our own time around the answer."""
CHARGED_SHARE = 0.8
"""Of the unknown outcomes that an admin settles."""
BATCH = 5_000
SOURCE = Source.DESK.value
TOLD = {Outcome.UNKNOWN.value, Outcome.UNEXPECTED.value}


@dataclass(slots=True)
class _Open:
    """An unknown outcome that will be settled on that day."""

    due: date
    verification_id: int
    lot_id: int | None
    charged: bool


class Maker:
    """Makes the batches of one year, each to be stored before the next is asked for."""

    def __init__(self, orders: Orders, calendar: Mapping[date, DayKind], sealer: Sealer) -> None:
        self.orders, self.calendar = orders, calendar
        self._register, self._sealer, self._chance = Register(), sealer, Random(orders.seed)  # noqa: S311  # no secret
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
        self._templates = [[one.sealed(""), one.sealed("%(reference)s")] for one in KINDS]
        # Plain words: an Enum's members are slow to store and to hand to another process.
        self._words = [(one.outcome.value, one.billed.value, one.cause and one.cause.value) for one in KINDS]
        self._finished = [json.dumps({"outcome": one.outcome, "billed": one.billed, "cause": one.cause})
                          for one in KINDS]  # fmt: skip
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
        for index, day in enumerate(self.days):
            evening = self._figures()
            lapsed, bought = self._begin(index, day)
            if batch is not None and (lapsed or bought or len(batch.calls) >= BATCH):
                yield replace(batch, lots=evening)
                batch = None
            batch = batch or Batch(day, bought)
            self._settle_due(day, batch)
            self._make_day(day, self._need.calls[index], batch)
        if batch is not None:
            yield replace(batch, lots=self._figures())

    def _figures(self) -> list[Stocked]:
        return [replace(lot) for lot in self._stock.lots.values()]

    def _begin(self, index: int, day: date) -> tuple[bool, list[Purchase]]:
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
        at = _stamps(start_of(day, self.orders.zone))((8 * 60 + 5) * 60 * SECOND_US)
        for one in due:
            batch.settled.append(self._settled(one, at))

    def _settled(self, one: _Open, at: str) -> Settled:
        move, decision, kind = (
            (self._stock.charge, Decision.CHARGED, EntryKind.CHARGE) if one.charged
            else (self._stock.release, Decision.NOT_CHARGED, EntryKind.RELEASE)
        )  # fmt: skip
        change = int(not one.charged and one.lot_id is not None)
        detail = json.dumps({"decision": decision})
        return Settled(
            one.verification_id, at, decision.value, kind.value, change, one.lot_id, move(one.lot_id), detail
        )

    def _make_day(self, day: date, calls: int, batch: Batch) -> None:
        chance = self._chance
        profile = year.profile_until(self._until) if day == self._today else year.PROFILE
        if not calls:
            return
        quarters = sorted(chance.choices(range(year.QUARTERS), profile, k=calls))
        begun = sorted(int((quarter + chance.random()) * QUARTER_US) for quarter in quarters)
        kinds = chance.choices(range(len(KINDS)), cum_weights=self._shares, k=calls)
        latencies = [int(chance.lognormvariate(*LATENCY)) + 9 + KINDS[kind].slower for kind in kinds]
        ended = [at + latency * 1_000 + OVERHEAD_US for at, latency in zip(begun, latencies, strict=True)]
        drawn = self._draw(begun, ended, kinds)
        self._rows(day, begun, ended, kinds, latencies, drawn, batch)

    def _draw(self, begun: list[int], ended: list[int], kinds: list[int]) -> list[list[Any]]:
        """For each call its lot, and what was left there after its hold and after its answer; in the order of time."""
        drawn: list[list[Any]] = [[None, 0, 0] for _call in begun]
        moments = [at << 24 | index << 1 for index, at in enumerate(begun)]
        moments += [at << 24 | index << 1 | 1 for index, at in enumerate(ended)]
        stock = self._stock
        for moment in sorted(moments):
            index = (moment & 0xFFFFFF) >> 1
            one = drawn[index]
            if not moment & 1:
                one[0], one[1] = stock.hold()
            elif (billed := KINDS[kinds[index]].billed) is Billed.YES:
                one[2] = stock.charge(one[0])
            elif billed is Billed.NO:
                one[2] = stock.release(one[0])
        return drawn

    def _rows(
        self, day: date, begun: list[int], ended: list[int], kinds: list[int], latencies: list[int],
        drawn: list[list[Any]], batch: Batch,
    ) -> None:  # fmt: skip
        orders, chance, seal, person = self.orders, self._chance, self._sealer.seal, self._register.person
        midnight = start_of(day, orders.zone)
        stamp = _stamps(midnight)
        starts = (hour_of(midnight + QUARTER * number, orders.zone) for number in range(year.QUARTERS))
        hours = [stamp((start - midnight) // MICRO) for start in starts]
        operators = chance.choices(orders.operators, cum_weights=self._busy, k=len(begun))
        uses = chance.choices(orders.purposes, cum_weights=self._wanted, k=len(begun))
        sent = {use.id: json.dumps({"purpose": use.id}) for use in orders.purposes}
        today, deadline_us = int(f"{day:%Y%m%d}"), orders.deadline // MICRO
        by_day, by_hour, answered_in = list[Counted](), list[Counted](), list[Counted]()
        for at, end, kind_index, latency, (lot_id, held, left), operator, use in zip(
            begun, ended, kinds, latencies, drawn, operators, uses, strict=True
        ):
            kind, number = KINDS[kind_index], self._next_call
            self._next_call += 1
            index = self._somebody(day.toordinal())
            name, id_number = person(index, kind.way)
            birthday = id_number[6:14]
            reference = f"{use.prefix}{day:%y}-{number:07}" if use.prefix else ""
            content = self._templates[kind_index][bool(reference)] % {
                "name": name, "number": id_number, "reference": reference, "birthday": birthday,
                "sex": "M" if int(id_number[16]) % 2 else "F", "age": str((today - int(birthday)) // 10_000),
            }  # fmt: skip
            outcome, answered, cause = self._words[kind_index]
            billed = self._decided(number, lot_id, day) if answered == Billed.UNKNOWN else answered
            batch.calls.append(Call(
                number, stamp(at), stamp(at + deadline_us), stamp(end), outcome, billed, answered, cause,
                kind.code, kind.http_status, _request_id(chance.getrandbits(128)), latency, kind.attempts, operator.id,
                operator.name, operator.department_id, use.id, use.legal_basis, use.consent, lot_id, held, left,
                sent[use.id], self._finished[kind_index], *parts(index, kind, id_number), self._blind(reference),
                seal(content.encode(), f"identity:{number}"),
            ))  # fmt: skip
            hour = hours[at // QUARTER_US]
            by_day.append((
                outcome, billed, SOURCE, operator.id, operator.department_id, use.id, lot_id or 0, cause or "",
            ))  # fmt: skip
            by_hour.append((hour, *by_day[-1]))
            answered_in.append((hour, bucket_of(latency)))
            if outcome in TOLD:
                batch.told.append(batch.calls[-1])
        batch.days += [(day.isoformat(), *key, calls) for key, calls in Counter(by_day).items()]
        batch.hours += [(*key, calls) for key, calls in Counter(by_hour).items()]
        batch.latencies += [(*key, calls) for key, calls in Counter(answered_in).items()]

    def _blind(self, reference: str) -> bytes | None:
        return self._sealer.index("reference", reference) if reference else None

    def _somebody(self, today: int) -> int:
        """The number of somebody new, or of one who has not been here since the day before yesterday: a recent result
        would have been shown instead of a call."""
        chance, seen = self._chance.random, self._seen
        if chance() < NEW_PEOPLE or seen[index := int(chance() * len(seen))] > today - NOT_AGAIN_FOR:
            index = len(seen)
            seen.append(today)
        seen[index] = today
        return index

    def _decided(self, verification_id: int, lot_id: int | None, day: date) -> str:
        """Whether an unknown outcome is settled by now, and how."""
        due = day + timedelta(days=self._chance.randint(1, 4))
        if due > self.days[-1] - timedelta(days=1):
            return Billed.UNKNOWN.value
        lapsed = lot_id is not None and self._stock.lots[lot_id].expires_on < due
        charged = lapsed or self._chance.random() < CHARGED_SHARE
        self._open.append(_Open(due, verification_id, lot_id, charged))
        return (Billed.YES if charged else Billed.NO).value


@cache
def _clock() -> list[str]:
    """Every second of a day."""
    return [f"{hour:02}:{minute:02}:{second:02}" for hour in range(24) for minute in range(60) for second in range(60)]


def _stamps(midnight: datetime) -> Callable[[int], str]:
    """Writes instants, given as microseconds after `midnight`, as both databases read them: UTC, without its name."""
    utc = midnight.astimezone(UTC)
    offset = (utc.hour * 3600 + utc.minute * 60 + utc.second) * SECOND_US
    clock, days = _clock(), [f"{utc + timedelta(days=ahead):%Y-%m-%d}" for ahead in range(3)]

    def stamp(micros: int) -> str:
        day, rest = divmod(offset + micros, DAY_US)
        second, fraction = divmod(rest, SECOND_US)
        return f"{days[day]} {clock[second]}.{fraction:06}"

    return stamp


def _request_id(number: int) -> str:
    """A request id as the gateway writes them: a UUID in capitals."""
    text = f"{number:032X}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
