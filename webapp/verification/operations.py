"""Verifying a person: intent first, then the call, then the outcome. A crash between loses no count.

1. One transaction stores the verification as *sending* with its hold, its counter delta and its audit record.
2. The vendor is called with no transaction open.
3. One transaction stores the outcome and charges or releases the hold; an unknown outcome stays held.
A process that dies in between leaves *sending*; `abandon_one` turns it to *unknown* once it must have been forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation import runtime
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import end_read, transaction
from webapp.foundation.instance import KIND, Instance
from webapp.foundation.redaction import conceal
from webapp.foundation.sealing import KeyMissing
from webapp.notify import notices
from webapp.quota import deductions, ledger, watchers
from webapp.usage import counters
from webapp.vendor import circuit
from webapp.vendor.contract import Billed, Cause, Outcome, Reply
from webapp.verification import caps, identities, limits, practising, privacy, reuse, stopping, tokens
from webapp.verification.asked import Asked as Asked
from webapp.verification.cap_rules import Caller
from webapp.verification.dimensions import dimensions
from webapp.verification.identities import Person
from webapp.verification.models import Purpose, Source, Verification

GRACE = timedelta(seconds=30)
"""How long after the call's deadline a *sending* row is still left to its own process."""
RECORD_PAUSES = (0.2, 0.6, 1.2, 2.0)
"""Seconds between tries to store an outcome (a busy database makes each try wait by itself): a restart fits in."""

Call = Callable[[str, str], Reply]

# Put together once, for every call runs them.
_UNDER_WAY = (
    select(Verification)
    .where(
        Verification.sending_person.in_(bindparam("people", expanding=True)), Verification.outcome == Outcome.SENDING
    )
    .limit(1)
)
_LOCKED = (
    select(Verification).where(Verification.id == bindparam("of")).with_for_update()
    .execution_options(populate_existing=True)
)  # fmt: skip
_ON_LOT = (
    update(Verification).where(Verification.id == bindparam("of")).values(lot_id=bindparam("lot"))
    .execution_options(synchronize_session=False)
)  # fmt: skip


class AlreadySending(Exception):
    """A call for this very person is under way; none was sent now. `verification_id` is the one under way, of
    `operator_id`."""

    def __init__(self, verification_id: int, operator_id: int) -> None:
        super().__init__(f"verification {verification_id} is under way")
        self.verification_id = verification_id
        self.operator_id = operator_id


class WentLive(Exception):
    """The database was made a live one while this process served practice: nothing was stored, nothing was sent."""


class NotBegun(Exception):
    """The intent could not be stored, so no call was sent. The database error is its cause."""


class NotRecorded(Exception):
    """The vendor was called, but its answer could not be stored: the verification will become *unknown*."""

    def __init__(self, verification_id: int) -> None:
        super().__init__(f"the outcome of verification {verification_id} could not be stored")
        self.verification_id = verification_id


def verify(asked: Asked, who: Who, instance: Instance, call: Call, clock: Callable[[], datetime] = utc_now) -> int:
    """Spends one call on a person and returns the verification's id, whatever came of it.

    Raises what `begin` raises and `NotBegun` (no call was sent), `NotRecorded` after the call.
    """
    conceal(asked.name, asked.number, asked.reference)
    try:
        verification_id = begin(asked, who, instance, clock())
    except SQLAlchemyError as error:
        raise NotBegun from error
    end_read()
    reply = practising.shortened(call(asked.name, asked.number), asked.number, instance)
    for pause in (*RECORD_PAUSES, None):
        try:
            finish(verification_id, reply, who, instance, clock())
            break
        except (SQLAlchemyError, KeyMissing) as error:
            if pause is None:
                raise NotRecorded(verification_id) from error
            time.sleep(pause)
    return verification_id


def begin(asked: Asked, who: Who, instance: Instance, now: datetime) -> int:
    """Stores the intent: from here on the call counts, whatever happens. Returns the verification's id.

    Raises, in this order: `tokens.Replayed`, `tokens.FormSpent`, `AlreadySending`, `reuse.RecentResult`,
    `reuse.UnknownBefore`, `circuit.CallsStopped`, `limits.LimitReached`, `caps.CapReached`. Nothing is stored then.
    """
    try:
        return _begin(asked, who, instance, now)
    except IntegrityError:
        # On PostgreSQL two nodes can pass the check for a twin at once; the unique index lets one of them through.
        # The other looks again: it finds the twin, or the twin has finished meanwhile and it is the first itself.
        return _begin(asked, who, instance, now)


