"""Reads of the audit trail: pages by the place between two records, as quick at any depth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, false, func, literal, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from webapp.audit import stored
from webapp.audit.segments import AuditCheckpoint
from webapp.audit.stored import Record
from webapp.audit.trail import ANY, FAILED, NEVER_SUCCEED, Action, AuditRecord
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db, end_read

NOBODY = 0
"""Stands for whoever is no user: the product itself, and those who are not logged in."""
MOST_MICROS, MOST_ID = 2**52, 2**62
CHUNK, LOOKED_AT = 1_000, 100
_EPOCH, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_ACTORS = text(
    "WITH RECURSIVE known(id) AS (SELECT min(actor_id) FROM audit_record UNION ALL "
    "SELECT (SELECT min(actor_id) FROM audit_record WHERE actor_id > known.id) FROM known WHERE known.id IS NOT NULL) "
    "SELECT id, (SELECT actor FROM audit_record WHERE actor_id = known.id ORDER BY at DESC, id DESC LIMIT 1) "
    "FROM known WHERE id IS NOT NULL"
)
"""A step of the recursion is one look into an index: the price goes with the people, never with the records."""


Leading = Sequence[InstrumentedAttribute[Any]]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None: not filtered. Days are of the reporting zone, both included."""

    action: str | None = None
    actor: int | None = None
    object_type: str | None = None
    object_id: int | None = None
    success: bool | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self, zone: ZoneInfo) -> list[ColumnElement[bool]]:
        """As conditions of a query."""
        if self.success and self.action in NEVER_SUCCEED:
            return [false()]  # else every failure would be read to find none
        record = AuditRecord
        equal = {record.action: self.action, record.object_type: self.object_type, record.object_id: self.object_id}
        found: list[ColumnElement[bool]] = [one == value for one, value in equal.items() if value is not None]
        if self.actor is not None:
            found.append(record.actor_id.is_(None) if self.actor == NOBODY else record.actor_id == self.actor)
        if self.success is False and not found:
            found.append(text(ANY))  # type: ignore[arg-type]
        if self.success is not None:  # in the very words of the indexes that hold the failures only
            found.append(record.success if self.success else text(FAILED))  # type: ignore[arg-type]
        if self.first:
            found.append(record.at >= start_of(self.first, zone))
        if self.last:
            found.append(record.at < end_of(self.last, zone))
        return found

    @property
    def leading(self) -> tuple[InstrumentedAttribute[Any], ...]:
        """What the order begins with, one and the same in all that is wanted. PostgreSQL does not see that, neither of
        nobody nor of failures, and so takes the index of them: it may not walk the trail until enough have come."""
        nobody = (AuditRecord.actor_id,) if self.actor == NOBODY else ()
        return nobody if self.success is not False else (*nobody, AuditRecord.success)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the order of time."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICRO}-{self.id}"

    @staticmethod
    def read(written: str) -> Place | None:
        """The place that an address names; None where it names none."""
        found = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", written, re.ASCII)
        if found is None or not (int(found[1]) < MOST_MICROS and 0 < int(found[2]) < MOST_ID):
            return None
        return Place(_EPOCH + int(found[1]) * _MICRO, int(found[2]))


@dataclass(frozen=True, slots=True)
class Timeless:
    """Where a record stands whose time cannot be read: wherever the database puts it. It is found by its number."""

    id: int

    def __str__(self) -> str:
        return f"-{self.id}"


AnyPlace = Place | Timeless


def place_of(record: Record) -> AnyPlace:
    """Where a record stands in the order of pages."""
    at = stored.time_of(record.at)
    is_usual = at is not None and at >= _EPOCH and stored.as_stored(at) == record.at
    return Place(at, record.id) if at is not None and is_usual else Timeless(record.id)


def read_place(written: str) -> AnyPlace | None:
    """The place that an address names; None where it names none."""
    found = re.fullmatch(r"-([0-9]{1,18})", written, re.ASCII)
    if found is not None and 0 < int(found[1]) < MOST_ID:
        return Timeless(int(found[1]))
    return Place.read(written)


class Page(NamedTuple):
    """Records, newest first; `newer` and `older` are places to go on from (None: nothing there)."""

    records: Sequence[Record]
    newer: AnyPlace | None
    older: AnyPlace | None


