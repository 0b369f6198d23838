"""Walks the trail for the records about one person, by their numbers, one bounded piece at a request, to the first.

Some records name the person, by a fingerprint or a verification: indexes find them. Pages and files are found by blocks
(`webapp.audit.showing`) and must be opened to know whether the person stood in them. What cannot be known, since the
record is not ours or cannot be read, is shown as such: else whoever changes a record hides a look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from webapp.audit import showing, stored
from webapp.audit.rows import detail_of
from webapp.audit.standing import Standing, standings_of
from webapp.audit.stored import Record
from webapp.audit.trail import LISTED, Action, AuditRecord
from webapp.foundation.database import db
from webapp.foundation.keys import Keys

SIZE = 100
OPENED = 5_000
"""Records that a request opens: pages and pieces of files that may hold the person. Those of the last file come on top,
of which there are as many as it has pieces."""
STRETCH, STRETCHES = 100_000, 20
"""Numbers of records that are asked for at once, and how often at a request."""
AT_ONCE = 100


@dataclass(frozen=True)
class Sought:
    """Whom a walk is for: `direct`: records that name the person; `ids`: their verifications, ascending."""

    direct: ColumnElement[bool]
    ids: Sequence[int]
    keys: Keys

    @cached_property
    def blocks(self) -> list[int]:
        """All that a record which holds one of the verifications may be found by."""
        return sorted({block for number in self.ids for block in showing.blocks_of(number)})


class Piece(NamedTuple):
    """Records, newest first; which of them only may be about the person; the number up to which all were looked
    through; and from which ones to go on (None: nothing there)."""

    records: Sequence[Record]
    unsure: frozenset[int]
    reached: int
    newer: int | None
    older: int | None


class _Way(NamedTuple):
    """From one number to another, both included, up or down."""

    begin: int
    end: int
    upward: bool

    @property
    def condition(self) -> ColumnElement[bool]:
        return AuditRecord.id.between(min(self.begin, self.end), max(self.begin, self.end))

    def holds(self, number: int) -> bool:
        return min(self.begin, self.end) <= number <= max(self.begin, self.end)

    def ordered(self, numbers: Sequence[int] | set[int]) -> list[int]:
        return sorted(numbers, reverse=not self.upward)

    def stretches(self) -> Iterator[_Way]:
        """The next parts of it that hold any record at all: whoever forges one number of 2^62 keeps nobody from the
        others by that."""
        number, step = AuditRecord.id, 1 if self.upward else -1
        nearest = func.min(number) if self.upward else func.max(number)
        at = self.begin
        for _turn in range(STRETCHES):
            there = db.session.scalar(select(nearest).where(_Way(at, self.end, self.upward).condition))
            begin = self.end if there is None else there
            last = begin + step * (STRETCH - 1)
            yield _Way(begin, min(last, self.end) if self.upward else max(last, self.end), self.upward)
            at = last + step
            if (at > self.end) if self.upward else (at < self.end):
                return


def piece(sought: Sought, *, below: int | None = None, above: int | None = None) -> Piece:
    """The next records about the person below or above a number; the newest where none is given."""
    # One by one: asked for both at once, SQLite reads the whole trail.
    oldest, newest = (db.session.scalar(select(end(AuditRecord.id))) or 0 for end in (func.min, func.max))
    if above is not None:
        way = _Way(max(above + 1, oldest), newest, upward=True)
    else:
        way = _Way(newest if below is None else min(below - 1, newest), oldest, upward=False)
    is_there = way.begin <= way.end if way.upward else way.begin >= way.end
    found, reached = _found(sought, way) if is_there else ({}, way.end)
    records = sorted(stored.some(list(found)), key=lambda record: record.id, reverse=True)
    ends = (way.begin, reached) if way.upward else (reached, way.begin)
    return Piece(
        records, frozenset(number for number, sure in found.items() if not sure), reached,
        newer=ends[1] if ends[1] < newest else None, older=ends[0] if ends[0] > oldest else None,
    )  # fmt: skip


def _found(sought: Sought, way: _Way) -> tuple[dict[int, bool], int]:
    """The next `SIZE` records, each with whether it is surely about the person; and up to where all are known."""
    direct = _numbers(way, sought.direct, most=SIZE + 1)
    edge = direct[SIZE] if len(direct) > SIZE else way.end
    held, seen = _held(sought, _Way(way.begin, edge, way.upward)) if sought.ids else ({}, edge)
    known = _Way(way.begin, seen, way.upward)
    numbers = way.ordered({*held, *(number for number in direct if known.holds(number))})
    reached = numbers[SIZE - 1] if len(numbers) > SIZE else seen
    return {number: number in direct or held[number] for number in numbers[:SIZE]}, reached


def _numbers(way: _Way, *wanted: ColumnElement[bool], most: int) -> list[int]:
    # By a sum, or the database would rather walk the whole trail from its end than ask the indexes of what is wanted.
    number = AuditRecord.id + 0
    query = select(AuditRecord.id).where(*wanted, way.condition).order_by(number if way.upward else number.desc())
    return list(db.session.scalars(query.limit(most)))


def _held(sought: Sought, way: _Way) -> tuple[dict[int, bool], int]:
    """Pages and fetched files that hold the person, or may; and up to where all are known."""
    record = AuditRecord
    pages = record.shown.in_(sought.blocks), or_(record.action != Action.EXPORT_ROWS, record.object_id.is_(None))
    fetched = _numbers(way, record.action == Action.EXPORT_FETCHED, record.object_type == "export", most=OPENED)
    held: dict[int, bool] = {}
    opened, seen = 0, way.begin
    for stretch in way.stretches():
        some = _numbers(stretch, *pages, most=OPENED - opened)
        for one in _read(stretch.ordered({*some, *filter(stretch.holds, fetched)})):
            is_file = one.action == Action.EXPORT_FETCHED
            is_held, cost = _file_holds(one, sought) if is_file else (_holds(one, sought), 1)
            opened += cost
            if is_held is not False:
                held[one.id] = is_held is True
            if opened >= OPENED or len(held) > SIZE:
                return held, one.id
        seen = stretch.end
    return held, seen


def _read(numbers: Sequence[int]) -> Iterator[Record]:
    for first in range(0, len(numbers), AT_ONCE):
        some = numbers[first : first + AT_ONCE]
        there = {record.id: record for record in stored.some(some)}
        yield from (there[number] for number in some if number in there)


def _file_holds(fetched: Record, sought: Sought) -> tuple[bool | None, int]:
    """Whether the file holds the person (None: cannot be known), and how many records were opened for it."""
    record, opened = AuditRecord, 1
    rows = record.object_type == "export", record.object_id == fetched.object_id, record.action == Action.EXPORT_ROWS
    before = record.shown.in_(sought.blocks), record.id < fetched.id
    is_held: bool | None = False
    for one in _read(db.session.scalars(select(record.id).where(*rows, *before)).all()):
        opened += 1
        found = _holds(one, sought)
        if found:
            return True, opened
        is_held = None if found is None else is_held
    return is_held, opened


def _holds(record: Record, sought: Sought) -> bool | None:
    try:
        if showing.holds(str(detail_of(record.detail).get(LISTED, "")), sought.ids):
            return True
    except ValueError:  # nobody but a tamperer stores such a list
        return None
    return None if standings_of([record], sought.keys)[record.id] == Standing.NOT_OURS else False
