"""`yuliang check`: recounts lots, ledger, verifications and counters, and names every difference.

Every call is read twice, by the hour it was made in and beside its ledger entries; never many of them at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text

from webapp.foundation.database import db, snapshot
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.models import ONCE, EntryKind, LedgerEntry
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import recounting, rollups
from webapp.verification.models import Verification

MOST_NAMED = 1_000
"""Verifications whose faults are named."""


def check_everything() -> list[str]:
    """Every difference in words; empty: all agree. Reads one instant, so writers may go on meanwhile."""
    zone = this_instance().settings.zone
    with snapshot():
        return [*_lots(), *_counters(zone), *_verifications()]


def _lots() -> list[str]:
    return [f"{one.what}: stored {one.cached}, recounted {one.recounted}" for one in quota.recount()]


def _counters(zone: ZoneInfo) -> Iterator[str]:
    """What charts are made of against the calls themselves."""
    counter = recounting.counter(zone)
    for day in rollups.counted_days(zone):
        counted, stored = counter(day), recounting.stored(day, zone)
        yield from _differences(f"calls of {day}", counted.of_day, stored.of_day)
        yield from _differences("calls of the hour from", counted.of_hours, stored.of_hours)
        yield from _differences("answer times of the hour from", counted.latencies, stored.latencies)


def _differences(what: str, counted: Counter[Any], stored: Counter[Any]) -> Iterator[str]:
    for key in sorted(counted.keys() | stored.keys()):
        if counted[key] != stored[key]:
            words = (f"{one:%Y-%m-%d %H:%M} UTC" if isinstance(one, datetime) else str(one) for one in key)
            yield f"{what} {'/'.join(words)}: counted {counted[key]}, stored {stored[key]}"


def _verifications() -> Iterator[str]:
    """Each verification has its hold, and what came of it stands in the ledger, on the same lot."""
    faults = {name: found.label(f"fault_{number}") for number, (name, found) in enumerate(_faults().items())}
    # In the very words of the index, which holds these entries only.
    entries = and_(LedgerEntry.verification_id == Verification.id, text(ONCE))
    found = (
        select(Verification.id, *faults.values())
        .outerjoin(LedgerEntry, entries)
        .group_by(Verification.id)
        .having(or_(*_faults().values()))
        .order_by(Verification.id)
        .limit(MOST_NAMED)
    )
    for row_id, *flags in db.session.execute(found):
        yield from (f"verification {row_id} {what}" for what, flag in zip(faults, flags, strict=True) if flag)


def _faults() -> dict[str, ColumnElement[bool]]:
    """What can be wrong with a verification beside its entries, of which each kind is there once or not at all."""

    def has(kind: EntryKind) -> ColumnElement[bool]:
        return func.coalesce(func.sum(case((LedgerEntry.kind == kind, 1), else_=0)), 0) > 0

    hold, charge, release = has(EntryKind.HOLD), has(EntryKind.CHARGE), has(EntryKind.RELEASE)
    yes, no, unknown = (Verification.billed == billed for billed in (Billed.YES, Billed.NO, Billed.UNKNOWN))
    elsewhere = func.coalesce(LedgerEntry.lot_id, 0) != func.coalesce(Verification.lot_id, 0)
    other_lot = and_(LedgerEntry.id.is_not(None), elsewhere)
    return {
        "has no hold": ~hold,
        "is charged, but has no charge": and_(yes, ~charge),
        "is charged, but was released": and_(yes, release),
        "is not charged, but was not released": and_(no, ~release),
        "is not charged, but has a charge": and_(no, charge),
        "is open, but was charged or released": and_(unknown, or_(charge, release)),
        "stands in the ledger of another lot": func.sum(case((other_lot, 1), else_=0)) > 0,
        "is under way, but finished": and_(
            Verification.outcome == Outcome.SENDING, Verification.finished_at.is_not(None)
        ),
    }
