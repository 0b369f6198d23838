"""People and purposes of a made-up year: they do not go along when the instance goes live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select

from webapp.accounts.models import MADE_UP, User
from webapp.audit.trail import SYSTEM, Action, AuditRecord, append
from webapp.foundation.database import must_write
from webapp.verification.models import Purpose


def switch_off(now: datetime) -> list[str]:
    """Switches made-up users off, and the purposes that they added, in the caller's transaction; the users' addresses.

    Their rows stay, for the audit trail names them; their departments are only names.
    """
    session = must_write()
    made_up = User.email.endswith(f"@{MADE_UP}", autoescape=True)
    people = session.scalars(select(User).where(made_up).order_by(User.id)).all()
    for purpose in session.scalars(_added_by([user.id for user in people])):
        purpose.active = False
        append(SYSTEM, Action.PURPOSE_CHANGED, now, on=("purpose", purpose.id), active=False)
    off = [user for user in people if user.active]
    for user in off:
        user.active = False
        user.session_epoch += 1
        append(SYSTEM, Action.USER_CHANGED, now, on=("user", user.id), changed="active", active=False)
    return [user.email for user in off]


def _added_by(user_ids: Sequence[int]) -> Select[Purpose]:
    added = select(AuditRecord.object_id).where(
        AuditRecord.action == Action.PURPOSE_ADDED, AuditRecord.actor_id.in_(user_ids)
    )
    return select(Purpose).where(Purpose.id.in_(added), Purpose.active).order_by(Purpose.id)
