"""The audit trail: who did what, when, from where, on what, with what success. Append-only.

`append` writes in the caller's transaction, so that an act and its record stand or fall together. Records name people
by their row (`verification 17`), never by name or number.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Dialect, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from webapp.audit import showing, stamps, stored
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.instance import this_instance
from webapp.foundation.sealed_columns import keyed


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
    HISTORY_SEARCHED = "history_searched"
    VIEW_SAVED = "view_saved"
    VIEW_CHANGED = "view_changed"
    VIEW_DELETED = "view_deleted"
    AUDIT_VIEWED = "audit_viewed"
    AUDIT_EXPORTED = "audit_exported"
    AUDIT_DROPPED = "audit_dropped"
    COPIES_REMOVED = "copies_removed"
    FIGURES_EXPORTED = "figures_exported"
    SCHEMA_MIGRATED = "schema_migrated"
    LOOKS_VIEWED = "looks_viewed"
    PERSON_MEANT = "person_meant"
    LOT_RECORDED = "lot_recorded"
    SETTING_CHANGED = "setting_changed"
    WENT_LIVE = "went_live"
    ACCESS_REFUSED = "access_refused"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_ASKED = "recipient_asked"
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
    LOT_COVERED = "lot_covered"
    LOT_CHANGED = "lot_changed"
    LOT_CLOSED = "lot_closed"
    LOT_REOPENED = "lot_reopened"
    LOT_REFUNDED = "lot_refunded"
    DEDUCTION_CHANGED = "deduction_changed"
    CAP_CHANGED = "cap_changed"
    RECEIPT_ISSUED = "receipt_issued"
    RECEIPT_VIEWED = "receipt_viewed"
    RECEIPT_PRINTED = "receipt_printed"
    RECEIPT_CHECKED = "receipt_checked"
    REAUTHENTICATED = "reauthenticated"
    REAUTHENTICATION_FAILED = "reauthentication_failed"
    PERSON_REVEALED = "person_revealed"
    HISTORY_EXPORTED = "history_exported"
    EXPORT_SENT = "export_sent"
    EXPORT_ROWS = "export_rows"
    EXPORT_ASKED = "export_asked"
    EXPORT_APPROVED = "export_approved"
    EXPORT_DECLINED = "export_declined"
    EXPORT_FETCHED = "export_fetched"
    EXPORT_DESTROYED = "export_destroyed"
    KEYS_ADDED = "keys_added"
    KEYS_ROTATED = "keys_rotated"
    PURGE_BEGUN = "purge_begun"
    PURGE_DONE = "purge_done"
    HOLD_PLACED = "hold_placed"
    HOLD_LIFTED = "hold_lifted"
    HOLDS_VIEWED = "holds_viewed"
    PERSON_FOUND = "person_found"
    PERSON_EXPORTED = "person_exported"
    PERSON_ERASED = "person_erased"
    PROCESSING_EXPORTED = "processing_exported"
    RECORDS_REFUSED = "records_refused"
    RECORDS_MISSING = "records_missing"


NEVER_SUCCEED = frozenset({
    Action.LOGIN_FAILED, Action.UNLOCK_FAILED, Action.REAUTHENTICATION_FAILED, Action.ACCESS_REFUSED,
    Action.VERIFICATION_BLOCKED,
})  # fmt: skip
"""What by its nature is recorded without success only."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: a user, or the product itself (`user_id` None); from where, in which request."""

    user_id: int | None
    label: str
    address: str = ""
    request_id: str = ""


SYSTEM = Who(None, "yuliang")
LISTED = "verifications"
"""Under which name `detail` holds the verifications that were shown, packed."""


FAILED, ABOUT, SHOWN = "success = FALSE", "subject IS NOT NULL", "shown IS NOT NULL"
"""Few of many records: only those cost an entry of their index."""
ANY = "id <> 0"
"""Always so. Who asks for all failures says it, and finds the index over all of them. PostgreSQL would take that one
for somebody's failures too, and read everybody's."""


def _index_of(few: str, name: str, *columns: str) -> Index:
    return Index(f"ix_audit_record_{name}", *columns, "at", "id", sqlite_where=text(few), postgresql_where=text(few))


class _Detail(TypeDecorator[dict[str, Any]]):
    """A JSON object. What is none, which nobody but a tamperer stores, is shown as it lies there: it keeps no auditor
    from reading the trail."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dict[str, Any]]:
        read = super().result_processor(dialect, coltype)

        def lenient(value: Any) -> dict[str, Any]:
            try:
                found = value if read is None else read(value)
            except ValueError:
                found = value
            return found if isinstance(found, dict) else {"?": str(found)}

        return lenient


class _Time(UtcDateTime):
    """None where no time stands there, which nobody but a tamperer stores."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        read = super().result_processor(dialect, coltype)

        def lenient(value: Any) -> datetime | None:
            try:
                found = value if read is None else read(value)
            except (TypeError, ValueError):
                return None
            return found if isinstance(found, datetime) else None

        return lenient


class AuditRecord(Base):
    """One record. Never updated; removed only by retention."""

    __tablename__ = "audit_record"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "action", "at", "id"),
        Index(None, "actor_id", "at", "id"),
        Index(None, "actor_id", "action", "at", "id"),
        Index(None, "object_type", "object_id", "at", "id"),
        _index_of(f"{FAILED} AND {ANY}", "failed", "success"),
        _index_of(FAILED, "failed_action", "action", "success"),
        _index_of(FAILED, "failed_actor", "actor_id", "success"),
        _index_of(FAILED, "failed_actor_action", "actor_id", "action", "success"),
        _index_of(FAILED, "failed_object", "object_type", "object_id", "success"),
        _index_of(ABOUT, "subject", "subject"),
        Index("ix_audit_record_shown", "shown", "id", sqlite_where=text(SHOWN), postgresql_where=text(SHOWN)),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(_Time)
    actor_id: Mapped[int | None] = mapped_column(RowId)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(32))
    object_type: Mapped[str] = mapped_column(String(32), default="")
    object_id: Mapped[int | None] = mapped_column(RowId)
    success: Mapped[bool]
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(_Detail, default=dict)
    subject: Mapped[bytes | None] = mapped_column(LargeBinary(16), info=keyed("the audit keys, looked for under all"))
    """Fingerprint of the person who was looked for, see `subjects`."""
    shown: Mapped[int | None] = mapped_column(RowId)
    """Of a page or a piece of a file: the block of the verifications in it, see `showing`; they stand in `detail`."""
    stamp: Mapped[bytes | None] = mapped_column(LargeBinary(16), info=keyed("an audit key, tried under all"))
    """Shows that the product wrote the record, see `stamps`."""


def append(
    who: Who,
    action: Action,
    now: datetime,
    *,
    on: tuple[str, int | None] = ("", None),
    success: bool = True,
    subject: bytes | None = None,
    shown: Sequence[int] = (),
    **detail: str | int | bool | None,
) -> None:
    """Adds one record in the caller's transaction. `detail` must hold nothing personal.

    `subject`: whom it is about, where no object says so, as `subjects.fingerprint` makes it. `shown`: the verifications
    that stood on a page, or in a piece of a file.
    """
    if shown:
        detail[LISTED] = showing.pack(shown)
    record = stored.Record(
        id=stored.next_number(), at=stored.as_stored(now), actor_id=who.user_id, actor=who.label, action=action.value,
        object_type=on[0], object_id=on[1], success=success, address=who.address, request_id=who.request_id,
        detail=json.dumps(detail), subject=subject, shown=showing.block(shown), stamp=None,
    )  # fmt: skip
    stored.add(stamps.stamped(record, this_instance().keys))
