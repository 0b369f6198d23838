"""`yuliang check`: recounts lots, ledger, verifications and counters, and names every difference."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import db, snapshot
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import queries as usage
from webapp.usage.models import UsageDay
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import Verification


def check_everything() -> list[str]:
    """Every difference in words; empty: all agree. Reads one instant, so writers may go on meanwhile."""
    zone = this_instance().settings.zone
    with snapshot():
        return [*_lots(), *_days(zone), *_dimensions(), *_verifications()]


def _lots() -> list[str]:
    return [f"{one.what}: stored {one.cached}, recounted {one.recounted}" for one in quota.recount()]


def _days(zone: ZoneInfo) -> list[str]:
    """What charts show of each day against the calls of that day."""
    first, last = db.session.execute(select(func.min(Verification.created_at), func.max(Verification.created_at))).one()
    rolled = db.session.execute(select(func.min(UsageDay.day), func.max(UsageDay.day))).one()
    days = [day for day in (*rolled, *(day_of(at, zone) for at in (first, last) if at)) if day]
    if not days:
        return []
    counted = usage.calls_by_day(min(days), max(days), zone)
    stored: Counter[tuple[date, str, str]] = Counter()
    for back in range((max(days) - min(days)).days + 1):
        day = min(days) + timedelta(days=back)
        rows = (
            select(Verification.outcome, Verification.billed, func.count())
            .where(Verification.created_at >= start_of(day, zone), Verification.created_at < end_of(day, zone))
            .group_by(Verification.outcome, Verification.billed)
        )
        stored.update({(day, outcome, billed): calls for outcome, billed, calls in db.session.execute(rows)})
    return [
        f"calls of {day} {outcome}/{billed}: counted {counted[day, outcome, billed]}, "
        f"stored {stored[day, outcome, billed]}"
        for day, outcome, billed in sorted(set(stored) | set(counted))
        if counted[day, outcome, billed] != stored[day, outcome, billed]
    ]


def _dimensions() -> list[str]:
    """All calls by everything a chart can tell apart."""
    by = (
        Verification.outcome, Verification.billed, Verification.source, Verification.operator_id,
        func.coalesce(Verification.department_id, 0), Verification.purpose_id,
    )  # fmt: skip
    stored: Counter[tuple[Any, ...]] = Counter(
        {tuple(row[:-1]): row[-1] for row in db.session.execute(select(*by, func.count()).group_by(*by))}
    )
    counted = usage.totals()
    return [
        f"calls {'/'.join(map(str, key))}: counted {counted[key]}, stored {stored[key]}"
        for key in sorted(set(stored) | set(counted))
        if counted[key] != stored[key]
    ]


def _verifications() -> list[str]:
    """Each verification has its hold, and what came of it stands in the ledger, on the same lot."""
    mine = LedgerEntry.verification_id == Verification.id
    has = {kind: select(LedgerEntry.id).where(mine, LedgerEntry.kind == kind).exists()
           for kind in (EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE)}  # fmt: skip
    other_lot = func.coalesce(LedgerEntry.lot_id, 0) != func.coalesce(Verification.lot_id, 0)
    faults = {
        "has no hold": ~has[EntryKind.HOLD],
        "is charged, but has no charge": (Verification.billed == Billed.YES) & ~has[EntryKind.CHARGE],
        "is charged, but was released": (Verification.billed == Billed.YES) & has[EntryKind.RELEASE],
        "is not charged, but was not released": (Verification.billed == Billed.NO) & ~has[EntryKind.RELEASE],
        "is not charged, but has a charge": (Verification.billed == Billed.NO) & has[EntryKind.CHARGE],
        "is open, but was charged or released": (Verification.billed == Billed.UNKNOWN)
        & (has[EntryKind.CHARGE] | has[EntryKind.RELEASE]),
        "stands in the ledger of another lot": select(LedgerEntry.id).where(mine, other_lot).exists(),
        "is under way, but finished": (Verification.outcome == Outcome.SENDING) & Verification.finished_at.is_not(None),
    }
    return [
        f"verification {row_id} {what}"
        for what, condition in faults.items()
        for row_id in db.session.scalars(select(Verification.id).where(condition).limit(100))
    ]
