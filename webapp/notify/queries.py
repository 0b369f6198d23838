"""Reads of the outbox: what was written, what became of it, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select

from webapp.foundation.database import db
from webapp.notify.messages import Attempt, Message, State

A_DAY = timedelta(days=1)
LOST = (State.REFUSED, State.FAILED)
"""Where a message stands that was not delivered, and that nobody tries at this moment."""
OVERDUE = timedelta(hours=1)
"""A message that waits longer than this is shown to admins as undelivered."""


class Written(NamedTuple):
    """A message of a cause: to whom, and what became of it."""

    id: int
    reader: str
    address: str
    locale: str
    state: str
    reason: str
    created_at: datetime
    finished_at: datetime | None


class Chain(NamedTuple):
    """A message and every attempt to send it, oldest first."""

    message: Message
    attempts: Sequence[Attempt]


def written_for(cause: str) -> list[Written]:
    """All messages of one cause."""
    return [Written(*row) for row in db.session.execute(_WRITTEN, {"of": cause})]


_WRITTEN = select(
    Message.id, Message.reader, Message.address, Message.locale, Message.state, Message.reason, Message.created_at,
    Message.finished_at,
).where(Message.cause == bindparam("of")).order_by(Message.id)  # fmt: skip
"""Put together once: it is asked every minute of each episode that stands."""


def states_of(causes: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many messages of each cause stand in each state."""
    counted: dict[str, dict[str, int]] = {cause: {} for cause in causes}
    query = select(Message.cause, Message.state, func.count()).where(Message.cause.in_(causes))
    for cause, state, count in db.session.execute(query.group_by(Message.cause, Message.state)):
        counted[cause][state] = count
    return counted


def newest(most: int, *, below: int | None = None) -> list[Chain]:
    """The newest messages, newest first, each with its attempts."""
    query = select(Message).order_by(Message.id.desc()).limit(most)
    messages = db.session.scalars(query if below is None else query.where(Message.id < below)).all()
    attempts: dict[int, list[Attempt]] = {message.id: [] for message in messages}
    for attempt in db.session.scalars(select(Attempt).where(Attempt.message_id.in_(attempts)).order_by(Attempt.id)):
        attempts[attempt.message_id].append(attempt)
    return [Chain(message, attempts[message.id]) for message in messages]


def chain(message_id: int) -> Chain | None:
    """One message with its attempts."""
    message = db.session.get(Message, message_id)
    if message is None:
        return None
    tried = select(Attempt).where(Attempt.message_id == message_id).order_by(Attempt.id)
    return Chain(message, db.session.scalars(tried).all())


def overdue(kinds: Sequence[str], now: datetime) -> int:
    """How many messages of these kinds have waited for over an hour. When one from the future was written (the clock
    was ahead), nobody knows: it counts."""
    long_ago = or_(Message.created_at <= now - OVERDUE, Message.created_at > now + OVERDUE)
    late = Message.state == State.QUEUED, Message.kind.in_(kinds), long_ago
    return db.session.scalar(select(func.count()).where(*late)) or 0


def lost(causes: Sequence[str], readers: Sequence[str]) -> int:
    """How many messages of these causes to these readers were refused or given up."""
    gone = Message.state.in_(LOST), Message.reader.in_(readers)
    return db.session.scalar(select(func.count()).where(Message.cause.in_(causes), *gone)) or 0


def delivered(cause: str) -> bool:
    """Whether a message of the cause reached anyone."""
    query = select(Message.id).where(Message.cause == cause, Message.state == State.SENT).limit(1)
    return db.session.scalar(query) is not None


def flawed(causes: Sequence[str], now: datetime) -> int:
    """How many messages of these causes wait in their short form, or went out so within the last day: what is longer
    ago nobody can mend."""
    lately = or_(Message.state == State.QUEUED, and_(Message.state == State.SENT, Message.finished_at > now - A_DAY))
    counted = Message.cause.in_(causes), Message.flaw != "", lately
    return db.session.scalar(select(func.count()).where(*counted)) or 0


def waiting(now: datetime) -> tuple[int, datetime | None]:
    """How many messages wait, and when the oldest of them was written."""
    query = select(func.count(), func.min(Message.created_at)).where(Message.state == State.QUEUED)
    count, oldest = db.session.execute(query).one()
    return count, oldest


def last_accepted() -> Attempt | None:
    """The newest attempt that a server accepted."""
    query = select(Attempt).where(Attempt.verdict == "accepted").order_by(Attempt.id.desc()).limit(1)
    return db.session.scalar(query)
