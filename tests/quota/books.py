"""Lots and calls of the quota tests, written through the real ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import select

from tests.support.cast import ADMIN, NOW, OPERATOR
from webapp.audit.trail import Who
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import drawing, ledger, operations
from webapp.quota.ledger import Purchase
from webapp.quota.models import LedgerEntry, Lot
from webapp.quota.rules import DrawOrder
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import settling
from webapp.verification.models import Decision, LegalBasis, Source, Verification

WHO = Who(ADMIN.id, ADMIN.name)
REASON = "对账单"
TODAY = date(2026, 11, 2)
"""NOW's day in the reporting zone."""


def buy(
    calls: int, bought_on: date = date(2026, 1, 1), expires_on: date = date(2026, 12, 31), *,
    price_fen: int | None = None, used_before: int = 0, order_number: str = "",
) -> int:  # fmt: skip
    """Records a lot; returns its number."""
    purchase = Purchase(calls, bought_on, expires_on, price_fen, order_number, used_before=used_before)
    with transaction():
        return ledger.record_purchase(purchase, WHO, NOW).id


def correct(lot: int, change: int, today: date = TODAY) -> int:
    with transaction():
        return ledger.correct(lot, change, REASON, WHO, NOW + (today - TODAY))


def use_elsewhere(lot: int, change: int, today: date = TODAY) -> int:
    with transaction():
        return ledger.use_elsewhere(lot, change, REASON, WHO, NOW + (today - TODAY))


def close(lot: int, today: date = TODAY) -> int:
    with transaction():
        return operations.close(lot, REASON, WHO, today, NOW)


def reopen(lot: int, today: date = TODAY) -> int:
    with transaction():
        return operations.reopen(lot, REASON, WHO, today, NOW)


def refund(lot: int, calls: int, fen: int = 0, today: date = TODAY) -> None:
    with transaction():
        operations.refund(lot, calls, fen, REASON, WHO, today, NOW)


def change(lot: int, today: date = TODAY, **facts: Any) -> bool:
    """Changes some facts of a lot."""
    with transaction():
        known = operations.facts_of(ledger.locked(lot))
        return operations.change_facts(lot, replace(known, **facts), REASON, WHO, today, NOW)


def use_first(order: DrawOrder) -> None:
    with transaction():
        drawing.switch(order, WHO, NOW)


def settle(call: int, decision: Decision, today: date = TODAY) -> None:
    """What an admin decides about a call, at noon of that day."""
    noon = datetime.combine(today, time(12), this_instance().settings.zone)
    settling.settle(call, decision, REASON, WHO, this_instance(), noon.astimezone(UTC))


def new_call() -> int:
    """A stored verification, its outcome unknown, that entries can belong to, in the caller's transaction."""
    row = Verification(
        created_at=NOW, deadline_at=NOW, outcome=Outcome.UNKNOWN, billed=Billed.UNKNOWN, source=Source.DESK,
        operator_id=OPERATOR.id, purpose_id=1, legal_basis=LegalBasis.CONSENT, consent=True,
    )  # fmt: skip
    must_write().add(row)
    must_write().flush()
    return row.id


def hold(today: date = TODAY) -> tuple[int, int | None]:
    """A call and the lot that holds it."""
    with transaction():
        call = new_call()
        lot = ledger.hold(call, today, NOW)
        must_write().get_one(Verification, call).lot_id = lot
        return call, lot


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
