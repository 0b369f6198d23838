"""What verifications are by themselves, whoever they are about: reading them by that, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, select

from webapp.accounts.models import Role, User
from webapp.foundation import reading
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db
from webapp.history import scans, skip_scan
from webapp.history.filters import EPOCH, Filters
from webapp.history.scans import SHOWN, Shape

LOOKED_AT = 500
"""Rows among which a combination of filters is looked for first: enough for a page where one in ten fits."""
MOST_SHOWN = 201
"""Rows that a page asks for, at most."""
NEAR_OF_MANY = 4
"""Where many rows are wanted, so many times as many are looked at first."""
ENDS = {False: EPOCH, True: datetime(9000, 1, 1, tzinfo=UTC)}
"""An instant that no row is beyond, by direction (newer)."""

Place = tuple[datetime, int]


class Row(NamedTuple):
    """A verification as the history shows it; `sealed` opens by `identities.opened`, None once it was erased."""

    id: int
    created_at: datetime
    outcome: str
    billed: str
    source: str
    operator_id: int
    department_id: int | None
    purpose_id: int
    sealed: bytes | None


Found = Sequence[tuple[Any, ...]]
"""Rows of the columns that were asked for, the first of them number and instant."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The facts that are asked for: columns with their value, and places between which the rows lie (excluded)."""

    equal: dict[str, Any]
    low: Place | None
    high: Place | None

    def shape(self, *, newer: bool) -> Shape:
        """Which statement reads it."""
        return Shape(frozenset(self.equal), self.low is not None, self.high is not None, newer)

    def parameters(self, **more: Any) -> dict[str, Any]:
        """What the statement is given."""
        places = {"low": self.low, "high": self.high}
        ends = {f"{name}_{part}": value for name, place in places.items() if place
                for part, value in zip(("at", "id"), place, strict=True)}  # fmt: skip
        return self.equal | ends | more


def scope_of(filters: Filters, viewer: User, zone: ZoneInfo) -> Scope | None:
    """The facts that the filters and the viewer's role leave; None where nothing can fit."""
    operator = filters.operator
    if viewer.role == Role.OPERATOR:
        if operator not in (None, viewer.id):
            return None
        operator = viewer.id
    equal = {
        "outcome": filters.outcome, "billed": filters.billed, "source": filters.source, "operator_id": operator,
        "department_id": filters.department, "purpose_id": filters.purpose,
    }  # fmt: skip
    return Scope(
        {column: value for column, value in equal.items() if value is not None},
        (start_of(filters.first, zone), -1) if filters.first else None,
        (end_of(filters.last, zone), -1) if filters.last else None,
    )


def rows(scope: Scope, limit: int, *, newer: bool = False, columns: tuple[Any, ...] = SHOWN) -> tuple[Found, bool]:
    """The first rows in the order of time, at most `limit`, and whether they may be followed by others: fewer than
    `limit` are no end where many are wanted."""
    shape = scope.shape(newer=newer)
    if shape.fixed not in scans.ALONG:
        numbers, more = _some_ids(scope, limit, newer=newer)
        return rows_of(numbers, columns), more
    found = reading.read(scans.along(shape, limit, columns), **scope.parameters())
    return found, len(found) == limit


def ids(scope: Scope, limit: int, *, newer: bool = False) -> list[int]:
    """The numbers of the first rows in the order of time."""
    shape, run = scope.shape(newer=newer), db.session.execute
    if shape.fixed in scans.ALONG:
        return list(run(scans.ids_along(shape), scope.parameters(rows=limit)).scalars())
    near = _near(scope, limit, LOOKED_AT, newer=newer)
    return near if len(near) == limit else _skipping(scope, limit, newer=newer)


def rows_of(numbers: Sequence[int], columns: tuple[Any, ...] = SHOWN) -> Found:
    """The rows of these numbers, in their order."""
    if not numbers:
        return []
    found = {row[0]: row for row in db.session.connection().execute(_by_id(columns), {"ids": list(numbers)})}
    return [found[number] for number in numbers if number in found]


def _some_ids(scope: Scope, limit: int, *, newer: bool) -> tuple[list[int], bool]:
    """As `ids`; of many it takes what the nearest rows have where that is a fair share: the skip scan reads as many
    rows of each kind as are wanted."""
    if limit <= MOST_SHOWN:
        found = ids(scope, limit, newer=newer)
        return found, len(found) == limit
    near = _near(scope, limit, max(LOOKED_AT, NEAR_OF_MANY * limit), newer=newer)
    if len(near) * NEAR_OF_MANY >= limit:
        return near, True
    found = _skipping(scope, limit, newer=newer)
    return found, len(found) == limit


def _near(scope: Scope, limit: int, looked_at: int, *, newer: bool) -> list[int]:
    statement = scans.ids_among_nearest(scope.shape(newer=newer))
    return list(db.session.execute(statement, scope.parameters(rows=limit, looked_at=looked_at)).scalars())


def _skipping(scope: Scope, limit: int, *, newer: bool) -> list[int]:
    statement = skip_scan.ids(scope.shape(newer=newer), db.engine.dialect.name)
    return list(db.session.execute(statement, scope.parameters(rows=limit, beyond_all=ENDS[newer])).scalars())


@cache
def _by_id(columns: tuple[Any, ...]) -> Select[Any]:
    rows = select(*columns).select_from(scans.V.outerjoin(scans.SEALED, scans.SEALED.c.verification_id == scans.V.c.id))
    return rows.where(scans.V.c.id.in_(bindparam("ids", expanding=True)))
