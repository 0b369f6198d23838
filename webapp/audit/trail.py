"""The audit trail: who did what, when, from where, on what, with what success. Append-only.

`append` writes in the caller's transaction, so that an act and its record stand or fall together. Records name people
by their row (`verification 17`), never by name or number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime, insert_rows


class Action(StrEnum):
    """What can be recorded."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    SESSION_LOCKED = "session_locked"
    SESSION_UNLOCKED = "session_unlocked"
    UNLOCK_FAILED = "unlock_failed"
    HANDED_OVER = "handed_over"
    TAKEN_OVER = "taken_over"
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    VERIFICATION_SENT = "verification_sent"
    VERIFICATION_FINISHED = "verification_finished"
    VERIFICATION_BLOCKED = "verification_blocked"
    VERIFICATION_VIEWED = "verification_viewed"
    HISTORY_VIEWED = "history_viewed"
    AUDIT_VIEWED = "audit_viewed"
    LOT_RECORDED = "lot_recorded"
    SETTING_CHANGED = "setting_changed"
    WENT_LIVE = "went_live"
    ACCESS_REFUSED = "access_refused"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_CONFIRMED = "recipient_confirmed"
    RECIPIENT_CHANGED = "recipient_changed"
    RECIPIENT_REMOVED = "recipient_removed"
    TEST_MAIL_SENT = "test_mail_sent"
    MESSAGE_RETRIED = "message_retried"
    RESULT_REUSED = "result_reused"
    CALLS_STOPPED = "calls_stopped"
    CALLS_RESUMED = "calls_resumed"
    PROBE_ASKED = "probe_asked"
    UNKNOWN_SETTLED = "unknown_settled"
    PURPOSE_ADDED = "purpose_added"
    PURPOSE_CHANGED = "purpose_changed"
    SHIFT_DECLARED = "shift_declared"
    SHIFT_ENDED = "shift_ended"
    CALENDAR_CHANGED = "calendar_changed"
    COUNTER_READ = "counter_read"
    BOOKS_REBASED = "books_rebased"
    LOT_CORRECTED = "lot_corrected"
    RECEIPT_ISSUED = "receipt_issued"
    RECEIPT_VIEWED = "receipt_viewed"
    RECEIPT_PRINTED = "receipt_printed"
    RECEIPT_CHECKED = "receipt_checked"


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: a user, or the product itself (`user_id` None); from where, in which request."""

    user_id: int | None
    label: str
    address: str = ""
    request_id: str = ""


SYSTEM = Who(None, "yuliang")


class AuditRecord(Base):
    """One record. Never updated; removed only by retention."""

    __tablename__ = "audit_record"
    __table_args__ = (Index(None, "action", "id"), Index(None, "object_type", "object_id", "id"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_id: Mapped[int | None] = mapped_column(RowId, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(32))
    object_type: Mapped[str] = mapped_column(String(32), default="")
    object_id: Mapped[int | None] = mapped_column(RowId)
    success: Mapped[bool]
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def append(
    who: Who,
    action: Action,
    now: datetime,
    *,
    on: tuple[str, int | None] = ("", None),
    success: bool = True,
    **detail: str | int | bool | None,
) -> None:
    """Adds one record in the caller's transaction. `detail` must hold nothing personal."""
    insert_rows(
        AuditRecord,
        {
            "at": now,
            "actor_id": who.user_id,
            "actor": who.label,
            "action": action,
            "object_type": on[0],
            "object_id": on[1],
            "success": success,
            "address": who.address,
            "request_id": who.request_id,
            "detail": detail,
        },
    )
