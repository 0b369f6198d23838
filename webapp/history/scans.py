"""The ways to read verifications in the order of time: along one index, or among the nearest rows only.

A statement is put together once for each shape and then only given its parameters: the fixed columns by name,
`low_at`, `low_id`, `high_at`, `high_id` (places between which the rows lie, themselves excluded), `rows` (how many).
Of what a page shows, how many stands in the statement: PostgreSQL would plan it anew for each number.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    literal_column,
    select,
    tuple_,
)

from webapp.verification.models import KIND, Identity, Verification

V: FromClause = Verification.__table__
SEALED: FromClause = Identity.__table__
SHOWN = (V.c.id, V.c.created_at, V.c.outcome, V.c.billed, V.c.source, V.c.operator_id, V.c.department_id,
         V.c.purpose_id, SEALED.c.sealed)  # fmt: skip
ALONG = (frozenset[str](), frozenset({"outcome"}), frozenset({"operator_id"}), frozenset(KIND))
"""The filters for which an index has just the wanted rows, in order."""


class Shape(NamedTuple):
    """Which statement is needed: the columns with a filter, whether there are bounds, and the direction."""

    fixed: frozenset[str]
    low: bool
    high: bool
    newer: bool


@cache
def along(shape: Shape, rows: int, columns: tuple[Any, ...] = SHOWN) -> Select[Any]:
    """The first `rows` rows of one of the filters of `ALONG`; `columns`: what is read of each."""
    query = select(*columns).select_from(V.outerjoin(SEALED, SEALED.c.verification_id == V.c.id))
    wanted = query.where(*same(V, shape), *bounds(V, shape))
    return in_order(wanted, V, shape).limit(literal_column(str(rows), Integer))


@cache
def ids_along(shape: Shape) -> Select[int]:
    """As `along`, only the numbers."""
    wanted = select(V.c.id).where(*same(V, shape), *bounds(V, shape))
    return in_order(wanted, V, shape).limit(bindparam("rows"))


@cache
def ids_among_nearest(shape: Shape) -> Select[int]:
    """The numbers of those of the first `:looked_at` rows that fit, `:rows` at most: quick where many do."""
    nearest = in_order(select(V).where(*bounds(V, shape)), V, shape).limit(bindparam("looked_at")).subquery()
    return in_order(select(nearest.c.id).where(*same(nearest, shape)), nearest, shape).limit(bindparam("rows"))


def same(rows: FromClause, shape: Shape) -> list[ColumnElement[bool]]:
    """That the columns with a filter have its value."""
    return [rows.c[column] == fixed(column) for column in sorted(shape.fixed)]


def bounds(rows: FromClause, shape: Shape) -> list[ColumnElement[bool]]:
    """That a row lies between the places, as one comparison each: the index then begins and ends there."""
    place = tuple_(rows.c.created_at, rows.c.id)
    low, high = [place > _place("low")] * shape.low, [place < _place("high")] * shape.high
    return low + high


def in_order(query: Select[Any], rows: FromClause, shape: Shape) -> Select[Any]:
    """The query in the direction of the shape."""
    return query.order_by(order(rows.c.created_at, shape), order(rows.c.id, shape))


def order(column: ColumnElement[Any], shape: Shape) -> ColumnElement[Any]:
    """The column in the direction of the shape."""
    return column.asc() if shape.newer else column.desc()


def fixed(column: str) -> BindParameter[Any]:
    """The parameter of a column with a filter."""
    return bindparam(column, type_=V.c[column].type)


def _place(end: str) -> ColumnElement[Any]:
    at, number = bindparam(f"{end}_at", type_=V.c.created_at.type), bindparam(f"{end}_id", type_=V.c.id.type)
    return tuple_(at, number)
