"""The head of the chain: whoever kept one can prove later that nothing before it was cut off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select

from webapp.audit.segments import AuditSegment
from webapp.audit.trail import AuditRecord
from webapp.foundation.database import db

log = structlog.get_logger("yuliang.audit")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest segment; `waiting_since`: when the oldest record was made that is not sealed yet."""

    seal: str
    number: int
    last_id: int
    sealed_at: datetime
    waiting_since: datetime | None


def head() -> Head | None:
    """The present head; None before the first segment is sealed."""
    columns = AuditSegment.seal, AuditSegment.number, AuditSegment.last_id, AuditSegment.sealed_at
    row = db.session.execute(select(*columns).order_by(AuditSegment.number.desc()).limit(1)).first()
    if row is None:
        return None
    waiting = select(AuditRecord.at).where(AuditRecord.id > row.last_id).order_by(AuditRecord.id).limit(1)
    return Head(row.seal.hex(), row.number, row.last_id, row.sealed_at, db.session.scalar(waiting))


def log_head() -> bool:
    """Writes the head to the log, which lies outside the database; False: nothing is left to do."""
    found = head()
    if found is not None:
        log.info("audit head", head=found.seal, segment=found.number, last_record=found.last_id,
                 sealed_at=found.sealed_at.isoformat())  # fmt: skip
    return False
