"""The audit trail is sealed, and those who must know are told where somebody wrote into it past the product."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from webapp.audit import sealer
from webapp.audit.refusals import Odd
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, end_read, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.notify import notices
from webapp.notify.notices import Notice

TOLD = "admin", "auditor"


def seal_next(instance: Instance, now: datetime) -> bool:
    """Closes the next segment; False where nothing can be closed."""
    return sealer.seal_next(instance.keys, now, alarm)


def alarm(odd: Odd, now: datetime) -> None:
    """Tells admins and auditors, of each kind once a day."""
    day = day_of(now, this_instance().settings.zone)
    for kind, found in (("records_refused", odd.refused), ("records_missing", odd.missing)):
        keys = [f"{kind}:{role}:{day}" for role in TOLD]
        known = db.session.scalar(select(Notice.id).where(Notice.key == keys[-1])) if found else None
        end_read()
        if found is not None and known is None:
            with transaction():
                for role, key in zip(TOLD, keys, strict=True):
                    notices.tell(role, kind, key, now, **found._asdict())
