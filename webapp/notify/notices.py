"""Notices: messages inside the product to everyone of a role, each shown until its reader dismisses it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, ForeignKey, String, and_, delete, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime, db, insert_once, must_write
from webapp.foundation.sealed_columns import fleeting
from webapp.notify.notice_texts import kind_of

LEVELS = ("danger", "warning", "info")
LOOKED_AT = 50
MARKED = fleeting("30 days: a name or number that was tried out, see `privacy`; withdrawn under every index key")


class Notice(Base):
    """A message. `key` is unique: one cause is told once."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True, info=MARKED)
    role: Mapped[str] = mapped_column(String(16), index=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info=MARKED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeDismissal(Base):
    """Says that a user has dismissed a notice."""

    __tablename__ = "notice_dismissal"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Shown(NamedTuple):
    """A notice as a page shows it."""

    id: int
    level: str
    text: str
    endpoint: str | None
    values: dict[str, Any]


def tell(role: str, kind: str, key: str, now: datetime, **params: str | int) -> bool:
    """Writes a notice for `role` in the caller's transaction; False where `key` was told already."""
    return insert_once(Notice, key=key, role=role, kind=kind, params=params, created_at=now)


def withdraw(prefix: str, keep: str = "") -> None:
    """Takes back, in the caller's transaction, notices whose cause is over: those whose key begins with `prefix`,
    but for the key `keep`."""
    _withdraw(Notice.key.startswith(prefix, autoescape=True), keep)


def withdraw_kind(kind: str, keep: str = "") -> None:
    """As `withdraw`, for all notices of a kind: found by an index, however many notices there are."""
    _withdraw(Notice.kind == kind, keep)


def withdraw_old(kinds: Collection[str], before: datetime) -> None:
    """As `withdraw`, for notices of these kinds that were told before then."""
    _withdraw(and_(Notice.kind.in_(kinds), Notice.created_at < before), "")


def _withdraw(over: ColumnElement[bool], keep: str) -> None:
    session = must_write()
    ids = session.scalars(select(Notice.id).where(over, Notice.key != keep)).all()
    if ids:
        session.execute(delete(NoticeDismissal).where(NoticeDismissal.notice_id.in_(ids)))
        session.execute(delete(Notice).where(Notice.id.in_(ids)))


def settled(key: str) -> None:
    """Takes back, in the caller's transaction, the one notice of this key: what it asked for is done."""
    session = must_write()
    notice_id = session.scalar(select(Notice.id).where(Notice.key == key))
    if notice_id is not None:
        session.execute(delete(NoticeDismissal).where(NoticeDismissal.notice_id == notice_id))
        session.execute(delete(Notice).where(Notice.id == notice_id))


def spare(key: str, user_id: int, now: datetime) -> None:
    """Hides, in the caller's transaction, the notice of this key from a user for good: it asks others."""
    notice_id = must_write().scalar(select(Notice.id).where(Notice.key == key))
    if notice_id is not None:
        insert_once(NoticeDismissal, notice_id=notice_id, user_id=user_id, at=now)


def standing(user_id: int, role: str, most: int = 5) -> list[Shown]:
    """The notices that this user has not dismissed: what is dangerous first, then the newest."""
    dismissed = exists().where(NoticeDismissal.notice_id == Notice.id, NoticeDismissal.user_id == user_id)
    rows: Sequence[Notice] = db.session.scalars(
        select(Notice).where(Notice.role == role, ~dismissed).order_by(Notice.id.desc()).limit(LOOKED_AT)
    ).all()
    return sorted(map(_shown, rows), key=lambda shown: LEVELS.index(shown.level))[:most]


def dismiss(notice_id: int, user_id: int, role: str, now: datetime) -> bool:
    """Hides a notice from this user for good; False where there is none for the role."""
    session = must_write()
    notice = session.get(Notice, notice_id)
    if notice is None or notice.role != role:
        return False
    insert_once(NoticeDismissal, notice_id=notice_id, user_id=user_id, at=now)
    return True


def _shown(notice: Notice) -> Shown:
    kind, words = kind_of(notice.kind), notice.params
    return Shown(notice.id, kind.level, kind.text(words), *kind.place(words))
