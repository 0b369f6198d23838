"""Closing balances: entries of calls whose facts go are summed up by lot, so that every figure still adds up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, delete, func, select

from webapp.foundation.database import db, insert_once, must_write
from webapp.quota import append_only
from webapp.quota.models import EntryKind, LedgerClosing, LedgerEntry

FIGURES = "holds", "charges", "releases", "change"
_KINDS = EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE


def close(verification_ids: Collection[int], now: datetime) -> None:
    """Turns the entries of these calls into closing balances, in the caller's transaction."""
    session = must_write()
    mine = LedgerEntry.verification_id.in_(verification_ids)
    kinds = (func.sum(case((LedgerEntry.kind == kind, 1), else_=0)) for kind in _KINDS)
    sums = select(LedgerEntry.lot_id, *kinds, func.sum(LedgerEntry.change)).where(mine).group_by(LedgerEntry.lot_id)
    for lot_id, *figures in session.execute(sums).all():
        insert_once(LedgerClosing, lot_id=lot_id or 0, closed_at=now, **dict.fromkeys(FIGURES, 0))
        closing = session.get_one(LedgerClosing, lot_id or 0, populate_existing=True, with_for_update=True)
        for name, figure in zip(FIGURES, figures, strict=True):
            setattr(closing, name, getattr(closing, name) + int(figure))
        closing.closed_at = now
    session.flush()
    with append_only.leave():
        session.execute(delete(LedgerEntry).where(mine), execution_options={"synchronize_session": False})


def of_lot(lot_id: int) -> LedgerClosing | None:
    """What stands for entries of this lot that are gone; None: none are."""
    return db.session.get(LedgerClosing, lot_id, populate_existing=True)


def closings() -> dict[int | None, LedgerClosing]:
    """By lot; None: of calls that no lot could cover."""
    found = db.session.scalars(select(LedgerClosing).execution_options(populate_existing=True))
    return {one.lot_id or None: one for one in found}
