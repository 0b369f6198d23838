"""Rows of the trail as they lie in the database, for sealing and verifying: nothing is lost, whatever stands there.

Models would read different things alike (two ways to write one time or one JSON object) and fail over what they cannot
read. Rows come a page at a time: any number of them takes the memory of one page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import TextClause, bindparam, text

from webapp.audit.chain import Row
from webapp.foundation.database import db, must_write

_FIRST, _LAST = -(2**63), 2**63 - 1
_TIMES = "at", "sealed_at", "dropped_at"
_AS_TEXT = {name: f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')" for name in _TIMES} | {
    "detail": "CAST(detail AS text)"
}
"""PostgreSQL's columns of more than plain values: written as they lie in an SQLite file."""


class Record(NamedTuple):
    """A row of `audit_record`. A column that joins the table needs another kind of record in `chain`."""

    id: int
    at: str
    actor_id: int | None
    actor: str
    action: str
    object_type: str
    object_id: int | None
    success: int
    address: str
    request_id: str
    detail: str
    subject: bytes | None
    shown: int | None
    stamp: bytes | None
    """See `stamps`; None in records from before there were any, and in those that were loaded in bulk."""

    @property
    def row(self) -> Row:
        """What the chain is made over. Records from before there were stamps are sealed without the last two fields."""
        return self[:-2] if self.stamp is None and self.shown is None else self


class Segment(NamedTuple):
    """A row of `audit_segment`."""

    number: int
    first_id: int
    last_id: int
    records: int
    sealed_at: str
    key_id: str
    previous: bytes
    content: bytes
    marks: bytes
    seal: bytes

    @property
    def row(self) -> Row:
        """What the seal is made over, and the seal."""
        return self


class Checkpoint(NamedTuple):
    """A row of `audit_checkpoint`."""

    number: int
    last_id: int
    records: int
    dropped_at: str
    key_id: str
    head: bytes
    left_out: str
    """See `gaps`; of no gap at all nothing."""
    seal: bytes

    @property
    def row(self) -> Row:
        """What the seal is made over, and the seal. Nothing left out is sealed as before anything could be."""
        return self if self.left_out else (*self[:-2], self.seal)


_Kind = TypeVar("_Kind", Record, Segment, Checkpoint)
_PAGE: dict[type, int] = {Record: 1_000, Segment: 50, Checkpoint: 2}
"""A segment takes up to 60 KB."""
_NEXT = {
    "sqlite": "SELECT coalesce(max(id), 0) + 1 FROM audit_record",
    # Takes the table's insert lock before the number, as the INSERT itself would: the sealer waits for who holds it.
    "postgresql": "WITH lock AS (DELETE FROM audit_record WHERE false) SELECT nextval('audit_record_id_seq')",
}
_ADD = f"INSERT INTO audit_record ({', '.join(Record._fields)}) VALUES"
_VALUES = {
    "sqlite": f"{_ADD} ({', '.join('?' * len(Record._fields))})",
    "postgresql": f"{_ADD} ({', '.join(['%s'] * len(Record._fields))})",
}


def as_stored(instant: datetime) -> str:
    """An instant as it lies in the database."""
    return instant.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def time_of(text: object) -> datetime | None:
    """The instant that is written so, as `as_stored` does or in another way; None where none is."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) else None
    except ValueError:
        return None


def plain(value: object) -> str:
    """What stands in a column of text, as text that can be written: nobody but a tamperer stores anything else."""
    return str(value).encode("utf-8", "replace").decode()


def next_number() -> int:
    """The number of the record that is added next in the caller's transaction. None is given to two."""
    connection = must_write().connection()
    return int(connection.exec_driver_sql(_NEXT[connection.dialect.name]).scalar_one())


def add(record: Record) -> None:
    """Adds a record in the caller's transaction, with these very values: what was stamped is what is stored."""
    connection = must_write().connection()
    connection.exec_driver_sql(_VALUES[connection.dialect.name], tuple(record))


def records(above: int | None = None, upto: int | None = None, most: int | None = None) -> Iterator[Record]:
    """Records by number, from the first above `above` to `upto`, no more than `most`."""
    return _rows("audit_record", Record, above, upto, most)


def some(numbers: Collection[int]) -> list[Record]:
    """The records of these numbers that are there, in any order; a few hundred at most."""
    query = _columns("audit_record", Record._fields, "id IN :numbers").bindparams(bindparam("numbers", expanding=True))
    with lossless():
        return [Record(*row) for row in db.session.execute(query, {"numbers": list(numbers)})]


def segments(above: int | None = None, most: int | None = None) -> Iterator[Segment]:
    """Segments by number, from the first above `above`, no more than `most`."""
    return _rows("audit_segment", Segment, above, most=most)


def checkpoints() -> Iterator[Checkpoint]:
    """All checkpoints: one, or none."""
    return _rows("audit_checkpoint", Checkpoint)


def _rows(
    table: str, kind: type[_Kind], above: int | None = None, upto: int | None = None, most: int | None = None
) -> Iterator[_Kind]:
    """Rows by their first column, a page at a time."""
    query = _query(table, kind._fields)
    last, left = _FIRST if above is None else above, _LAST if most is None else most
    while left > 0:
        size = min(_PAGE[kind], left)
        with lossless():
            page = db.session.execute(query, {"above": last, "upto": _LAST if upto is None else upto, "size": size})
            found = [kind(*row) for row in page]
        yield from found
        if len(found) < size:
            return
        last, left = found[-1][0], left - size


def _query(table: str, names: tuple[str, ...]) -> TextClause:
    key = names[0]
    return _columns(table, names, f"{key} > :above AND {key} <= :upto ORDER BY {key} LIMIT :size")


def _columns(table: str, names: tuple[str, ...], where: str) -> TextClause:
    postgres = db.engine.dialect.name == "postgresql"
    columns = ", ".join(_AS_TEXT.get(name, name) if postgres else name for name in names)
    return text(f"SELECT {columns} FROM {table} WHERE {where}")  # noqa: S608  # our own names


@contextmanager
def lossless() -> Iterator[None]:
    """Lets SQLite hand over text that is no UTF-8, which nobody but a tamperer stores, instead of failing over it."""
    connection: Any = db.session.connection().connection.driver_connection
    if db.engine.dialect.name != "sqlite":
        yield
        return
    before, connection.text_factory = connection.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before
