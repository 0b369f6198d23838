"""Reads of receipts."""

from __future__ import annotations

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.foundation.database import db
from webapp.receipts import commitment, paper
from webapp.receipts.models import Receipt, ReceiptSalt
from webapp.verification import queries as verifications


def by_number(typed: str) -> Receipt | None:
    """The receipt of a number, typed in whichever way; None where there is none or it is none."""
    try:
        number = commitment.read_number(typed)
    except paper.Mistyped:
        return None
    return db.session.get(Receipt, number, populate_existing=True)


def visible(typed: str, viewer: User) -> Receipt | None:
    """As `by_number`, where this viewer may see the result that it is a receipt of."""
    found = by_number(typed)
    if found is None:
        return None
    if found.reuse_id is not None:
        return found if verifications.visible_reuse(found.reuse_id, viewer) else None
    return found if verifications.visible(found.verification_id, viewer) else None


def of_verification(verification_id: int) -> Receipt | None:
    """The receipt of a verification itself, None where none was issued."""
    own = select(Receipt).where(Receipt.verification_id == verification_id, Receipt.reuse_id.is_(None))
    return db.session.scalar(own)


def of_reuse(reuse_id: int) -> Receipt | None:
    """The receipt of a reuse, None where none was issued."""
    return db.session.scalar(select(Receipt).where(Receipt.reuse_id == reuse_id))


def sealed_salt(number: str) -> bytes | None:
    """The sealed salt; None once the identity is gone."""
    return db.session.scalar(select(ReceiptSalt.sealed).where(ReceiptSalt.number == number))
