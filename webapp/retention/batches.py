"""One batch of each class: looks at the next rows behind a place and destroys those that may go, in the caller's
transaction. What a batch returns says where the next one begins; killed in between, nothing of it has happened."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from webapp.audit import retention as audit
from webapp.audit.trail import SYSTEM, Who
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, must_write
from webapp.foundation.instance import Instance
from webapp.history import saved_operations
from webapp.notify.messages import Attempt, Message
from webapp.reminders import queries as reminders
from webapp.reminders.operations import cause_of
from webapp.retention import facts, holds
from webapp.vendor.contract import Billed
from webapp.verification import identities
from webapp.verification.models import Identity, Verification

SIZE = 25
"""Rows looked at in one batch: some milliseconds, on a slow disk some tens of them."""


class Place(NamedTuple):
    """Where a purge is: what is older than `before` goes, and the rows up to `position` were looked at."""

    before: datetime
    position: int


class Batch(NamedTuple):
    """What one batch came to; `more`: there may be another."""

    position: int
    removed: int
    spared: int = 0
    more: bool = True


def identities_batch(place: Place, instance: Instance, _now: datetime) -> Batch:
    """Identities in the order of their verifications: what is gone costs nothing to pass by."""
    session = must_write()
    end = first_to_stay(place.before)
    query = select(Identity.verification_id).where(Identity.verification_id > place.position)
    if end is not None:
        query = query.where(Identity.verification_id < end)
    ids = list(session.scalars(query.order_by(Identity.verification_id).limit(SIZE)))
    if not ids:
        return Batch(place.position, 0, more=False)
    there = identities.lock(ids)
    known = select(Verification.id, Verification.billed).where(Verification.id.in_(there))
    old = dict(session.execute(known.where(Verification.created_at < place.before)).all())
    held = holds.held_among(list(old), instance.sealer) if old else set()
    going = [number for number, billed in old.items() if billed != Billed.UNKNOWN and number not in held]
    if going:
        identities.destroy(going)
    return Batch(ids[-1], len(going), len(old) - len(going), more=len(ids) == SIZE)


def facts_batch(place: Place, instance: Instance, now: datetime) -> Batch:
    """Facts in the order of their numbers; see `facts` for what stays."""
    session, end = must_write(), first_to_stay(place.before)
    query = select(Verification.id).where(Verification.id > place.position)
    if end is not None:
        query = query.where(Verification.id < end)
    ids = list(session.scalars(query.order_by(Verification.id).limit(SIZE)))
    if not ids:
        return Batch(place.position, 0, more=False)
    rows = facts.old(ids, place.before)
    going = facts.going(rows, instance) if rows else []
    if going:
        facts.let_go(going, now)
    session.expunge_all()
    return Batch(ids[-1], len(going), len(rows) - len(going), more=len(ids) == SIZE)


def messages_batch(place: Place, instance: Instance, now: datetime) -> Batch:
    """Messages that are over, with their attempts; those of an episode that may still be told say who was, and stay."""
    session = must_write()
    query = select(Message.id, Message.created_at).where(Message.id > place.position)
    rows = session.execute(query.order_by(Message.id).limit(SIZE)).all()
    standing = {cause_of(one.id) for one in reminders.changeable(day_of(now, instance.settings.zone))}
    over = select(Message.id, Message.cause).where(
        Message.id.in_([row.id for row in rows]), Message.finished_at < place.before
    )
    old = session.execute(over.order_by(Message.id).with_for_update()).all()  # nobody sends one again meanwhile
    going = [row.id for row in old if row.cause not in standing]
    for model, column in ((Attempt, Attempt.message_id), (Message, Message.id)):
        session.execute(delete(model).where(column.in_(going)), execution_options={"synchronize_session": False})
    if not rows:
        return Batch(place.position, 0, more=False)
    more = len(rows) == SIZE and any(row.created_at < place.before for row in rows)  # else all that follows is young
    return Batch(rows[-1].id, len(going), len(old) - len(going), more)


def views_batch(place: Place, _instance: Instance, now: datetime) -> Batch:
    """Saved views that nobody has opened or changed since."""
    ids = saved_operations.forget_unused(place.before, place.position, SIZE, now)
    return Batch(ids[-1] if ids else place.position, len(ids), more=len(ids) == SIZE)


def audit_batch(place: Place, instance: Instance, now: datetime, who: Who = SYSTEM) -> Batch:
    """Whole segments of the trail; kept from the first held verification on. What is not as it was sealed is left.
    Raises `NotSound`."""
    held_since = holds.earliest(instance.sealer)
    before = place.before if held_since is None else min(place.before, held_since)
    dropped = audit.drop_before(before, who, instance.keys, now)
    return Batch(place.position + dropped.records, dropped.records, dropped.left, more=dropped.records > 0)


def first_to_stay(before: datetime) -> int | None:
    """The verification from which on numbers are too young; None: all are old. One that a clock dated too late stays
    until its own time; one that a clock dated too early goes with its neighbours."""
    young = select(Verification.id).where(Verification.created_at >= before)
    return db.session.scalar(young.order_by(Verification.created_at, Verification.id).limit(1))
