"""Reads of verifications that more than one page needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, func, select

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


def last_before(since: datetime | BindParameter[datetime]) -> ColumnElement[int]:
    """The number of the last verification before `since`, 0 where there is none. Numbers grow with time: looking only
    above it spares a frequent name all its earlier rows."""
    earlier = select(Verification.id).where(Verification.created_at <= since)
    newest = earlier.order_by(Verification.created_at.desc(), Verification.id.desc()).limit(1)
    return func.coalesce(newest.scalar_subquery(), 0)
