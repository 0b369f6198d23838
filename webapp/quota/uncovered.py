"""Calls that were charged while no lot had any: how many of them are booked on no lot yet."""

from __future__ import annotations

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.quota import rules
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.quota.rules import Covering
from webapp.usage import daily
from webapp.usage import queries as usage
from webapp.usage.facets import UNCOVERED
from webapp.usage.spans import DAY, Span

EARLIEST = date(2000, 1, 1)
NO_LOT = 0
"""In the place of a lot's number, in counters."""
_TAKEN = LedgerEntry.verification_id.is_(None), LedgerEntry.kind == EntryKind.COVERED_LATE


def open_calls() -> int:
    """Uncovered calls that are booked on no lot yet."""
    return daily.uncovered() - taken()


def since(first: date, today: date, zone: ZoneInfo, *, last: date | None = None) -> int:
    """Uncovered calls of the days from `first` to `last` (None: to `today`), both included, that are booked on no lot
    yet. Since `EARLIEST` they are those that the balance shows."""
    if first > today:
        return 0
    booked = coverings(zone)
    return rules.still_uncovered(made(min(first, EARLIEST) if booked else first, today, zone), booked, first, last)


def made(first: date, last: date, zone: ZoneInfo) -> Counter[date]:
    """Calls of each day that were charged on no lot, booked on one since or not."""
    begun = usage.begins(zone)
    days = Span(max(first, begun or last), last)
    if days.last < days.first:
        return Counter()
    counted = daily.calls(UNCOVERED, days, zone).get((NO_LOT,), ())
    return Counter({days.first + ahead * DAY: calls for ahead, calls in enumerate(counted) if calls})


def coverings(zone: ZoneInfo) -> list[Covering]:
    """What was booked on lots so far, in the order of recording."""
    found = select(Lot.id, Lot.bought_on, Lot.expires_on, LedgerEntry.at, -LedgerEntry.change)
    rows = db.session.execute(found.join(Lot, Lot.id == LedgerEntry.lot_id).where(*_TAKEN).order_by(LedgerEntry.id))
    return [Covering(lot, first, last, day_of(at, zone), calls) for lot, first, last, at, calls in rows]


def lots_by_day(today: date, zone: ZoneInfo) -> dict[date, Counter[int]]:
    """How many uncovered calls of each day were booked on which lot."""
    found: dict[date, Counter[int]] = {}
    if done := coverings(zone):
        for one, days in zip(done, rules.covered(made(EARLIEST, today, zone), done), strict=True):
            for day, calls in days.items():
                found.setdefault(day, Counter())[one.lot_id] += calls
    return found


def taken(*when: ColumnElement[bool]) -> int:
    """Uncovered calls that were booked on lots so far; `when`: by entries of that time only."""
    return int(db.session.scalar(select(func.coalesce(-func.sum(LedgerEntry.change), 0)).where(*_TAKEN, *when)) or 0)
