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


def user_names() -> Sequence[tuple[int, str]]:
    """Number and name of all users, by name."""
    named = db.session.execute(select(User.id, User.name).order_by(User.name, User.id))
    return [(number, name) for number, name in named]


def departments() -> Sequence[Department]:
    """All departments, by name."""
    return db.session.scalars(select(Department).order_by(Department.name)).all()
