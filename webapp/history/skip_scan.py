"""An index skip scan: the rows of any combination of filters, newest first, from one index, at a bounded price.

`ix_verification_kind` begins with the columns that are filtered by, those of few values first. A column without a
filter is skipped over: each step of its recursive part looks up the next value that there is. What is left are the
*kinds* of rows that fit (at most some hundreds), each a run of the index in the order of time. Of each the newest row
is looked up; where there are more kinds than rows wanted, all wanted rows are as new as the last of so many. From the
kinds that reach it, each run gives at most as many rows as are wanted. So the price goes with the kinds, never with
the rows. PostgreSQL (before 18) and SQLite (without ANALYZE) know no skip scan of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    bindparam,
    case,
    func,
    select,
    true,
    union_all,
)

from webapp.history.scans import Shape, V, bounds, fixed, in_order, order
from webapp.verification.models import KIND

*SKIPPED, LAST = KIND
"""The columns that are skipped over; the last one, the department, may be missing."""

Values = dict[str, ColumnElement[Any]]


@cache
def ids(shape: Shape, dialect: str) -> Select[int]:
    """The numbers of the first rows; one more parameter, `beyond_all`, is an instant that no row is beyond."""
    heads = _heads(shape).cte("heads")
    last = select(heads.c.at).where(heads.c.at.is_not(None)).order_by(order(heads.c.at, shape)).limit(1)
    beyond_all = bindparam("beyond_all", type_=V.c.created_at.type)
    reach = func.coalesce(last.offset(bindparam("rows") - 1).scalar_subquery(), beyond_all)
    missing = [False] if LAST in shape.fixed else [False, True]
    runs = [_run(shape, heads, reach, missing=one) for one in missing]
    if dialect == "postgresql":
        of_kind: FromClause = union_all(*runs).lateral("of_kind")
        query = select(of_kind.c.id).select_from(heads.join(of_kind, true()))
    else:  # SQLite has no LATERAL; its look-up by a list of numbers does the same
        of_kind = V
        numbers = union_all(*(select(run.subquery().c.id) for run in runs))
        query = select(V.c.id).select_from(heads.join(V, V.c.id.in_(numbers)))
    reaching = heads.c.at <= reach if shape.newer else heads.c.at >= reach
    return in_order(query.where(reaching), of_kind, shape).limit(bindparam("rows"))


def _run(shape: Shape, heads: CTE, reach: ColumnElement[Any], *, missing: bool) -> Select[Any]:
    """The first rows of one kind that reach."""
    rows = V.alias()
    here = [*_same(rows, _values(shape, heads)), _department(rows, shape, heads, missing=missing)]
    if missing:
        here.append(heads.c[LAST].is_(None))
    reaching = rows.c.created_at <= reach if shape.newer else rows.c.created_at >= reach
    query = select(rows.c.id, rows.c.created_at).where(*here, *bounds(rows, shape), reaching).correlate(heads)
    return in_order(query, rows, shape).limit(bindparam("rows"))


def _heads(shape: Shape) -> Select[Any]:
    """Each kind of rows that fits, with the time of its first row; None where it has none within the bounds."""
    kinds = _kinds(shape)
    values = _values(shape, kinds)
    kept = [kinds.c[name] for name in (*SKIPPED, LAST) if name in kinds.c]

    def first(missing: bool) -> ScalarSelect[Any]:
        rows = V.alias()
        here = [*_same(rows, values), _department(rows, shape, kinds, missing=missing)]
        return (
            in_order(select(rows.c.created_at).where(*here, *bounds(rows, shape)), rows, shape)
            .limit(1)
            .scalar_subquery()
        )

    if LAST in shape.fixed:
        at: ColumnElement[Any] = first(False)
    else:
        at = case((kinds.c[LAST].is_(None), first(True)), else_=first(False))
    return select(*kept, at.label("at"))


def _kinds(shape: Shape) -> CTE:
    """The combinations of values that there are in the columns without a filter, one column after the other.

    The walk over a column's values ends with a row without one. For the department that row is kept: it stands for
    the verifications without a department.
    """
    walked: CTE | None = None
    for column in (*SKIPPED, LAST):
        if column not in shape.fixed:
            walked = _walk(column, shape, walked)
    if walked is None:
        raise ValueError("a column without a filter is what this walks")
    return walked


def _walk(column: str, shape: Shape, before: CTE | None) -> CTE:
    carried = [] if before is None else [name for name in SKIPPED if name in before.c]
    known: Mapping[str, ColumnElement[Any]] = {} if before is None else {name: before.c[name] for name in carried}
    first = select(*known.values(), _next(column, shape, known).label(column))
    if before is not None:
        first = first.where(before.c[carried[-1]].is_not(None))
    walk = first.cte(f"by_{column}", recursive=True)
    onward = {name: walk.c[name] for name in carried}
    following = _next(column, shape, onward, after=walk.c[column])
    return walk.union_all(select(*onward.values(), following).where(walk.c[column].is_not(None)))


def _next(
    column: str, shape: Shape, known: Mapping[str, ColumnElement[Any]], after: ColumnElement[Any] | None = None
) -> ScalarSelect[Any]:
    rows = V.alias()
    ahead = SKIPPED[: SKIPPED.index(column)] if column in SKIPPED else SKIPPED
    same = [rows.c[name] == (fixed(name) if name in shape.fixed else known[name]) for name in ahead]
    beyond = [] if after is None else [rows.c[column] > after]
    return select(func.min(rows.c[column])).where(*same, *beyond).scalar_subquery()


def _values(shape: Shape, kinds: FromClause) -> Values:
    return {name: fixed(name) if name in shape.fixed else kinds.c[name] for name in SKIPPED}


def _same(rows: FromClause, values: Values) -> list[ColumnElement[bool]]:
    return [rows.c[name] == value for name, value in values.items()]


def _department(rows: FromClause, shape: Shape, kinds: FromClause, *, missing: bool) -> ColumnElement[bool]:
    if LAST in shape.fixed:
        return rows.c[LAST] == fixed(LAST)
    return rows.c[LAST].is_(None) if missing else rows.c[LAST] == kinds.c[LAST]
