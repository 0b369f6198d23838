"""Reads of accounts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from webapp.accounts.models import Department, User
from webapp.foundation.database import db


def user(user_id: int) -> User | None:
    """One user."""
    return db.session.get(User, user_id)


def users() -> Sequence[User]:
    """All users, by name."""
    return db.session.scalars(select(User).order_by(User.name, User.id)).all()


def departments() -> Sequence[Department]:
    """All departments, by name."""
    return db.session.scalars(select(Department).order_by(Department.name)).all()
