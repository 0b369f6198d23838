"""`yuliang check`: recounts lots, ledger, verifications and counters, and names every difference."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from webapp.foundation.database import db, transaction
from webapp.quota import queries as quota
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import queries as usage
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import Verification


def check_everything() -> list[str]:
    """Every difference in words; empty: all agree. Reads in one transaction, so writers may go on meanwhile."""
    with transaction():  # a write transaction: on both databases nothing moves between two of these reads
        return [*_lots(), *_counters(), *_verifications()]


def _lots() -> list[str]:
    return [f"{one.what}: stored {one.cached}, recounted {one.recounted}" for one in quota.recount()]


def _counters() -> list[str]:
    rows = select(Verification.outcome, Verification.billed, func.count()).group_by(
        Verification.outcome, Verification.billed
    )
    stored: Counter[tuple[str, str]] = Counter(
        {(outcome, billed): calls for outcome, billed, calls in db.session.execute(rows)}
    )
    counted = usage.totals()
    return [
        f"calls {outcome}/{billed}: counted {counted[outcome, billed]}, stored {stored[outcome, billed]}"
        for outcome, billed in sorted(set(stored) | set(counted))
        if counted[outcome, billed] != stored[outcome, billed]
    ]


def _verifications() -> list[str]:
    """Each verification has its hold, and what came of it stands in the ledger."""
    has = {kind: select(LedgerEntry.id).where(LedgerEntry.verification_id == Verification.id,
                                              LedgerEntry.kind == kind).exists()
           for kind in (EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE)}  # fmt: skip
    faults = {
        "has no hold": ~has[EntryKind.HOLD],
        "is charged, but has no charge": (Verification.billed == Billed.YES) & ~has[EntryKind.CHARGE],
        "is not charged, but was not released": (Verification.billed == Billed.NO) & ~has[EntryKind.RELEASE],
        "is open, but was charged or released": (Verification.billed == Billed.UNKNOWN)
        & (has[EntryKind.CHARGE] | has[EntryKind.RELEASE]),
        "is under way, but finished": (Verification.outcome == Outcome.SENDING) & Verification.finished_at.is_not(None),
    }
    return [
        f"verification {row_id} {what}"
        for what, condition in faults.items()
        for row_id in db.session.scalars(select(Verification.id).where(condition).limit(100))
    ]
