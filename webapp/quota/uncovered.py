"""Calls that were charged while no lot had any: how many of them no lot that was recorded later has given yet."""

from __future__ import annotations

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from webapp.foundation.database import db
from webapp.quota import rules
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.usage import queries as usage
from webapp.usage.spans import Span
from webapp.vendor.contract import Billed

NO_LOT = 0
"""In the place of a lot's number, in counters."""
_TAKEN = LedgerEntry.verification_id.is_(None), LedgerEntry.kind == EntryKind.COVERED_LATE


def since(first: date, today: date, zone: ZoneInfo) -> int:
    """Uncovered calls of the days from `first` to `today`, both included, that were taken from no lot yet."""
    if first > today:
        return 0
    entries = select(Lot.bought_on, -LedgerEntry.change).join(Lot, Lot.id == LedgerEntry.lot_id).where(*_TAKEN)
    taken = [(day, calls) for day, calls in db.session.execute(entries.order_by(LedgerEntry.id))]
    days = Span(min(first, *(day for day, _calls in taken)) if taken else first, today)
    calls: Counter[date] = Counter()
    for (day, lot_id), number in usage.calls_by(("lot_id",), days, zone, billed=(Billed.YES,)).items():
        if lot_id == NO_LOT:
            calls[day] += number
    return rules.still_uncovered(calls, taken, first)


def taken(*when: ColumnElement[bool]) -> int:
    """Uncovered calls that were taken from lots so far; `when`: by entries of that time only."""
    return int(db.session.scalar(select(func.coalesce(-func.sum(LedgerEntry.change), 0)).where(*_TAKEN, *when)) or 0)
