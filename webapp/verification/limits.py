"""Limits on paid calls (`YULIANG_LIMITS`): per operator, per ID number, and distinct numbers per name.

Counted over the stored verifications themselves, so that every process agrees. What was blocked or reused made no
verification and does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from webapp.foundation.database import must_write
from webapp.foundation.limits import Limit, Subject
from webapp.foundation.sealing import Sealer
from webapp.verification.identities import name_and_number
from webapp.verification.models import Identity, IdentityIndex, IndexKind, Verification
from webapp.verification.queries import last_before


class LimitReached(Exception):
    """A limit allows no call now; no call was sent. `until`: when the next one may be."""

    def __init__(self, limit: Limit, until: datetime) -> None:
        super().__init__(f"{limit.subject} limit of {limit.most} in {limit.seconds} s")
        self.limit = limit
        self.until = until


class Caller(NamedTuple):
    """Whom a call is counted for. `uncounted`: the names whose calls count for no number."""

    operator_id: int
    name: str
    number: str
    uncounted: Collection[str] = ()


def of_practice(limits: Sequence[Limit]) -> Sequence[Limit]:
    """The limits for who practises: there everybody tries many numbers under the same few names."""
    return [limit for limit in limits if limit.subject != Subject.NAME]


def enforce(limits: Sequence[Limit], caller: Caller, sealer: Sealer, now: datetime) -> None:
    """Raises `LimitReached` where one more call would pass a limit; in the caller's transaction."""
    _take_turns(limits, caller, sealer)
    for limit in limits:
        if limit.subject == Subject.NUMBER and caller.name in caller.uncounted:
            continue
        since = now - timedelta(seconds=limit.seconds)
        # Reached when there is a most-th newest one; it ends when that one leaves the window.
        if limit.subject == Subject.NAME and len(sealer.indexes("name", caller.name)) > 1:
            leaves = _opened_other_numbers(caller, sealer, since, limit.most)
        else:
            times = _times(limit.subject, caller, sealer, since)
            leaves = must_write().scalar(times.offset(limit.most - 1).limit(1))
        if leaves is not None:
            raise LimitReached(limit, leaves + timedelta(seconds=limit.seconds))


def _take_turns(limits: Sequence[Limit], caller: Caller, sealer: Sealer) -> None:
    """Lets one call after the other count for the same operator, number or name, until its intent is stored.

    PostgreSQL would let two count at once without seeing each other's row. SQLite's writers take turns anyway. The
    locks are taken in one order, so that two callers never wait for each other.
    """
    session = must_write()
    if not limits or session.get_bind().dialect.name != "postgresql":
        return
    subjects = (f"operator {caller.operator_id}", f"number {caller.number}", f"name {caller.name}")
    marks = (mark for one in subjects for mark in sealer.indexes("limit", one))
    locks = sorted(int.from_bytes(mark[:8], "big", signed=True) for mark in marks)
    for lock in locks:
        session.execute(select(func.pg_advisory_xact_lock(lock)))


def _times(subject: Subject, caller: Caller, sealer: Sealer, since: datetime) -> Select[datetime]:
    """When what the limit counts was done since `since`, newest first."""
    made = select(Verification.created_at).where(Verification.created_at > since)
    newest_first = Verification.created_at.desc()
    match subject:
        case Subject.OPERATOR:
            return made.where(Verification.operator_id == caller.operator_id).order_by(newest_first)
        case Subject.NUMBER:
            numbers = sealer.indexes("number", caller.number)
            found = made.join(IdentityIndex, IdentityIndex.verification_id == Verification.id)
            counted = _not_under(caller.uncounted, sealer)
            return found.where(IdentityIndex.blind.in_(numbers), *counted).order_by(newest_first)
        case Subject.NAME:
            return _other_numbers(caller, sealer, since)


def _not_under(uncounted: Collection[str], sealer: Sealer) -> list[ColumnElement[bool]]:
    """That a call was made under none of these names."""
    if not uncounted:
        return []
    by_name = aliased(IdentityIndex)
    blind = [one for name in uncounted for one in sealer.indexes("name", name)]
    return [~exists().where(by_name.verification_id == Verification.id, by_name.blind.in_(blind))]


def _opened_other_numbers(caller: Caller, sealer: Sealer, since: datetime, most: int) -> datetime | None:
    """The most-th newest time of `_other_numbers` while keys are rotated: one number may stand under two index keys,
    so the people themselves are looked at."""
    by_name = aliased(IdentityIndex)
    found = (
        select(Verification.created_at, Identity.verification_id, Identity.sealed)
        .join(by_name, by_name.verification_id == Verification.id)
        .join(Identity, Identity.verification_id == Verification.id)
        .where(
            Verification.created_at > since, by_name.blind.in_(sealer.indexes("name", caller.name)),
            by_name.verification_id > last_before(since),
        )
    )  # fmt: skip
    last: dict[str, datetime] = {}
    for at, row, sealed in must_write().execute(found):
        number = name_and_number(row, sealed, sealer)[1]
        last[number] = max(at, last.get(number, at))
    last.pop(caller.number, None)
    times = sorted(last.values(), reverse=True)
    return times[most - 1] if len(times) >= most else None


def _other_numbers(caller: Caller, sealer: Sealer, since: datetime) -> Select[datetime]:
    """When each other number was last asked for under this name: the same number again is no new one."""
    by_name, by_number = aliased(IdentityIndex), aliased(IdentityIndex)
    last = func.max(Verification.created_at)
    return (
        select(last)
        .join(by_name, by_name.verification_id == Verification.id)
        .join(by_number, by_number.verification_id == Verification.id)
        .where(
            Verification.created_at > since,
            by_name.blind.in_(sealer.indexes("name", caller.name)),
            by_name.verification_id > last_before(since),
            by_number.kind == IndexKind.NUMBER,
            by_number.blind.not_in(sealer.indexes("number", caller.number)),
        )
        .group_by(by_number.blind)
        .order_by(last.desc())
    )
