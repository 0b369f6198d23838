"""Lots and calls of the quota tests, written through the real ledger."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from tests.support.cast import ADMIN, NOW, OPERATOR
from webapp.audit.trail import Who
from webapp.foundation.database import db, must_write, transaction
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import LedgerEntry, Lot
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.models import LegalBasis, Source, Verification

WHO = Who(ADMIN.id, ADMIN.name)
TODAY = date(2026, 11, 2)
"""NOW's day in the reporting zone."""


def buy(calls: int, bought_on: date = date(2026, 1, 1), expires_on: date = date(2026, 12, 31)) -> int:
    """Records a lot; returns its number."""
    with transaction():
        return ledger.record_purchase(Purchase(calls, bought_on, expires_on), WHO, NOW).id


def new_call() -> int:
    """A stored verification that entries can belong to, in the caller's transaction."""
    row = Verification(
        created_at=NOW, deadline_at=NOW, outcome=Outcome.SENDING, billed=Billed.UNKNOWN, source=Source.DESK,
        operator_id=OPERATOR.id, purpose_id=1, legal_basis=LegalBasis.CONSENT, consent=True,
    )  # fmt: skip
    must_write().add(row)
    must_write().flush()
    return row.id


def hold(today: date = TODAY) -> tuple[int, int | None]:
    """A call and the lot that holds it."""
    with transaction():
        call = new_call()
        return call, ledger.hold(call, today, NOW)


def charge(call: int, lot: int | None) -> None:
    with transaction():
        ledger.charge(call, lot, NOW)


def release(call: int, lot: int | None, today: date = TODAY) -> None:
    with transaction():
        ledger.release(call, lot, today, NOW)


def lapse(today: date) -> bool:
    with transaction():
        return ledger.lapse_expired(today, NOW)


def figures(lot: int) -> tuple[int, int, int, int]:
    """(available, held, charged, lapsed) as stored."""
    db.session.rollback()
    columns = (Lot.available, Lot.held, Lot.charged, Lot.lapsed)
    available, held, charged, lapsed = db.session.execute(select(*columns).where(Lot.id == lot)).one()
    return available, held, charged, lapsed


def entries(lot: int | None) -> list[tuple[str, int, int]]:
    """(kind, change, available after) of a lot's entries, oldest first."""
    db.session.rollback()
    mine = LedgerEntry.lot_id.is_(None) if lot is None else LedgerEntry.lot_id == lot
    rows = db.session.scalars(select(LedgerEntry).where(mine).order_by(LedgerEntry.id))
    return [(str(row.kind), row.change, row.available_after) for row in rows]
