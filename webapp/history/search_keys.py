"""Finding verifications without reading them: by blind index, receipt or the vendor's request id, the newest first.

A key leads to its verifications in the order of their numbers, so a page of a search costs as much as any other.
Where further filters must hold too, the newest `LOOKED_AT` of a key are looked at for one page. Where these were not
enough, the verifications that fit the other filters are looked at instead if they are no more than that; else the
page says how far back it has looked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from webapp.foundation.database import db
from webapp.foundation.sealing import Sealer
from webapp.history import facts, long_names
from webapp.history.facts import Place, Scope
from webapp.history.filters import Cursor, Filters
from webapp.history.scans import Shape, V, fixed, in_order
from webapp.history.search_readings import Kind, Reading, readings
from webapp.receipts import queries as receipts
from webapp.verification.identities import place_value
from webapp.verification.models import IdentityIndex, IndexKind, ReuseReference, Verification

LOOKED_AT = 2_000
CLOCKS_DIFFER = timedelta(hours=1)
"""Verifications are stored in the order of time, but for clocks that differ by less than this."""
MOST_AT_ONCE = 5_000
"""Verifications that are stored meanwhile, at most."""

_FIRST, _LAST = 0, 2**62
_BY_BLIND: FromClause = IdentityIndex.__table__
_TABLES: dict[str, tuple[FromClause, str, str]] = {
    "identity": (_BY_BLIND, "verification_id", "blind"),
    "reuse": (ReuseReference.__table__, "verification_id", "blind"),
    "request": (V, "id", "request_id"),
    "number": (V, "id", "id"),
}
"""Where a key is looked up: table, the column of the verification's number, the column of the key."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What leads to the verifications, and the blind indexes of which each must have one besides."""

    leading: tuple[tuple[str, Any], ...] = field(repr=False)
    """Name in `_TABLES`, and key."""
    besides: tuple[tuple[bytes, ...], ...] = ()


def keys(filters: Filters, sealer: Sealer) -> Keys | None:
    """The keys of what is searched for; None where nothing is: the facts alone say what fits."""
    places = _places(filters, sealer)
    if filters.search is not None:
        return Keys(tuple(_found_by(filters.search, sealer)), tuple(places))
    if not places:
        return None
    *wider, narrowest = places
    return Keys(tuple(("identity", blind) for blind in narrowest), tuple(wider))


def conditions(filters: Filters, sealer: Sealer) -> list[ColumnElement[bool]]:
    """The same as conditions on a verification, for who reads everything anyway."""
    wanted = keys(filters, sealer)
    if wanted is None:
        return []
    by_table: dict[str, list[Any]] = {}
    for name, key in wanted.leading:
        by_table.setdefault(name, []).append(key)
    found = (select(table.c[number]).where(table.c[key].in_(by_table[name]))
             for name, (table, number, key) in _TABLES.items() if name in by_table)  # fmt: skip
    return [or_(*(Verification.id.in_(one) for one in found)), *(_has(blinds) for blinds in wanted.besides)]


def find(wanted: Keys, scope: Scope, cursor: Cursor | None, limit: int) -> tuple[list[int], Place | None]:
    """The numbers of the first verifications beyond the cursor, and where the search ended if not at the end.

    Where more are wanted than a page shows, more are looked at.
    """
    looked_at = LOOKED_AT if limit <= facts.MOST_SHOWN else max(LOOKED_AT, 4 * limit)
    newer = cursor is not None and not cursor.older
    bounds = _bounds(scope, cursor)
    filtered = bool(scope.equal or scope.low or scope.high or wanted.besides)
    edge = _edge(wanted, bounds, looked_at, newer=newer) if filtered else None
    if edge is not None:
        bounds |= {"low": edge - 1} if not newer else {"high": edge + 1}
    found = _merged(wanted, scope, bounds, limit, newer=newer)
    if edge is None or len(found) >= limit:
        return found, None
    few = facts.ids(scope, LOOKED_AT + 1)
    if len(few) <= LOOKED_AT:
        return _among(few, wanted, scope, _bounds(scope, cursor), limit, newer=newer), None
    at = db.session.scalar(select(V.c.created_at).where(V.c.id == edge))
    return found, None if at is None else (at, edge)


