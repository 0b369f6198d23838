"""Writes the calls of one day as rows, column by column. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from webapp.demo.orders import Operator, Orders, Use
from webapp.demo.outcomes import KINDS
from webapp.demo.parts import Part, Parts
from webapp.demo.records import Records
from webapp.demo.register import Known, Register, Way
from webapp.demo.rows import Batch, Told
from webapp.demo.year import QUARTERS
from webapp.foundation.clock import start_of
from webapp.foundation.sealing import Sealer
from webapp.usage.hours import hour_of
from webapp.usage.latency import bucket_of
from webapp.vendor.contract import Outcome

SECOND_US, DAY_SECONDS = 1_000_000, 86_400
QUARTER, QUARTER_US = timedelta(minutes=15), 900_000_000
SOURCE = "desk"
"""As `verification.models.Source` names it."""
TOLD = {place for place, one in enumerate(KINDS) if one.outcome in (Outcome.UNKNOWN, Outcome.UNEXPECTED)}
WORDS = [(one.outcome.value, one.cause.value if one.cause else "") for one in KINDS]


@dataclass(slots=True)
class Day:
    """The calls of one day, a column each, in order. `begun` and `ended` are microseconds after midnight."""

    day: date
    ids: Sequence[int]
    begun: list[int]
    ended: list[int]
    kinds: list[int]
    billed: list[str]
    latencies: list[int]
    operators: list[Operator]
    purposes: list[Use]
    people: list[int]
    request_ids: str
    """32 hexadecimal digits for each call."""
    lots: list[int | None]
    held: list[int]
    left: list[int]
    order: list[int]
    """Of holds and answers in time: twice a call's place, and one more for its answer."""


class Days:
    """Writes one day after the other."""

    def __init__(self, orders: Orders, sealer: Sealer) -> None:
        self._orders, self._sealer, self._register = orders, sealer, Register()
        self._parts = Parts(sealer.index)
        self._templates = [(one.sealed(""), one.sealed("%(reference)s")) for one in KINDS]
        self._ways = [int(one.way) for one in KINDS]
        self._bucket = cache(bucket_of)

    def write(self, day: Day, records: Records, batch: Batch) -> None:
        """Adds the day to a batch, and to the records of the trail."""
        midnight, person, ways = start_of(day.day, self._orders.zone), self._register.person, self._ways
        people = [person(index, ways[kind]) for index, kind in zip(day.people, day.kinds, strict=True)]
        operators, purposes = [one.id for one in day.operators], [use.id for use in day.purposes]
        begun, ended = stamps(midnight, day.begun), stamps(midnight, day.ended)
        deadline = self._orders.deadline // timedelta(microseconds=1)
        references = [f"{use.prefix}{day.day:%y}-{number:07}" if use.prefix else ""
                      for use, number in zip(day.purposes, day.ids, strict=True)]  # fmt: skip
        numbers = [index * 2 + (ways[kind] == Way.NOBODY) for index, kind in zip(day.people, day.kinds, strict=True)]
        batch.calls += zip(
            day.ids, begun, stamps(midnight, [at + deadline for at in day.begun]), ended, day.kinds, day.billed,
            _request_ids(day.request_ids), day.latencies, operators, purposes, day.lots, day.held, day.left,
            numbers, [one.spelled for one in people], [one.ends for one in people],
            [self._sealer.index("reference", one) if one else None for one in references], strict=True,
        )  # fmt: skip
        batch.identities += self._sealed(day, people, references)
        self._find(numbers, people, batch)
        records.calls(day.ids, begun, ended, operators, purposes, day.kinds, day.order)
        batch.told += [Told(day.ids[place], ended[place], kind, day.billed[place])
                       for place, kind in enumerate(day.kinds) if kind in TOLD]  # fmt: skip
        self._count(day, midnight, batch)

    def _sealed(self, day: Day, people: list[Known], references: list[str]) -> Iterable[tuple[int, bytes, str]]:
        """The people of the day, as rows of `Identity`."""
        today, templates = int(f"{day.day:%Y%m%d}"), self._templates
        contents = (
            (f"identity:{number}", (templates[kind][bool(reference)] % {
                "name": one.name, "number": one.number, "reference": reference,
                "birthday": (birthday := one.number[6:14]), "sex": "FM"[ord(one.number[16]) & 1],
                "age": (today - int(birthday)) // 10_000,
            }).encode())
            for number, kind, one, reference in zip(day.ids, day.kinds, people, references, strict=True)
        )  # fmt: skip
        key = self._sealer.indexing
        return zip(day.ids, self._sealer.seal_all(contents), [key] * len(people), strict=True)

    def _find(self, numbers: list[int], people: list[Known], batch: Batch) -> None:
        id_numbers = [one.number for one in people]
        for part, which, texts in (
            (Part.NUMBER, numbers, id_numbers),
            (Part.NAME, [one.spelled for one in people], [one.name for one in people]),
            (Part.LAST_FOUR, [one.ends for one in people], id_numbers),
            (Part.PLACE, [0], [""]),
        ):
            batch.parts += self._parts.new(part, which, texts)

    def _count(self, day: Day, midnight: datetime, batch: Batch) -> None:
        starts = [hour_of(midnight + QUARTER * number, self._orders.zone) for number in range(QUARTERS)]
        written = [f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000000" for start in starts]
        hours = [written[at // QUARTER_US] for at in day.begun]
        found = Counter(zip(hours, day.kinds, day.billed, day.operators, day.purposes, day.lots, strict=True))
        whole: Counter[tuple[object, ...]] = Counter()
        for (hour, kind, billed, operator, use, lot), calls in found.items():
            outcome, cause = WORDS[kind]
            cell = outcome, billed, SOURCE, operator.id, operator.department_id, use.id, lot or 0, cause
            whole[cell] += calls
            batch.hours.append((hour, *cell, calls))
        batch.days += [(day.day.isoformat(), *cell, calls) for cell, calls in whole.items()]
        answered = Counter(zip(hours, map(self._bucket, day.latencies), strict=True))
        batch.latencies += [(*key, calls) for key, calls in answered.items()]


@cache
def _clock() -> list[str]:
    """Every second of a day."""
    seconds = (divmod(second, 60) for second in range(DAY_SECONDS))
    return [f" {minute // 60:02}:{minute % 60:02}:{second:02}." for minute, second in seconds]


def stamps(midnight: datetime, instants: Iterable[int]) -> list[str]:
    """Writes instants, given as microseconds after `midnight`, as both databases read them: UTC, without its name."""
    utc = midnight.astimezone(UTC)
    offset = (utc.hour * 3600 + utc.minute * 60 + utc.second) * SECOND_US
    clock, days = _clock(), [f"{utc + timedelta(days=ahead):%Y-%m-%d}" for ahead in range(3)]
    return [
        f"{days[(second := (at := offset + micros) // SECOND_US) // DAY_SECONDS]}{clock[second % DAY_SECONDS]}"
        f"{at % SECOND_US:06}"
        for micros in instants
    ]


def _request_ids(digits: str) -> list[str]:
    """Request ids as the gateway writes them: UUIDs in capitals."""
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}-{digits[at + 16 : at + 20]}-"
        f"{digits[at + 20 : at + 32]}"
        for at in range(0, len(digits), 32)
    ]
