"""Retention of the trail: whole segments go, a keyed checkpoint stays, and the chain is proven from there on."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from sqlalchemy import delete

from webapp.audit import chain, stored
from webapp.audit.sealer import secrets_of
from webapp.audit.segments import AuditCheckpoint, AuditSegment
from webapp.audit.stored import Checkpoint, Segment, as_stored
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.database import insert_rows, must_write
from webapp.foundation.keys import Keys

MOST = 10_000
"""Records that are dropped at once, but for a larger first segment: nobody else writes to an SQLite file meanwhile."""


class NotSound(Exception):
    """What was to be dropped is not as it was sealed: it is kept as evidence, and `yuliang verify-audit` names it."""


def drop_before(instant: datetime, who: Who, keys: Keys, now: datetime) -> int:
    """Drops the oldest segments that were sealed before `instant`, in the caller's transaction, and records it.

    Returns how many records went; call again until it returns 0. The newest segment stays: the chain goes on from it.
    Raises `NotSound`.
    """
    session = must_write()
    before = next(stored.checkpoints(), None)
    segments = _oldest(before.number if before else 0, as_stored(instant))
    if not segments:
        return 0
    _prove(before, segments, secrets_of(keys))
    last, count = segments[-1], sum(segment.records for segment in segments)
    for rows in (
        delete(AuditRecord).where(AuditRecord.id <= last.last_id),
        delete(AuditSegment).where(AuditSegment.number <= last.number),
        delete(AuditCheckpoint),
    ):
        session.execute(rows, execution_options={"synchronize_session": False})
    insert_rows(AuditCheckpoint, _checkpoint(last, count + (before.records if before else 0), keys, now))
    append(who, Action.AUDIT_DROPPED, now, first=segments[0].first_id, last=last.last_id, records=count)
    return count


def _oldest(above: int, limit: str) -> list[Segment]:
    found: list[Segment] = []
    for segment, _next in pairwise(stored.segments(above)):
        if segment.sealed_at >= limit or (found and sum(one.records for one in found) + segment.records > MOST):
            break
        found.append(segment)
    return found


def _prove(before: Checkpoint | None, segments: list[Segment], secrets: dict[str, bytes]) -> None:
    """Raises `NotSound` unless checkpoint, segments and records are as they were sealed."""
    if before and not (before.key_id in secrets and chain.is_sealed(secrets[before.key_id], chain.CHECKPOINT, before)):
        raise NotSound("the checkpoint was changed")
    number, last_id, seal = (before.number, before.last_id, before.head) if before else (0, None, chain.GENESIS)
    for segment in segments:
        secret = secrets.get(segment.key_id)
        follows = (segment.number, segment.previous) == (number + 1, seal)
        if secret is None or not follows or not chain.is_sealed(secret, chain.SEGMENT, segment):
            raise NotSound(f"segment {segment.number} was changed, or the one before it")
        if chain.content(secret, (one.row for one in stored.records(last_id, segment.last_id))) != segment.content:
            raise NotSound(f"the records {segment.first_id} to {segment.last_id} are not those that were sealed")
        number, last_id, seal = segment.number, segment.last_id, segment.seal


def _checkpoint(last: Segment, records: int, keys: Keys, now: datetime) -> dict[str, object]:
    key_id, secret = next(iter(secrets_of(keys).items()))
    row = Checkpoint(last.number, last.last_id, records, as_stored(now), key_id, last.seal, b"")
    return row._asdict() | {"dropped_at": now, "seal": chain.seal(secret, chain.CHECKPOINT[0], row[:-1])}
