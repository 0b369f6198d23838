"""Each row that is sealed or indexed beside the keys of the database, by the key that it names. Nothing is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, ColumnElement, and_, func, or_, select

from webapp.checking.calls import MOST_NAMED
from webapp.foundation import key_ring
from webapp.foundation.database import Base, db
from webapp.foundation.instance import this_instance
from webapp.foundation.key_ring import Ring
from webapp.foundation.resealing import sealed_columns
from webapp.foundation.sealing import ALGORITHMS, CannotOpen, Sealer, head_of, make_head

HEAD = 20
"""Bytes of a blob that say how it was sealed, at most: an id has up to 16."""


def differences() -> Iterator[str]:
    """Rows whose key was retired, or is none of this database's, table by table."""
    sealer = this_instance().sealer
    ring = key_ring.read(sealer) or _held(sealer)
    for column in sealed_columns():
        yield from _sealed(column, ring)
    for column in _index_keys():
        yield from _indexed(column, ring)


def _held(sealer: Sealer) -> Ring:
    """Of a database that was never served: whatever key is here may be in use."""
    data, index = sealer.data_fingerprints(), sealer.index_fingerprints()
    return Ring(data, index, sealer.sealing, sealer.indexing)


def _sealed(column: Column[Any], ring: Ring) -> Iterator[str]:
    heads = [make_head(number, name) for name in ring.data for number in ALGORITHMS]
    others = and_(column.is_not(None), *(func.substr(column, 1, len(head)) != head for head in heads))
    for row, start in _rows(column, func.substr(column, 1, HEAD), others):
        place = column.info["sealed"].format(**row)
        try:
            algorithm, key = head_of(start)
        except CannotOpen:
            algorithm, key = 0, ""
        if algorithm not in ALGORITHMS:
            yield _("%(row)s is not sealed in any way that this version knows", row=place)
        else:
            yield _under(_("%(row)s is sealed under key %(key)s", row=place, key=key), f"data {key}" in ring.retired)


def _indexed(column: Column[Any], ring: Ring) -> Iterator[str]:
    strange = column.not_in(list(ring.index))
    for row, key in _rows(column, column, or_(strange, column.is_(None)) if _any_retired(ring) else strange):
        name = ":".join((str(column.table.name), *map(str, row.values())))
        said = _("%(row)s is found under index key %(key)s", row=name, key=key or "–")
        yield _under(said, key is None or f"index {key}" in ring.retired)


def _under(said: str, retired: bool) -> str:
    why = _("which was retired") if retired else _("which is no key of this database")
    return _("%(said)s, %(why)s", said=said, why=why)


def _any_retired(ring: Ring) -> bool:
    """Whether an index key ever was: then no row is left that does not say which it is under."""
    return any(name.startswith("index ") for name in ring.retired)


def _index_keys() -> list[Column[Any]]:
    """The columns that say under which index key a row is found."""
    columns = [column for table in Base.metadata.sorted_tables for column in table.columns]
    named = dict.fromkeys(str(one.info["blind"]) for one in columns if "blind" in one.info)
    return [one for one in columns if f"{one.table.name}.{one.name}" in named]


def _rows(
    column: Column[Any], what: ColumnElement[Any], others: ColumnElement[bool]
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Key and `what` of rows that are among the `others`, in the order of their keys."""
    key = list(column.table.primary_key.columns)
    found = select(*key, what).where(others).order_by(*key).limit(MOST_NAMED)
    for *values, value in db.session.execute(found):
        yield dict(zip((one.name for one in key), values, strict=True)), value