def page(
    wanted: Sequence[ColumnElement[bool]], size: int, *, below: AnyPlace | None = None, above: AnyPlace | None = None,
    leading: Leading = (),
) -> Page:  # fmt: skip
    """One page of the wanted records: the next ones below or above a place, as they lie in the database. `leading`:
    see `Filters`."""
    query = select(AuditRecord.id).where(*wanted)
    place = tuple_(AuditRecord.at, AuditRecord.id)
    if above is not None:
        query = query.where(place > _sought(above)).order_by(*leading, AuditRecord.at, AuditRecord.id)
    else:
        query = query if below is None else query.where(place < _sought(below))
        query = query.order_by(*(column.desc() for column in (*leading, AuditRecord.at, AuditRecord.id)))
    ids = list(db.session.scalars(query.limit(size + 1)))
    there = {record.id: record for record in stored.some(ids)}
    found = [there[number] for number in ids if number in there]
    more, records = len(found) > size, found[:size]
    if above is not None:
        records.reverse()
    newer = bool(records) and (more if above is not None else below is not None)
    older = bool(records) and (above is not None or more)
    return Page(records, place_of(records[0]) if newer else None, place_of(records[-1]) if older else None)


def _sought(place: AnyPlace) -> Any:
    if isinstance(place, Place):
        return tuple_(literal(place.at, AuditRecord.at.type), literal(place.id))
    other = aliased(AuditRecord)
    return tuple_(select(other.at).where(other.id == place.id).scalar_subquery(), literal(place.id))


def every(wanted: Sequence[ColumnElement[bool]], leading: Leading = ()) -> Iterator[Record]:
    """All wanted records that are there when the first is asked for, newest first, with no transaction open between."""
    newest = db.session.scalar(select(func.max(AuditRecord.id))) or 0
    below: AnyPlace | None = None
    while True:
        found = page([*wanted, AuditRecord.id <= newest], CHUNK, below=below, leading=leading)
        end_read()
        yield from found.records
        below = found.older
        if below is None:
            return


def acts_on(kind: str, *, since: Action) -> Iterator[AuditRecord]:
    """What succeeded on objects of a kind since the last record of that action, if there is one; oldest first."""
    done = AuditRecord.object_type == kind, AuditRecord.success
    found = select(AuditRecord).where(*done, AuditRecord.id > newest_of(since)).order_by(AuditRecord.id)
    return iter(db.session.scalars(found.execution_options(yield_per=CHUNK)))


def newest_of(action: Action) -> int:
    """The number of the newest record of this action; 0: there is none."""
    return db.session.scalar(select(func.max(AuditRecord.id)).where(AuditRecord.action == action)) or 0


def newest_on(kind: str, ids: Sequence[int], actions: Sequence[Action]) -> dict[int, datetime]:
    """When one of these actions succeeded last on each of these objects of a kind; without those on which none did."""
    if not ids:
        return {}
    record = AuditRecord
    done = (
        record.object_type == kind, record.object_id.in_(ids), record.action.in_(actions), record.success,
        record.at.between(_EPOCH, _LAST),
    )  # fmt: skip
    newest = select(record.object_id, func.max(record.at)).where(*done).group_by(record.object_id)
    return {number: at for number, at in db.session.execute(newest) if number is not None and at is not None}


def is_whole() -> bool:
    """Whether no record was ever dropped."""
    return db.session.scalar(select(AuditCheckpoint.number).limit(1)) is None


def dropped_to() -> int | None:
    """The last record that was dropped; what was left before it is no whole trail. None: nothing was dropped."""
    return db.session.scalar(select(AuditCheckpoint.last_id).limit(1))


def oldest() -> datetime | None:
    """When the oldest record was made that stands behind all that was dropped, of those whose time can be read."""
    times = (stored.time_of(record.at) for record in stored.records(dropped_to(), most=LOOKED_AT))
    return next((at for at in times if at is not None), None)


def actors() -> list[tuple[int, str]]:
    """Everybody who ever did anything, by number, with the name they had last."""
    with stored.lossless():
        return [(number, stored.plain(name)) for number, name in db.session.execute(_ACTORS) if isinstance(number, int)]
