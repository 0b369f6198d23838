"""Retention of the trail: whole segments go, a keyed checkpoint stays, and the chain is proven from there on.

What is not as it was sealed stays as it is, and stops nothing: the checkpoint names it among what went around it. Once
it is proven after all (a key was put back, or what was changed), it goes like the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select

from webapp.audit import chain, gaps, proof, stored
from webapp.audit.gaps import BEGINNING, Gap, Point
from webapp.audit.proof import NotSound
from webapp.audit.sealer import secrets_of
from webapp.audit.segments import AuditCheckpoint, AuditSegment
from webapp.audit.stored import Checkpoint, Segment, as_stored
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.database import db, insert_rows, must_write
from webapp.foundation.keys import Keys

MOST = 10_000
"""Records that are dropped at once, but for a larger first segment: nobody else writes to an SQLite file meanwhile."""
MOST_GAPS = 100
"""Places at which something is left; who changes more than these stops the purge of the trail until they are mended."""


class Dropped(NamedTuple):
    """How many records went, and how many were newly left among them."""

    records: int
    left: int = 0


class _Going(NamedTuple):
    """Neighbouring segments that go, behind number `behind`, with the records above `above`."""

    behind: int
    above: int
    first_id: int
    last: Segment
    records: int


def drop_before(instant: datetime, who: Who, keys: Keys, now: datetime) -> Dropped:
    """Drops the oldest segments that were sealed before `instant`, in the caller's transaction, and records it.

    Call again until no record goes. The newest segment stays: the chain goes on from it. Raises `NotSound`.
    """
    before, secrets, limit = next(stored.checkpoints(), None), secrets_of(keys), as_stored(instant)
    if before and not (
        before.key_id in secrets and chain.is_sealed(secrets[before.key_id], chain.CHECKPOINT, before.row)
    ):
        raise NotSound("the checkpoint was changed")
    at = Point(before.number, before.last_id, before.head) if before else BEGINNING
    known = gaps.unpack(before.left_out) if before else []
    going, passed = _next(at, limit, secrets)
    if going:
        end, left = going[-1].last, known + passed
        at = Point(end.number, end.last_id, end.seal)
    else:
        going, left = _mended(known, limit, secrets)
    if not going:
        return Dropped(0)
    if len(left) > MOST_GAPS:
        raise NotSound(f"the segments {gaps.numbers(left[:5])} and more are not as they were sealed")
    return _drop(going, at, before, left, passed, who, keys, now)


def _next(at: Point, limit: str, secrets: dict[str, bytes]) -> tuple[list[_Going], list[Gap]]:
    going: list[_Going] = []
    passed: list[Gap] = []
    total = 0
    for gap, segment in proof.proven(at, limit, secrets):
        if going and total + segment.records > MOST:
            break
        if gap.first <= gap.last:
            passed.append(gap)
        if going and gap.first > gap.last:
            going[-1] = going[-1]._replace(last=segment, records=going[-1].records + segment.records)
        else:
            going.append(
                _Going(
                    gap.last,
                    gap.upto if gap.first <= gap.last else gap.above,
                    segment.first_id,
                    segment,
                    segment.records,
                )
            )
        total += segment.records
    return going, passed


def _mended(known: list[Gap], limit: str, secrets: dict[str, bytes]) -> tuple[list[_Going], list[Gap]]:
    """The beginnings of gaps that are proven by now, and what is left of all gaps."""
    going: list[_Going] = []
    left: list[Gap] = []
    for gap in known:
        rest: Gap | None = gap
        for between, segment in proof.proven(gap.start, limit, secrets, gap.last):
            is_end = segment.number == gap.last
            if between.first <= between.last or sum(one.records for one in going) > MOST or (
                is_end and (segment.seal != gap.after or _any(segment.last_id, gap.upto))
            ):  # fmt: skip
                break
            going.append(_Going(between.last, between.above, segment.first_id, segment, segment.records))
            rest = None if is_end else (rest or gap).behind(Point(segment.number, segment.last_id, segment.seal))
        left += [rest] if rest else []
    return going, left


def _any(above: int, upto: int) -> bool:
    return next(stored.records(above, upto, 1), None) is not None


def _drop(
    going: list[_Going], at: Point, before: Checkpoint | None, left: list[Gap], passed: list[Gap], who: Who, keys: Keys,
    now: datetime,
) -> Dropped:  # fmt: skip
    session, count = must_write(), sum(one.records for one in going)
    for one in going:
        for rows in (
            delete(AuditRecord).where(AuditRecord.id > one.above, AuditRecord.id <= one.last.last_id),
            delete(AuditSegment).where(AuditSegment.number > one.behind, AuditSegment.number <= one.last.number),
        ):
            session.execute(rows, execution_options={"synchronize_session": False})
    session.execute(delete(AuditCheckpoint), execution_options={"synchronize_session": False})
    insert_rows(AuditCheckpoint, _checkpoint(at, count + (before.records if before else 0), left, keys, now))
    first, last = going[0].first_id, going[-1].last.last_id
    append(who, Action.AUDIT_DROPPED, now, first=first, last=last, records=count, left=gaps.numbers(passed))
    return Dropped(count, _count(passed))


def _count(some: Iterable[Gap]) -> int:
    """How many records stand in these gaps."""
    within = (
        select(func.count()).select_from(AuditRecord).where(AuditRecord.id > gap.above, AuditRecord.id <= gap.upto)
        for gap in some
    )
    return sum(db.session.scalar(query) or 0 for query in within)


def _checkpoint(at: Point, records: int, left: list[Gap], keys: Keys, now: datetime) -> dict[str, object]:
    key_id, secret = next(iter(secrets_of(keys).items()))
    row = Checkpoint(at.number, at.last_id, records, as_stored(now), key_id, at.seal, gaps.pack(left), b"")
    return row._asdict() | {"dropped_at": now, "seal": chain.seal(secret, chain.CHECKPOINT[0], row.row[:-1])}


def left_out() -> list[Gap]:
    """What the purge left, as the checkpoint says; whether that is ours the verifier says."""
    found: Iterator[Checkpoint] = stored.checkpoints()
    for checkpoint in found:
        try:
            return gaps.unpack(checkpoint.left_out)
        except (ValueError, TypeError, IndexError):  # nobody but a tamperer stores this
            return []
    return []
