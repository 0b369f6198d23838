"""Calls that were charged while no lot had any: how many of them no lot that was recorded later has given yet."""

from __future__ import annotations

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.quota import rules
from webapp.quota.models import BEFORE, EntryKind, LedgerEntry, Lot
from webapp.usage import daily
from webapp.usage.spans import DAY, Span
from webapp.vendor.contract import Billed

EARLIEST = date(2000, 1, 1)
NO_LOT = 0
"""In the place of a lot's number, in counters."""
_TAKEN = LedgerEntry.verification_id.is_(None), LedgerEntry.kind == EntryKind.COVERED_LATE


def since(first: date, today: date, zone: ZoneInfo) -> int:
    """Uncovered calls of the days from `first` to `today`, both included, that were taken from no lot yet."""
    if first > today:
        return 0
    taken = _takings(zone)
    days = Span(min([first, *(begins for begins, _ends, _calls in taken)]), today)
    calls: Counter[date] = Counter()
    for (lot_id, _outcome, billed), numbers in daily.calls("lot", days, zone).items():
        if (lot_id, billed) == (NO_LOT, Billed.YES):
            calls.update({days.first + ahead * DAY: number for ahead, number in enumerate(numbers) if number})
    return rules.still_uncovered(calls, taken, first)


def _takings(zone: ZoneInfo) -> list[tuple[date, date, int]]:
    """From which day to which a lot took uncovered calls when it was recorded, and how many at most: the console's
    figure that an opening balance begins with holds all that were made before."""
    entry = LedgerEntry
    found = select(entry.kind, Lot.bought_on, entry.at, -entry.change).join(Lot, Lot.id == entry.lot_id)
    found = found.where(entry.verification_id.is_(None), entry.kind.in_(BEFORE)).order_by(entry.id)
    return [
        (bought_on if kind == EntryKind.COVERED_LATE else EARLIEST, day_of(at, zone), calls)
        for kind, bought_on, at, calls in db.session.execute(found)
    ]


def taken(*when: ColumnElement[bool]) -> int:
    """Uncovered calls that were taken from lots so far; `when`: by entries of that time only."""
    return int(db.session.scalar(select(func.coalesce(-func.sum(LedgerEntry.change), 0)).where(*_TAKEN, *when)) or 0)