def at_most(wanted: Keys, most: int) -> bool:
    """Whether any of the keys alone leads to no more than `most` verifications; False: there are perhaps more. Looks at
    no more than so many entries of an index for each."""
    sets = [wanted.leading, *([("identity", blind) for blind in blinds] for blinds in wanted.besides)]
    return any(all(_ends(name, key, most // len(some)) for name, key in some) for some in sets)


def _ends(name: str, key: Any, most: int) -> bool:
    place = {"low": _FIRST, "high": _LAST, "key": key, "rows": most}
    return db.session.scalar(_at_the_edge(name, False, db.engine.dialect.name), place) is None


def _found_by(text: str, sealer: Sealer) -> Iterator[tuple[str, Any]]:
    for reading in readings(text):
        match reading.kind:
            case Kind.RECEIPT:
                receipt = receipts.by_number(reading.value)
                if receipt is not None:
                    yield "number", receipt.verification_id
            case Kind.REQUEST_ID:
                yield from (("request", one) for one in sorted(_spellings(reading)))
            case Kind.NAME:
                for name in dict.fromkeys((reading.value, *long_names.beginning_with(reading.value, sealer))):
                    yield from (("identity", blind) for blind in sealer.indexes(IndexKind.NAME, name))
            case _:
                for blind in sealer.indexes(reading.kind, reading.value):
                    yield "identity", blind
                    if reading.kind == Kind.REFERENCE:
                        yield "reuse", blind


def _spellings(reading: Reading) -> set[str]:
    return {reading.value, reading.value.upper(), reading.value.lower()}


def _places(filters: Filters, sealer: Sealer) -> list[tuple[bytes, ...]]:
    """The blind indexes of province and city, the narrower last. A city's own says its province too."""
    if filters.city:
        return [tuple(sealer.indexes(IndexKind.CITY, place_value(filters.province or "", filters.city)))]
    return [tuple(sealer.indexes(IndexKind.PROVINCE, place_value(filters.province)))] if filters.province else []


def _bounds(scope: Scope, cursor: Cursor | None) -> dict[str, int]:
    """Numbers between which the rows lie (excluded): by the cursor and by the days."""
    low, high = _FIRST, _LAST
    if scope.low:
        low = _outermost(V.c.created_at >= scope.low[0], newer=True, otherwise=_LAST) - 1
    if scope.high:
        high = _outermost(V.c.created_at < scope.high[0], newer=False, otherwise=_FIRST) + 1
    if cursor is not None:
        low, high = (low, min(high, cursor.id)) if cursor.older else (max(low, cursor.id), high)
    return {"low": low, "high": high}


def _outermost(beyond: ColumnElement[bool], *, newer: bool, otherwise: int) -> int:
    """The number of the verification nearest in time to a bound or, of those about as near, the outermost number."""
    shape = Shape(frozenset(), low=False, high=False, newer=newer)
    nearest = db.session.execute(in_order(select(V.c.created_at).where(beyond), V, shape).limit(1)).scalar()
    if nearest is None:
        return otherwise
    near = V.c.created_at < nearest + CLOCKS_DIFFER if newer else V.c.created_at >= nearest - CLOCKS_DIFFER
    # The limit keeps PostgreSQL from looking for the outermost number along the numbers.
    about = in_order(select(V.c.id).where(beyond, near), V, shape).limit(MOST_AT_ONCE).subquery()
    found = db.session.scalar(select(func.min(about.c.id) if newer else func.max(about.c.id)))
    return otherwise if found is None else int(found)


def _edge(wanted: Keys, bounds: dict[str, int], looked_at: int, *, newer: bool) -> int | None:
    """The number up to which each key's verifications are looked at; None where all are."""
    dialect, last = db.engine.dialect.name, {"rows": looked_at - 1}
    ends = (db.session.scalar(_at_the_edge(name, newer, dialect), bounds | last | {"key": key})
            for name, key in wanted.leading)  # fmt: skip
    known = [end for end in ends if end is not None]
    return (min(known) if newer else max(known)) if known else None


def _merged(wanted: Keys, scope: Scope, bounds: dict[str, int], limit: int, *, newer: bool) -> list[int]:
    names, dialect = frozenset(scope.equal), db.engine.dialect.name
    parameters = bounds | scope.equal | _days(scope) | {"rows": limit}
    besides = {f"besides_{place}": list(blinds) for place, blinds in enumerate(wanted.besides)}
    found: set[int] = set()
    for name, key in wanted.leading:
        statement = _led_by(name, names, bool(scope.low), bool(scope.high), len(wanted.besides), newer, dialect)
        found.update(db.session.execute(statement, parameters | besides | {"key": key}).scalars())
    return sorted(found, reverse=not newer)[:limit]


def _among(
    few: list[int], wanted: Keys, scope: Scope, bounds: dict[str, int], limit: int, *, newer: bool
) -> list[int]:  # fmt: skip
    """Those of a few verifications that the keys lead to."""
    found: set[int] = set()
    within = [number for number in few if bounds["low"] < number < bounds["high"]]
    for name, key in wanted.leading:
        found.update(db.session.execute(_led_among(name), {"key": key, "few": within}).scalars())
    for blinds in wanted.besides:
        having = select(_BY_BLIND.c.verification_id).where(_BY_BLIND.c.blind.in_(blinds))
        found &= set(db.session.scalars(having.where(_BY_BLIND.c.verification_id.in_(found))))
    return sorted(found, reverse=not newer)[:limit]


def _days(scope: Scope) -> dict[str, Any]:
    return {f"{end}_at": place[0] for end, place in (("low", scope.low), ("high", scope.high)) if place}


@cache
def _led_by(
    name: str, columns: frozenset[str], low: bool, high: bool, besides: int, newer: bool, dialect: str
) -> Select[int]:  # fmt: skip
    """The first verifications that a key leads to and that fit the other filters."""
    table, number, _key = _TABLES[name]
    rows = V.alias()
    query = select(table.c[number]).where(*_led_between(name, dialect))
    if columns or low or high:
        since = [rows.c.created_at >= bindparam("low_at", type_=V.c.created_at.type)] * low
        until = [rows.c.created_at < bindparam("high_at", type_=V.c.created_at.type)] * high
        same = (rows.c[column] == fixed(column) for column in sorted(columns))
        query = query.where(_has_one(select(rows.c.id).where(rows.c.id == table.c[number], *same, *since, *until)))
    having = (_beside(table.c[number], place) for place in range(besides))
    return query.where(*having).order_by(*_order(name, newer)).limit(bindparam("rows"))


@cache
def _led_among(name: str) -> Select[int]:
    table, number, _key = _TABLES[name]
    few: BindParameter[int] = bindparam("few", expanding=True)
    return select(table.c[number]).where(*_led(name), table.c[number].in_(few))


@cache
def _at_the_edge(name: str, newer: bool, dialect: str) -> Select[int]:
    """The last verification of a key that is looked at."""
    table, number, _key = _TABLES[name]
    query = select(table.c[number]).where(*_led_between(name, dialect))
    return query.order_by(*_order(name, newer)).limit(1).offset(bindparam("rows"))


def _led(name: str) -> list[ColumnElement[bool]]:
    """That the key leads to a row."""
    table, _number, key = _TABLES[name]
    return [table.c[key] == bindparam("key"), *_sent(name)]


def _led_between(name: str, dialect: str) -> list[ColumnElement[bool]]:
    """The same, of rows between the bounds.

    For PostgreSQL as one comparison, which only the index over both can answer: it would walk along the numbers alone
    where it believes that the key is a common one, and after keys were rotated none of them has it any more.
    """
    table, number, key = _TABLES[name]
    if dialect != "postgresql" or number == key:
        return [*_led(name), table.c[number] > bindparam("low"), table.c[number] < bindparam("high")]
    place = tuple_(table.c[key], table.c[number])
    low, high = (tuple_(bindparam("key", type_=table.c[key].type), bindparam(end, type_=table.c[number].type))
                 for end in ("low", "high"))  # fmt: skip
    return [place > low, place < high, *_sent(name)]


def _sent(name: str) -> list[ColumnElement[bool]]:
    """An index over some rows only, as request ids have it, serves SQLite only where a statement says which."""
    return [V.c.request_id != literal_column("''")] if name == "request" else []


def _beside(number: ColumnElement[Any], place: int) -> ColumnElement[bool]:
    other = _BY_BLIND.alias()
    blinds: BindParameter[bytes] = bindparam(f"besides_{place}", expanding=True)
    return _has_one(select(literal(1)).where(other.c.verification_id == number, other.c.blind.in_(blinds)).limit(1))


def _has_one(rows: Select[Any]) -> ColumnElement[bool]:
    """As EXISTS, but looked up entry by entry: that one PostgreSQL turns into a join, and by its estimate of the day
    reads all rows of a day, or of a province, for it."""
    return rows.scalar_subquery().is_not(None)


def _has(blinds: tuple[bytes, ...]) -> ColumnElement[bool]:
    having = select(IdentityIndex.verification_id).where(IdentityIndex.blind.in_(blinds))
    return Verification.id.in_(having)


def _order(name: str, newer: bool) -> list[ColumnElement[Any]]:
    table, number, key = _TABLES[name]
    return [table.c[one].asc() if newer else table.c[one].desc() for one in dict.fromkeys((key, number))]
