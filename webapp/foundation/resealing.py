"""Sealing a table anew, batch by batch: the rows themselves say which key they are under.

A batch is read and sealed anew outside of any transaction, then stored where nothing has changed meanwhile: others
wait for a few milliseconds. What was changed, or could not be stored, is still under the old key: it is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, bindparam, func, select, tuple_, update

from webapp.foundation.database import Base, db, must_write
from webapp.foundation.sealing import CannotOpen, KeyMissing, Sealer

Place = list[Any]
"""The key of a row: where the next batch begins behind."""


@dataclass(slots=True)
class Batch:
    """Rows that are not under the keys in use: as they are to be stored, up to which row, and which do not open."""

    upto: Place
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    broken: int = 0


class Part(Protocol):
    """Something that is renewed: one table's sealed column, with the blind indexes made from it."""

    name: str

    def fetch(self, after: Place | None, sealer: Sealer) -> Batch | None:
        """The next rows behind `after` that are not under the keys in use, renewed; None: there are none. Raises
        `KeyMissing`."""

    def store(self, batch: Batch, sealer: Sealer) -> int:
        """Stores what is still as it was read, in the caller's transaction; returns how many."""

    def count(self) -> int:
        """How many rows there are."""


def is_old(column: ColumnElement[Any], sealer: Sealer) -> ColumnElement[bool]:
    """Whether a sealed column is under another key (or algorithm) than what is sealed now."""
    head = sealer.head
    return func.substr(column, 1, len(head)) != head


def reopen(sealed: bytes, place: str, sealer: Sealer, batch: Batch) -> bytes | None:
    """The opened blob; None, and counted, where it is broken for good. Raises `KeyMissing`."""
    try:
        return sealer.open(sealed, place)
    except CannotOpen as error:
        if isinstance(error, KeyMissing) and error.key_id not in sealer.retired:
            raise
        batch.broken += 1
        return None


def lock_free(key: Sequence[ColumnElement[Any]], named: Sequence[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Those of the named rows that nobody else holds, locked in the caller's transaction. Who destroys some at this
    moment is not waited for: two who wait for each other would both fail. The next pass finds the others."""
    free = select(*key).where(tuple_(*key).in_(named)).with_for_update(skip_locked=True)
    return {tuple(found) for found in must_write().connection().execute(free)}


class SealedTable:
    """A table whose one sealed column stands for itself."""

    def __init__(self, column: Column[Any], most: int = 200) -> None:
        self._column, self._table, self._most = column, column.table, most
        self._place = str(column.info["sealed"])
        self._key = list(self._table.primary_key.columns)
        self.name = str(self._table.name)

    def fetch(self, after: Place | None, sealer: Sealer) -> Batch | None:
        query = select(*self._key, self._column).where(is_old(self._column, sealer))
        if after is not None:
            query = query.where(tuple_(*self._key) > tuple_(*after))
        found = db.session.execute(query.order_by(*self._key).limit(self._most)).all()
        if not found:
            return None
        batch = Batch(list(found[-1])[:-1])
        for *key, sealed in found:
            place = self._place.format(**dict(zip((one.name for one in self._key), key, strict=True)))
            content = reopen(sealed, place, sealer, batch)
            if content is not None:
                named = {f"key_{number}": value for number, value in enumerate(key)}
                batch.rows.append(named | {"before": sealed, "after": sealer.seal(content, place)})
        return batch

    def store(self, batch: Batch, sealer: Sealer) -> int:
        named = [tuple(row[f"key_{number}"] for number, _one in enumerate(self._key)) for row in batch.rows]
        mine = lock_free(self._key, named)
        rows = [row for row, key in zip(batch.rows, named, strict=True) if key in mine]
        same = [one == bindparam(f"key_{number}") for number, one in enumerate(self._key)]
        renew = update(self._table).where(*same, self._column == bindparam("before"))
        statement = renew.values({self._column: bindparam("after")})
        return must_write().connection().execute(statement, rows).rowcount if rows else 0

    def count(self) -> int:
        return db.session.scalar(select(func.count()).select_from(self._table)) or 0


def sealed_columns() -> Sequence[Column[Any]]:
    """Every column that says of itself that it is sealed."""
    tables = Base.metadata.sorted_tables
    return [column for table in tables for column in table.columns if "sealed" in column.info]
