"""Reads of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from webapp.audit.trail import AuditRecord
from webapp.foundation.clock import end_of, start_of
from webapp.foundation.database import db


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None: not filtered."""

    action: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, newest first; `newer` and `older` are ids to go on from (None: nothing there)."""

    records: Sequence[AuditRecord]
    newer: int | None
    older: int | None


def page(filters: Filters, zone: ZoneInfo, size: int, *, below: int | None = None, above: int | None = None) -> Page:
    """One page: records with an id below or above the given one."""
    query = select(AuditRecord)
    if filters.action:
        query = query.where(AuditRecord.action == filters.action)
    if filters.first:
        query = query.where(AuditRecord.at >= start_of(filters.first, zone))
    if filters.last:
        query = query.where(AuditRecord.at < end_of(filters.last, zone))
    if above is not None:
        query = query.where(AuditRecord.id > above).order_by(AuditRecord.id.asc())
    else:
        query = query.where(AuditRecord.id < below) if below is not None else query
        query = query.order_by(AuditRecord.id.desc())
    found = list(db.session.scalars(query.limit(size + 1)))
    more, records = len(found) > size, found[:size]
    if above is not None:
        records.reverse()
    newer = bool(records) and (more if above is not None else below is not None)
    older = bool(records) and (above is not None or more)
    return Page(records, records[0].id if newer else None, records[-1].id if older else None)
