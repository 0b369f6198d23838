"""Calls that were charged while no lot had any: how many of them no lot that was recorded later has given yet."""

from __future__ import annotations

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.quota import rules
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.usage import daily
from webapp.usage.spans import DAY, Span
from webapp.vendor.contract import Billed

EARLIEST = date(2000, 1, 1)
NO_LOT = 0
"""In the place of a lot's number, in counters."""
_TAKEN = LedgerEntry.verification_id.is_(None), LedgerEntry.kind == EntryKind.COVERED_LATE


def since(first: date, today: date, zone: ZoneInfo, *, last: date | None = None) -> int:
    """Uncovered calls of the days from `first` to `last` (None: to `today`), both included, that were taken from no lot
    yet. Since `EARLIEST` they are those that the balance shows."""
    if first > today:
        return 0
    taken = _takings(zone)
    days = Span(min(first, EARLIEST) if taken else first, today)
    calls: Counter[date] = Counter()
    for (lot_id, _outcome, billed), numbers in daily.calls("lot", days, zone).items():
        if (lot_id, billed) == (NO_LOT, Billed.YES):
            calls.update({days.first + ahead * DAY: number for ahead, number in enumerate(numbers) if number})
    return rules.still_uncovered(calls, taken, first, last)


def _takings(zone: ZoneInfo) -> list[tuple[date, date, int]]:
    """When the lot was bought that took uncovered calls, on which day it did, and how many."""
    found = select(Lot.bought_on, LedgerEntry.at, -LedgerEntry.change).join(Lot, Lot.id == LedgerEntry.lot_id)
    taken = db.session.execute(found.where(*_TAKEN).order_by(LedgerEntry.id))
    return [(bought_on, day_of(at, zone), calls) for bought_on, at, calls in taken]


def taken(*when: ColumnElement[bool]) -> int:
    """Uncovered calls that were taken from lots so far; `when`: by entries of that time only."""
    return int(db.session.scalar(select(func.coalesce(-func.sum(LedgerEntry.change), 0)).where(*_TAKEN, *when)) or 0)
