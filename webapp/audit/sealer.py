"""The sealer: closes a segment of the trail every second, away from those who append to it.

**A segment closes only what can no longer grow.** A record whose number is missing may be of a transaction that is
still under way, which PostgreSQL lets commit after others with higher numbers. So:

1. Up to the first missing number nothing can join: numbers are given once. That much is closed at once.
2. Beyond it the sealer waits until everyone has ended who held the table's insert lock *after* the missing number was
   seen: an INSERT takes that lock before it draws its number, and keeps it until its rows can be seen. Then it reads
   again, and what is missing still was rolled back. Where that takes too long, the rest is left for the next second.

SQLite has one writer at a time, which gives each record a higher number than all before it: nothing is under way there.

**Only what carries our stamp is closed** (`stamps`). What does not is passed by and told (`refusals`): it never keeps
what is genuine from being sealed.

Nothing is locked while records are read. The one row that is written is the next segment; of two sealers who made the
same one, the second stores nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import select, text

from webapp.audit import chain, refusals, stored
from webapp.audit.refusals import Odd, Span
from webapp.audit.segments import AuditSegment
from webapp.audit.stamps import is_stamped
from webapp.audit.stored import Record, Segment, as_stored
from webapp.foundation import key_ring
from webapp.foundation.database import db, end_read, insert_once, insert_rows, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.keys import Keys
from webapp.foundation.sealing import derive

MOST = 5_000
"""Records of a segment; more only where others were late."""
PAUSE, PAUSES = 0.02, 25
"""Seconds between two looks at who is under way, and how many looks there are."""
_UNDER_WAY = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'audit_record'::regclass "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND mode = 'RowExclusiveLock' AND granted"
)


def secrets_of(keys: Keys) -> dict[str, bytes]:
    """What seals are checked with, by the id of the audit key; the first makes new ones."""
    return {key.id: derive(key, "audit chain").secret for key in keys.audit}


Alarm = Callable[[Odd, datetime], None]
"""Is told what should not be, in every pass that meets it."""


def seal_next(keys: Keys, now: datetime, alarm: Alarm | None = None) -> bool:
    """Closes the next segment; False where nothing can be closed. Raises `KeyMissing` where it cannot tell whose a
    record is."""
    end_read()
    number, last_id, previous = _end()
    records, refused = _next(last_id, keys)
    end_read()
    if refused and (others := _other_keys()) is not None:
        return seal_next(others, now, alarm)
    missing = _missing(last_id, refused, records)
    sealed = False
    if records:
        passed = Odd(refusals.span([one for one in refused if one < records[-1].id]), missing)
        sealed = _store(_segment(number + 1, previous, records, keys, now), passed, now)
    if alarm is not None and (refused or (sealed and missing)):
        alarm(Odd(refusals.span(refused), missing), now)
    return sealed


def _other_keys() -> Keys | None:
    """The keys that came since the job looked, if any: a stamp may be under one of them, and what is passed by is
    passed by for good. Raises `KeyMissing` where one is not here."""
    before = this_instance().keys
    key_ring.heed_anew()
    return this_instance().keys if this_instance().keys != before else None


def seal_as_found(keys: Keys, now: datetime) -> None:
    """Closes all that is not sealed, stamped or not, in the transaction of a caller who has loaded records in bulk into
    an empty instance. Nobody else may be adding any."""
    number, last_id, previous = _end()
    while records := list(stored.records(last_id, most=MOST)):
        number, last_id = number + 1, records[-1].id
        segment = _segment(number, previous, records, keys, now, chain.FOUND)
        insert_rows(AuditSegment, segment)
        previous = segment["seal"]


class Ready(NamedTuple):
    """Records without stamps whose seals were made before they were stored, see `chain.seals_encoded`."""

    first_id: int
    last_id: int
    records: int
    content: bytes
    marks: bytes


def seal_ready(ready: Sequence[Ready], keys: Keys, now: datetime) -> None:
    """As `seal_as_found`, of what was stored next."""
    number, last_id, previous = _end()
    for one in ready:
        if one.first_id <= last_id:
            raise ValueError(f"records from {one.first_id} on are sealed already")
        number, last_id = number + 1, one.last_id
        segment = _sealed(number, previous, one, keys, now, chain.FOUND)
        insert_rows(AuditSegment, segment)
        previous = segment["seal"]


def _next(above: int, keys: Keys) -> tuple[list[Record], list[int]]:
    """The genuine records that can be closed next, and the numbers of those that were passed by to find them."""
    refused: list[int] = []
    while closed := _closed(above):
        genuine = [record for record in closed if is_stamped(record, keys)]
        known = {record.id for record in genuine}
        refused += [record.id for record in closed if record.id not in known]
        if genuine:
            return genuine, refused
        above = closed[-1].id
    return [], refused


def _missing(above: int, refused: Sequence[int], records: Sequence[Record]) -> Span | None:
    """What was removed before it was sealed. SQLite leaves no number out; on PostgreSQL a transaction that was rolled
    back does."""
    if db.engine.dialect.name != "sqlite" or not records:
        return None
    passed = (number for number in refused if number < records[-1].id)
    return refusals.gaps(above, sorted([*passed, *(record.id for record in records)]))


def _store(segment: dict[str, Any], odd: Odd, now: datetime) -> bool:
    with transaction():
        if not insert_once(AuditSegment, **segment):
            return False
        refusals.record(odd, now)
        return True


def _end() -> tuple[int, int, bytes]:
    """Number, last record and seal of the newest segment."""
    newest = select(AuditSegment.number, AuditSegment.last_id, AuditSegment.seal).order_by(AuditSegment.number.desc())
    found = db.session.execute(newest.limit(1)).first()
    return (found.number, found.last_id, found.seal) if found else (0, 0, chain.GENESIS)


def _closed(above: int) -> list[Record]:
    """The next records, as far as nothing can join them any more."""
    found = list(stored.records(above, most=MOST))
    whole = [record for record, number in zip(found, count(above + 1), strict=False) if record.id == number]
    if len(whole) == len(found) or not _all_have_ended():
        return whole
    return list(stored.records(above, upto=found[-1].id))


def _all_have_ended() -> bool:
    """Whether those who are adding records now have ended soon."""
    if db.engine.dialect.name != "postgresql":
        return True
    adding = _adding()
    for _look in range(PAUSES):
        if not adding:
            return True
        time.sleep(PAUSE)
        adding &= _adding()
    return False


def _adding() -> set[str]:
    found = set(db.session.scalars(_UNDER_WAY))
    end_read()
    return found


def _segment(
    number: int, previous: bytes, records: Sequence[Record], keys: Keys, now: datetime, kind: str = chain.STAMPED
) -> dict[str, Any]:
    content, marks = chain.seals(next(iter(secrets_of(keys).values())), (record.row for record in records))
    ready = Ready(records[0].id, records[-1].id, len(records), content, marks)
    return _sealed(number, previous, ready, keys, now, kind)


def _sealed(number: int, previous: bytes, ready: Ready, keys: Keys, now: datetime, kind: str) -> dict[str, Any]:
    key_id, secret = next(iter(secrets_of(keys).items()))
    found = Segment(
        number=number, first_id=ready.first_id, last_id=ready.last_id, records=ready.records,
        sealed_at=as_stored(now), key_id=key_id, previous=previous,
        content=ready.content, seal=b"", marks=ready.marks,
    )  # fmt: skip
    return found._asdict() | {"sealed_at": now, "seal": chain.seal(secret, kind, found[:-1])}
