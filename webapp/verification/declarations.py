"""Shift declarations: for a while, everyone verified for a purpose consents in writing, on one named document.

It fills the consent of each check of its operator and purpose, and is recorded with it. It never stands for the
guardian of a child, who is asked each time (PIPL, article 31).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write, transaction
from webapp.verification.models import ShiftDeclaration

LONGEST = 12
"""Hours that a declaration lasts at most: a shift, not a habit."""


class Declared(NamedTuple):
    """What an operator declares; `document` is the number of the document that the people sign."""

    purpose_id: int
    document: str
    hours: int


def standing(operator_id: int, now: datetime) -> dict[int, ShiftDeclaration]:
    """The operator's declarations in force, by purpose."""
    mine = select(ShiftDeclaration).where(ShiftDeclaration.operator_id == operator_id, ShiftDeclaration.until > now)
    return {row.purpose_id: row for row in db.session.scalars(mine.order_by(ShiftDeclaration.id))}


def document(declaration_id: int) -> str:
    """The number of the document that a declaration names."""
    row = db.session.get(ShiftDeclaration, declaration_id)
    return row.document if row is not None else ""


def declare(declared: Declared, who: Who, now: datetime) -> None:
    """Puts a declaration in force; it ends an earlier one for the same purpose."""
    if who.user_id is None:
        raise ValueError("a declaration is someone's word")
    with transaction() as session:
        _end(who.user_id, declared.purpose_id, now)
        row = ShiftDeclaration(
            operator_id=who.user_id, purpose_id=declared.purpose_id, document=declared.document, made_at=now,
            until=now + timedelta(hours=declared.hours),
        )  # fmt: skip
        session.add(row)
        session.flush()
        append(who, Action.SHIFT_DECLARED, now, on=("declaration", row.id), purpose=row.purpose_id)


def end(purpose_id: int, who: Who, now: datetime) -> None:
    """Ends the operator's declaration for a purpose, if there is one."""
    with transaction():
        if who.user_id is not None and _end(who.user_id, purpose_id, now):
            append(who, Action.SHIFT_ENDED, now, purpose=purpose_id)


def end_all(operator_id: int, who: Who, now: datetime) -> None:
    """Ends the operator's declarations with the shift, in the transaction of the hand-over."""
    for purpose_id in standing(operator_id, now):
        _end(operator_id, purpose_id, now)
        append(who, Action.SHIFT_ENDED, now, purpose=purpose_id)


def _end(operator_id: int, purpose_id: int, now: datetime) -> bool:
    mine = update(ShiftDeclaration).where(
        ShiftDeclaration.operator_id == operator_id, ShiftDeclaration.purpose_id == purpose_id,
        ShiftDeclaration.until > now,
    )  # fmt: skip
    return bool(must_write().execute(mine.values(until=now)).rowcount)  # type: ignore[attr-defined]
