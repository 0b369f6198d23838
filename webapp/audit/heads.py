"""The head of the chain: whoever kept one can prove later that nothing before it was cut off."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import func, select

from webapp.audit import chain, stored
from webapp.audit.sealer import secrets_of
from webapp.audit.segments import AuditSegment
from webapp.audit.stamps import is_stamped
from webapp.foundation.database import db
from webapp.foundation.keys import Keys

log = structlog.get_logger("yuliang.audit")

LOOKED_AT = 100
"""Unsealed records."""


class Head(NamedTuple):
    """The newest segment; `waiting_since`: when the oldest record was made that is not sealed yet, of those that will
    be."""

    seal: str
    number: int
    last_id: int
    sealed_at: datetime | None
    """None where no time stands there."""
    waiting_since: datetime | None


def head(keys: Keys) -> Head | None:
    """The present head; None before the first segment is sealed."""
    number = db.session.scalar(select(func.max(AuditSegment.number)))
    row = None if number is None else next(stored.segments(number - 1, most=1), None)
    if row is None:
        return None
    return Head(row.seal.hex(), row.number, row.last_id, stored.time_of(row.sealed_at), _oldest(row.last_id, keys))


def waiting_since(keys: Keys) -> datetime | None:
    """When the oldest record was made that is not sealed yet, of those that will be, before the first segment too."""
    newest = select(AuditSegment.last_id).order_by(AuditSegment.number.desc()).limit(1)
    return _oldest(db.session.scalar(newest) or 0, keys)


def _oldest(above: int, keys: Keys) -> datetime | None:
    waiting = (one.at for one in stored.records(above, most=LOOKED_AT) if is_stamped(one, keys))
    return stored.time_of(next(waiting, None))


def as_found(keys: Keys) -> int:
    """Up to which record the trail begins with records that were sealed as they were found, of whose time before
    nothing is proven; 0: each was stamped when it was written. What follows the first stamped segment is not looked at:
    the verifier names that as well."""
    low, high = 0, db.session.scalar(select(func.max(AuditSegment.number))) or 0
    last_id = 0
    while low < high:  # a million segments are some twenty looks
        middle = (low + high + 1) // 2
        segment = next(stored.segments(middle - 1, most=1), None)
        if segment is not None and _is_found(segment, keys):
            low, last_id = middle, segment.last_id
        else:
            high = middle - 1
    return last_id


def _is_found(segment: stored.Segment, keys: Keys) -> bool:
    secret = secrets_of(keys).get(segment.key_id)
    return secret is not None and chain.is_sealed(secret, (chain.FOUND,), segment)


def log_head(keys: Keys) -> bool:
    """Writes the head to the log, which lies outside the database; False: nothing is left to do."""
    found = head(keys)
    if found is not None:
        log.info("audit head", head=found.seal, segment=found.number, last_record=found.last_id,
                 sealed_at=found.sealed_at.isoformat() if found.sealed_at else None)  # fmt: skip
    return False
