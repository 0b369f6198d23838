"""What verifications are by themselves, whoever they are about: reading them by that, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from webapp.accounts.models import Role, User
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db
from webapp.history import scans, skip_scan
from webapp.history.filters import EPOCH, Filters
from webapp.history.scans import SHOWN, Shape
from webapp.verification.models import Identity, Verification

LOOKED_AT = 500
"""Rows among which a combination of filters is looked for first: enough for a page where one in ten fits."""
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


_BY_ID = (
    select(*SHOWN).select_from(Verification).outerjoin(Identity, Identity.verification_id == Verification.id)
    .where(Verification.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip


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


def rows(scope: Scope, limit: int, *, newer: bool = False) -> list[Row]:
    """The first rows in the order of time."""
    shape = scope.shape(newer=newer)
    if shape.fixed not in scans.ALONG:
        return rows_of(ids(scope, limit, newer=newer))
    return list(map(Row._make, db.session.execute(scans.along(shape), scope.parameters(rows=limit)).all()))


def ids(scope: Scope, limit: int, *, newer: bool = False) -> list[int]:
    """The numbers of the first rows in the order of time."""
    shape, run = scope.shape(newer=newer), db.session.execute
    if shape.fixed in scans.ALONG:
        return list(run(scans.ids_along(shape), scope.parameters(rows=limit)).scalars())
    near = run(scans.ids_among_nearest(shape), scope.parameters(rows=limit, looked_at=LOOKED_AT)).scalars().all()
    if len(near) == limit:
        return list(near)
    statement = skip_scan.ids(shape, db.engine.dialect.name)
    return list(run(statement, scope.parameters(rows=limit, beyond_all=ENDS[newer])).scalars())


def rows_of(numbers: Sequence[int]) -> list[Row]:
    """The rows of these numbers, in their order."""
    found = db.session.execute(_BY_ID, {"ids": list(numbers)}).all() if numbers else []
    rows = {row.id: Row._make(row) for row in found}
    return [rows[number] for number in numbers if number in rows]
