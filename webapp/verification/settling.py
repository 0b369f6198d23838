"""Settling calls of which nobody knows whether they were charged: an admin decides, or lets the person be asked again.

The outcome stays what it is, mostly *unknown* (nobody learned more about the person); whether it was charged becomes
known, and ledger, counters and trail move in the same transaction. Nothing is settled by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance
from webapp.notify import notices
from webapp.persons.mentions import mentions, names_someone
from webapp.quota import ledger, watchers
from webapp.usage import counters
from webapp.vendor.contract import Billed, Outcome
from webapp.verification import identities
from webapp.verification.dimensions import dimensions
from webapp.verification.models import Decision, Settlement, Verification

CHUNK = 500
"""People who are opened at once."""


class NamesSomeone(Exception):
    """The reason holds the name or number of a person it is about, or what looks like a number; nothing was settled."""


class SettledAlready(Exception):
    """Someone was quicker, or it never was unknown; nothing was changed."""


def decisions(verification_ids: Sequence[int]) -> dict[int, Settlement]:
    """The newest decision about each."""
    query = select(Settlement).where(Settlement.verification_id.in_(verification_ids)).order_by(Settlement.id)
    return {row.verification_id: row for row in db.session.scalars(query.options(joinedload(Settlement.actor)))}


def settle(verification_id: int, decision: Decision, reason: str, who: Who, instance: Instance, now: datetime) -> None:
    """Records a decision and, where it says so, charges or releases the held call. Raises `SettledAlready`,
    `NamesSomeone`."""
    settle_all([verification_id], decision, reason, who, instance, now)


def settle_all(
    verification_ids: Sequence[int], decision: Decision, reason: str, who: Who, instance: Instance, now: datetime
) -> None:
    """As `settle`, for several at once: all or, where one raises, none. The reason names nobody of them all."""
    _refuse_names(verification_ids, decision, reason, who, instance, now)
    with transaction() as session:
        for verification_id in sorted(verification_ids):
            _settle(session, verification_id, decision, reason, who, instance, now)
    watchers.calls_settled(now)


def _refuse_names(
    verification_ids: Sequence[int], decision: Decision, reason: str, who: Who, instance: Instance, now: datetime
) -> None:
    """Raises `NamesSomeone`."""
    named = [
        number
        for start in range(0, len(verification_ids), CHUNK)
        for number, person in identities.open_people(verification_ids[start : start + CHUNK], instance.sealer).items()
        if mentions(reason, person.name, person.number)
    ]
    if named or names_someone(reason):
        # Refusing such words tells that they were right: it is recorded as a decision that failed.
        with transaction():
            for number in sorted(named or verification_ids):
                append(who, Action.UNKNOWN_SETTLED, now, on=("verification", number), success=False, decision=decision)
        raise NamesSomeone


def _settle(
    session: Session, verification_id: int, decision: Decision, reason: str, who: Who, instance: Instance,
    now: datetime,
) -> None:  # fmt: skip
    query = select(Verification).where(Verification.id == verification_id).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None or who.user_id is None or row.outcome == Outcome.SENDING or row.billed != Billed.UNKNOWN:
        raise SettledAlready
    session.add(Settlement(
        verification_id=row.id, decision=decision, reason=reason, at=now, actor_id=who.user_id,
    ))  # fmt: skip
    if decision is not Decision.ASK_AGAIN:
        _move(row, decision, reason, who, instance, now)
    append(who, Action.UNKNOWN_SETTLED, now, on=("verification", row.id), decision=decision)
    notices.settled(f"unknown:{row.id}")


def _move(row: Verification, decision: Decision, reason: str, who: Who, instance: Instance, now: datetime) -> None:
    before = dimensions(row)
    if decision is Decision.CHARGED:
        row.billed = Billed.YES
        ledger.charge(row.id, row.lot_id, now, actor_id=who.user_id, reason=reason)
    else:
        row.billed = Billed.NO
        today = day_of(now, instance.settings.zone)
        ledger.release(row.id, row.lot_id, today, now, actor_id=who.user_id, reason=reason)
    db.session.flush()
    counters.recount(before, dimensions(row), row.created_at, None)
