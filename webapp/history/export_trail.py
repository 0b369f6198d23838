"""What the audit trail keeps of an export: whoever was searched for is told by fingerprint, never by text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from webapp.audit.meant import record_meant
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.history.filters import Filters
from webapp.history.search_readings import readings

LATELY = timedelta(days=1)


def record(
    action: Action, asked: Filters, who: Who, instance: Instance, now: datetime, *,
    export_id: int | None = None, **detail: Any,
) -> None:  # fmt: skip
    """Adds to the trail, in the caller's transaction; what a search may mean is told apart from the export."""
    on = ("export", export_id) if export_id is not None else ("", None)
    append(who, action, now, on=on, **detail)
    meant = ((one.kind, one.value) for one in readings(asked.search or ""))
    record_meant(action, meant, who, instance.keys, now)


def is_accounts_maker(owner_id: int, approver_id: int | None, now: datetime) -> bool:
    """Whether whoever asked for an export made or changed the account of its approver within a day: two accounts may be
    one person then."""
    lately = AuditRecord.at > now - LATELY, AuditRecord.action.in_((Action.USER_CREATED, Action.USER_CHANGED))
    account = AuditRecord.object_type == "user", AuditRecord.object_id == approver_id
    made = select(AuditRecord.id).where(*account, *lately, AuditRecord.actor_id == owner_id, AuditRecord.success)
    return db.session.scalar(made.limit(1)) is not None
