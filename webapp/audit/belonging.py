"""Whether audit keys are those of this database's trail, as far as the trail itself can tell.

The ring of keys says it of every later start; this is asked where the ring names no audit key yet, and where one that
it names is no longer held.
"""

from __future__ import annotations

from sqlalchemy import exists, inspect, select

from webapp.audit import chain, stored
from webapp.audit.sealer import secrets_of
from webapp.audit.segments import AuditCheckpoint, AuditSegment
from webapp.audit.stamps import is_stamped
from webapp.audit.trail import AuditRecord
from webapp.foundation.database import db
from webapp.foundation.keys import Keys

LOOKED_AT = 50
"""Newest segments, or oldest unsealed records: one that is under our keys is enough, whatever was done to others."""


def is_ours(keys: Keys) -> bool:
    """Whether a segment, or where there is none a record, is under one of these keys. What is empty is anybody's."""
    there = inspect(db.session.connection())
    if not there.has_table(AuditSegment.__tablename__):
        return True  # of a version before there were seals
    newest = db.session.scalar(select(AuditSegment.number).order_by(AuditSegment.number.desc()).limit(1))
    if newest is not None:
        secrets = secrets_of(keys)
        return any(
            one.key_id in secrets and chain.is_sealed(secrets[one.key_id], chain.SEGMENT, one)
            for one in stored.segments(newest - LOOKED_AT)
        )
    if all(column["name"] != "stamp" for column in there.get_columns(AuditRecord.__tablename__)):
        return True
    stamped = [one for one in stored.records(most=LOOKED_AT) if one.stamp is not None]
    return not stamped or any(is_stamped(one, keys) for one in stamped)


def names(key_id: str) -> bool:
    """Whether a segment, or the checkpoint, says that it is sealed under the key of this id."""
    if not inspect(db.session.connection()).has_table(AuditSegment.__tablename__):
        return False
    asked = (exists().where(table.key_id == key_id) for table in (AuditSegment, AuditCheckpoint))
    return any(db.session.scalar(select(one)) for one in asked)
