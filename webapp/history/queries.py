"""Keyset pages over verifications: constant at any depth, no COUNT, stable while rows are added."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import Role, User
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db
from webapp.verification.models import Verification

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadCursor(Exception):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None: not filtered. Dates are days of the reporting zone, both included."""

    outcome: str | None = None
    operator: int | None = None
    department: int | None = None
    source: str | None = None
    purpose: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place between two rows: after (older than) or before (newer than) this one."""

    older: bool
    micros: int
    id: int

    def encode(self) -> str:
        """The opaque text for the address."""
        packed = json.dumps([int(self.older), self.micros, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @staticmethod
    def decode(text: str) -> Cursor:
        """The place an opaque text names. Raises `BadCursor`."""
        try:
            older, micros, row_id = json.loads(base64.urlsafe_b64decode(text[:200] + "=" * (-len(text) % 4)))
            if not (isinstance(micros, int) and isinstance(row_id, int) and 0 < row_id < 2**62 and 0 < micros < 2**52):
                raise BadCursor
            return Cursor(bool(older), micros, row_id)
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise BadCursor from error

    @property
    def at(self) -> datetime:
        """The row's instant."""
        return datetime.fromtimestamp(self.micros // 1_000_000, UTC).replace(microsecond=self.micros % 1_000_000)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the cursors to both sides (None: nothing there)."""

    rows: Sequence[Verification]
    newer: str | None
    older: str | None


def page(filters: Filters, viewer: User, zone: ZoneInfo, size: int, cursor: Cursor | None) -> Page:
    """One page of what `viewer` may see."""
    query = _filtered(filters, viewer, zone).options(
        joinedload(Verification.operator), joinedload(Verification.department), joinedload(Verification.purpose)
    )
    upwards = cursor is not None and not cursor.older
    at, row_id = Verification.created_at, Verification.id
    if cursor is not None:
        beyond = at > cursor.at if upwards else at < cursor.at
        beside = row_id > cursor.id if upwards else row_id < cursor.id
        query = query.where(or_(beyond, and_(at == cursor.at, beside)))
    order = (at.asc(), row_id.asc()) if upwards else (at.desc(), row_id.desc())
    found = list(db.session.scalars(query.order_by(*order).limit(size + 1)))
    more, rows = len(found) > size, found[:size]
    if upwards:
        rows.reverse()
    newer = bool(rows) and (more if upwards else cursor is not None)
    older = bool(rows) and (True if upwards else more)
    return Page(
        rows,
        newer=_cursor(rows[0], older=False) if newer else None,
        older=_cursor(rows[-1], older=True) if older else None,
    )


def _filtered(filters: Filters, viewer: User, zone: ZoneInfo) -> Select[Verification]:
    query = select(Verification)
    if viewer.role == Role.OPERATOR:
        query = query.where(Verification.operator_id == viewer.id)
    equal = {
        Verification.outcome: filters.outcome, Verification.operator_id: filters.operator,
        Verification.department_id: filters.department, Verification.source: filters.source,
        Verification.purpose_id: filters.purpose,
    }  # fmt: skip
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if filters.first:
        query = query.where(Verification.created_at >= start_of(filters.first, zone))
    if filters.last:
        query = query.where(Verification.created_at < end_of(filters.last, zone))
    return query


def _cursor(row: Verification, *, older: bool) -> str:
    since = row.created_at - EPOCH
    return Cursor(older, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, row.id).encode()
