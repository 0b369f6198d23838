"""Each verification beside its ledger entries: it has its hold, and what came of it stands there as it was."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, case, func, or_, select, text

from webapp.foundation.database import db
from webapp.quota.models import ONCE, EntryKind, LedgerEntry
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import Decision, Settlement, Verification

MOST_NAMED = 1_000
"""Verifications whose faults are named."""


def differences() -> Iterator[str]:
    """What does not fit, the oldest verification first; then entries of verifications that there are not."""
    faults = _faults()
    labelled = [found.label(f"fault_{number}") for number, (_what, found) in enumerate(faults)]
    # In the very words of the index, which holds these entries only.
    entries = and_(LedgerEntry.verification_id == Verification.id, text(ONCE))
    found = (
        select(Verification.id, *labelled)
        .outerjoin(LedgerEntry, entries)
        .group_by(Verification.id)
        .having(or_(*(found for _what, found in faults)))
        .order_by(Verification.id)
        .limit(MOST_NAMED)
    )
    for row_id, *flags in db.session.execute(found):
        for (what, _found), flag in zip(faults, flags, strict=True):
            if flag:
                yield _("verification %(id)s %(what)s", id=row_id, what=what)
    yield from _of_nobody()


def _of_nobody() -> Iterator[str]:
    beside = select(LedgerEntry.id, LedgerEntry.verification_id).outerjoin(
        Verification, Verification.id == LedgerEntry.verification_id
    )
    lost = beside.where(LedgerEntry.verification_id.is_not(None), Verification.id.is_(None), text(ONCE))
    for entry_id, row_id in db.session.execute(lost.order_by(LedgerEntry.id).limit(MOST_NAMED)):
        yield _("ledger entry %(id)s belongs to verification %(verification)s, which does not exist",
                id=entry_id, verification=row_id)  # fmt: skip


def _faults() -> list[tuple[LazyString, ColumnElement[bool]]]:
    """What can be wrong with a verification beside its entries, of which each kind is there once or not at all."""

    def has(kind: EntryKind) -> ColumnElement[bool]:
        return func.coalesce(func.sum(case((LedgerEntry.kind == kind, 1), else_=0)), 0) > 0

    def any_entry(that: ColumnElement[bool]) -> ColumnElement[bool]:
        return func.coalesce(func.sum(case((and_(LedgerEntry.id.is_not(None), that), 1), else_=0)), 0) > 0

    hold, charge, release = has(EntryKind.HOLD), has(EntryKind.CHARGE), has(EntryKind.RELEASE)
    yes, no, unknown = (Verification.billed == billed for billed in (Billed.YES, Billed.NO, Billed.UNKNOWN))
    elsewhere = func.coalesce(LedgerEntry.lot_id, 0) != func.coalesce(Verification.lot_id, 0)
    return [
        (_l("has no hold"), ~hold),
        (_l("is charged, but has no charge"), and_(yes, ~charge)),
        (_l("is charged, but was released"), and_(yes, release)),
        (_l("is not charged, but was not released"), and_(no, ~release)),
        (_l("is not charged, but has a charge"), and_(no, charge)),
        (_l("is open, but was charged or released"), and_(unknown, or_(charge, release))),
        (_l("stands in the ledger of another lot"), any_entry(elsewhere)),
        (_l("is under way, but finished"),
         and_(Verification.outcome == Outcome.SENDING, Verification.finished_at.is_not(None))),
        (_l("was held at another time than it was made"), any_entry(_held_otherwise())),
        (_l("was charged or released at another time than its answer or decision, or by somebody else"),
         any_entry(_ended_otherwise())),
    ]  # fmt: skip


def _held_otherwise() -> ColumnElement[bool]:
    return and_(LedgerEntry.kind == EntryKind.HOLD, LedgerEntry.at != Verification.created_at)


def _ended_otherwise() -> ColumnElement[bool]:
    """The answer ended the call, or a decision of which there is a record, with its reason."""
    by_answer = and_(LedgerEntry.at == Verification.finished_at, LedgerEntry.actor_id.is_(None))
    kind = case((Settlement.decision == Decision.CHARGED, EntryKind.CHARGE.value), else_=EntryKind.RELEASE.value)
    decided = select(Settlement.id).where(
        Settlement.verification_id == Verification.id, Settlement.at == LedgerEntry.at, LedgerEntry.kind == kind,
        Settlement.actor_id == LedgerEntry.actor_id, Settlement.reason == LedgerEntry.reason,
    )  # fmt: skip
    return case(
        (LedgerEntry.kind == EntryKind.HOLD, False), (by_answer, LedgerEntry.reason != ""),
        else_=~decided.correlate(Verification, LedgerEntry).exists(),
    ).is_(True)  # fmt: skip
