"""Reads of verifications that more than one page needs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from webapp.accounts.models import Role, User
from webapp.foundation.database import db
from webapp.verification.models import Purpose, Reuse, Verification


def active_purposes() -> Sequence[Purpose]:
    """Purposes one may choose, in order of making."""
    return db.session.scalars(select(Purpose).where(Purpose.active).order_by(Purpose.id)).all()


def visible(verification_id: int, viewer: User) -> Verification | None:
    """The verification where this viewer may see it: one's own, or any for admins and auditors."""
    row = db.session.get(Verification, verification_id)
    if row is None or (viewer.role == Role.OPERATOR and row.operator_id != viewer.id):
        return None
    return row


def visible_reuse(reuse_id: int, viewer: User) -> Reuse | None:
    """The reuse where this viewer may see it: one's own, or any for admins and auditors."""
    row = db.session.get(Reuse, reuse_id)
    if row is None or (viewer.role == Role.OPERATOR and row.operator_id != viewer.id):
        return None
    return row


def purpose(purpose_id: int) -> Purpose | None:
    """One purpose."""
    return db.session.get(Purpose, purpose_id)


def any_verification(verification_id: int) -> Verification | None:
    """One verification, for who may see all."""
    return db.session.get(Verification, verification_id)


def all_purposes() -> Sequence[Purpose]:
    """Every purpose, also those no longer chosen."""
    return db.session.scalars(select(Purpose).order_by(Purpose.id)).all()
