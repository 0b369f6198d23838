"""Notices: messages inside the product to everyone of a role, each shown until its reader dismisses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import JSON, ColumnElement, ForeignKey, String, delete, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime, db, insert_once, must_write
from webapp.vendor.texts import CAUSES

LEVELS = ("danger", "warning", "info")
LOOKED_AT = 50


class Notice(Base):
    """A message. `key` is unique: one cause is told once."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    role: Mapped[str] = mapped_column(String(16), index=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeDismissal(Base):
    """Says that a user has dismissed a notice."""

    __tablename__ = "notice_dismissal"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Shown:
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
    words = notice.params
    result = ("verification.result", {"id": words.get("id")})
    match notice.kind:
        case "unknown_outcome":
            text = _(
                "Verification %(id)s has an unknown outcome: it may have been charged; a call stays held.", **words
            )
            return Shown(notice.id, "warning", text, *result)
        case "unexpected_answer":
            text = _("Verification %(id)s got an unexpected answer (code %(code)s). It is kept for you.", **words)
            return Shown(notice.id, "warning", text, *result)
        case "calls_stop":
            cause = CAUSES.get(words["cause"], words["cause"])
            text = _("The vendor refuses calls: %(cause)s.", cause=cause)
            return Shown(notice.id, "danger", text, "history.index", {"outcome": "refused"})
        case "recipient_left":
            text = _("%(address)s ended its reminder mails by the link in one of them.", **words)
            return Shown(notice.id, "warning", text, "reminders.index", {})
        case "lapsed_unseen":
            text = _("A lot ended on %(day)s with %(calls)s calls left, too long ago to tell by mail.", **words)
            return Shown(notice.id, "info", text, "reminders.index", {})
        case "drift":
            text = (
                ngettext("The vendor counted %(calls)s call more than this product made.",
                         "The vendor counted %(calls)s calls more than this product made.", words["calls"], **words)
                if words["more"] else
                ngettext("The vendor counted %(calls)s call fewer than this product made.",
                         "The vendor counted %(calls)s calls fewer than this product made.", words["calls"], **words)
            )  # fmt: skip
            return Shown(notice.id, "warning", text, "reconciliation.index", {})
        case "many_numbers":
            text = _("%(count)s different numbers were tried for one name (mark %(mark)s) on %(day)s.", **words)
            return Shown(notice.id, "warning", text, *_that_day(words))
        case "many_names":
            text = _("%(count)s different names were tried for one number (mark %(mark)s) on %(day)s.", **words)
            return Shown(notice.id, "warning", text, *_that_day(words))
    return Shown(notice.id, "info", notice.kind, None, {})


def _that_day(words: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "audit.index", {"action": "verification_sent", "from": words["day"], "to": words["day"]}