def _begin(asked: Asked, who: Who, instance: Instance, now: datetime) -> int:
    sealer, settings = instance.sealer, instance.settings
    person = identities.person_index(asked.name, asked.number, sealer)
    with transaction() as session:
        if runtime.stored(KIND, sealer) not in (None, instance.kind):
            raise WentLive
        if asked.form is not None:
            tokens.spend(asked.form, now)
        people = identities.person_indexes(asked.name, asked.number, sealer)
        _take_turns(session, people)
        _refuse_twice(session, people, now)
        operator = session.get_one(User, who.user_id)
        purpose = session.get_one(Purpose, asked.purpose_id)
        if asked.reuse:
            reuse.refuse_known(asked.name, asked.number, purpose, sealer, now)
        is_probe = circuit.gate(now)
        practises = practising.practises(asked.name, asked.number, instance)
        heeded = limits.of_practice(settings.limits) if practises else settings.limits
        caller = limits.Caller(operator.id, asked.name, asked.number, practising.situations(instance))
        limits.enforce(heeded, caller, sealer, now)
        caps.enforce(Caller(operator.id, operator.department_id, Source.DESK), settings.zone, now)
        row = Verification(
            created_at=now, deadline_at=now + timedelta(seconds=settings.vendor_deadline) + GRACE,
            outcome=Outcome.SENDING, billed=Billed.UNKNOWN, source=Source.DESK, operator_id=operator.id,
            department_id=operator.department_id, purpose_id=purpose.id, legal_basis=purpose.legal_basis,
            consent=asked.consent, guardian_consent=asked.guardian_consent, declaration_id=asked.declaration_id,
            sending_person=person,
        )  # fmt: skip
        session.add(row)
        session.flush()
        if is_probe:
            circuit.take(row.id, now, row.deadline_at)
        if asked.form is not None:
            tokens.came_to(asked.form, verification_id=row.id)
        identities.keep(row.id, Person(asked.name, asked.number, asked.reference), sealer)
        lot_id = ledger.hold(row.id, day_of(now, settings.zone), now)
        session.execute(_ON_LOT, {"of": row.id, "lot": lot_id})
        counters.count(replace(dimensions(row), lot_id=lot_id or 0), now, +1)
        append(who, Action.VERIFICATION_SENT, now, on=("verification", row.id), purpose=purpose.id)
        if not practises:
            privacy.watch(asked.name, asked.number, sealer, settings.zone, now)
        return row.id


def finish(verification_id: int, reply: Reply, who: Who, instance: Instance, now: datetime) -> bool:
    """Stores what came of the call and settles its hold; False where it was settled before.

    A late answer still counts after the call was given up as abandoned: it knows better.
    """
    with transaction() as session:
        row = _lock(session, verification_id)
        open_states = row is not None and (
            row.outcome == Outcome.SENDING
            or (row.outcome == Outcome.UNKNOWN and row.cause == Cause.ABANDONED and row.billed == Billed.UNKNOWN)
        )
        if row is None or not open_states:
            return False
        stopping.heed(reply, row.id, now)
        _settle(session, row, reply, instance, now)
        identities.complete(row.id, reply.derived, reply.raw, instance.sealer)
        append(who, Action.VERIFICATION_FINISHED, now, on=("verification", row.id),
               outcome=row.outcome, billed=row.billed, cause=row.cause)  # fmt: skip
        _tell(row, reply, now)
    watchers.calls_settled(now)
    return True


def abandon_one(_instance: Instance, now: datetime) -> bool:
    """Turns one *sending* that must have been forgotten into *unknown*, still held; True if there was one."""
    with transaction() as session:
        forgotten = (
            select(Verification.id)
            .where(Verification.outcome == Outcome.SENDING, Verification.deadline_at <= now)
            .order_by(Verification.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        verification_id = session.scalar(forgotten)
        if verification_id is None:
            return False
        _abandon(session, session.get_one(Verification, verification_id), now)
        return True


def _take_turns(session: Session, people: list[bytes]) -> None:
    """Lets one intent after the other be looked at and stored for the same person: a whole call could otherwise begin
    and end between our look and our row. SQLite's writers take turns anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for person in sorted(people):  # under each index key: a process may not know the newest one yet
            session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(person[:8], "big", signed=True))))


def _refuse_twice(session: Session, people: list[bytes], now: datetime) -> None:
    under_way = _under_way(session, people)
    if under_way is None:
        return
    if under_way.deadline_at > now:
        raise AlreadySending(under_way.id, under_way.operator_id)
    forgotten = _lock(session, under_way.id)
    # Its late answer, or the job, may have ended it while we waited for the lock.
    if forgotten is not None and forgotten.outcome == Outcome.SENDING:
        _abandon(session, forgotten, now)


def _under_way(session: Session, people: list[bytes]) -> Verification | None:
    return session.scalar(_UNDER_WAY, {"people": people})


def _lock(session: Session, verification_id: int) -> Verification | None:
    """The row, locked against the job that gives calls up."""
    return session.scalar(_LOCKED, {"of": verification_id})


def _abandon(session: Session, row: Verification, now: datetime) -> None:
    before = dimensions(row)
    row.outcome, row.cause, row.finished_at, row.sending_person = Outcome.UNKNOWN, Cause.ABANDONED, now, None
    session.flush()
    counters.recount(before, dimensions(row), row.created_at, None)
    append(SYSTEM, Action.VERIFICATION_FINISHED, now, on=("verification", row.id),
           outcome=row.outcome, billed=row.billed, cause=row.cause)  # fmt: skip
    notices.tell("admin", "unknown_outcome", f"unknown:{row.id}", now, id=row.id)


def _settle(session: Session, row: Verification, reply: Reply, instance: Instance, now: datetime) -> None:
    before = dimensions(row)
    row.outcome, row.cause = reply.outcome, reply.cause
    row.billed = deductions.billed(reply, row.created_at)
    row.vendor_code, row.http_status, row.request_id = reply.code[:32], reply.http_status, reply.request_id
    row.latency_ms, row.attempts = reply.latency_ms, reply.attempts
    row.finished_at, row.sending_person = now, None
    session.flush()
    if row.billed == Billed.YES:
        ledger.charge(row.id, row.lot_id, now)
    elif row.billed == Billed.NO:
        ledger.release(row.id, row.lot_id, day_of(now, instance.settings.zone), now)
    counters.recount(before, dimensions(row), row.created_at, reply.latency_ms)


def _tell(row: Verification, reply: Reply, now: datetime) -> None:
    """Notices for admins: what a person must decide or mend."""
    if reply.outcome == Outcome.UNKNOWN:
        notices.tell("admin", "unknown_outcome", f"unknown:{row.id}", now, id=row.id)
    elif reply.outcome == Outcome.UNEXPECTED:
        notices.tell("admin", "unexpected_answer", f"unexpected:{row.id}", now, id=row.id, code=reply.code or "–")
