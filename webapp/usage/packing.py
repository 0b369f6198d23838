"""The rows of `UsageMonth`: kept in step, in one transaction, with the cells that they are made of."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.orm import Session

from webapp.foundation.database import db, insert_into
from webapp.usage.facets import Place
from webapp.usage.models import UsageMonth

Days = dict[str, list[int]]
Row = tuple[str, int, date]
"""Facet, operator, month: the key of a row."""
NAMES = ("facet", "operator_id", "month")
KEY = (UsageMonth.facet, UsageMonth.operator_id, UsageMonth.month)
MONTHS = 0x10706
"""PostgreSQL's advisory lock of those who change months."""


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def add(session: Session, calls: Mapping[tuple[date, Place], int], *, anew: date | None = None) -> None:
    """Adds calls, by (day, place), in the caller's transaction: the last of its writes, for what it locks. `anew`: they
    are all calls of that day, and take the place of what its month has."""
    changes: dict[Row, Counter[tuple[str, int]]] = {}
    for (day, (facet, operator, key)), number in calls.items():
        if number:
            changes.setdefault((facet, operator, month_of(day)), Counter())[key, day.day - 1] += number
    if not changes and anew is None:
        return
    _lock(session)
    if anew is None:
        there = _read(session, *(column.in_({row[part] for row in changes}) for part, column in enumerate(KEY)))
    else:
        there = _read(session, UsageMonth.month == month_of(anew))
    emptied = set() if anew is None else _emptied(there, anew.day - 1)
    for row, change in changes.items():
        days = there.setdefault(row, {})
        for (key, index), number in change.items():
            days.setdefault(key, [0] * _length(row[2]))[index] += number
    _write(session, {row: there[row] for row in changes.keys() | emptied})


def _emptied(rows: Mapping[Row, Days], index: int) -> set[Row]:
    """Takes the calls of one day out of rows; which they were."""
    found = {row for row, days in rows.items() if any(numbers[index] for numbers in days.values())}
    for row in found:
        for numbers in rows[row].values():
            numbers[index] = 0
    return found


def of_month(month: date) -> dict[date, Counter[Place]]:
    """The calls of each day of a month that has any, by place."""
    found: dict[date, Counter[Place]] = {}
    for (facet, operator, _month), days in _read(db.session(), UsageMonth.month == month).items():
        for key, numbers in days.items():
            for index, calls in enumerate(numbers):
                if calls:
                    found.setdefault(month.replace(day=index + 1), Counter())[facet, operator, key] += calls
    return found


def days() -> set[date]:
    """Every day that any month has calls of."""
    months = db.session.scalars(select(UsageMonth.month).distinct()).all()
    return {day for month in months for day in of_month(month)}


def _lock(session: Session) -> None:
    """One changes months at a time: rows are read and written whole. Readers do not wait; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        # No lock of the table: a fold every few seconds and the database's own vacuum of it would be in each other's
        # way.
        session.execute(select(func.pg_advisory_xact_lock(MONTHS)))


def _read(session: Session, *which: ColumnElement[bool]) -> dict[Row, Days]:
    rows = session.execute(select(*KEY, UsageMonth.days).where(*which))
    return {(facet, operator, month): days for facet, operator, month, days in rows}


def _write(session: Session, rows: Mapping[Row, Days]) -> None:
    """Stores rows; kinds without a call, and rows without a kind, are not kept."""
    kept, empty = list[dict[str, Any]](), list[Row]()
    for row, days in rows.items():
        counted = {key: numbers for key, numbers in days.items() if any(numbers)}
        if counted:
            kept.append({**_named(row), "days": counted})
        else:
            empty.append(row)
    if kept:
        insert = insert_into(UsageMonth)
        change = {"days": insert.excluded.days}
        session.connection().execute(insert.on_conflict_do_update(index_elements=NAMES, set_=change), kept)
    if empty:
        session.connection().execute(_REMOVE, [_named(row) for row in empty])


_REMOVE = delete(UsageMonth).where(*(column == bindparam(name) for name, column in zip(NAMES, KEY, strict=True)))


def _named(row: Row) -> dict[str, Any]:
    return dict(zip(NAMES, row, strict=True))


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]
