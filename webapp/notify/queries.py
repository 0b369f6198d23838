"""Reads of the outbox: what was written, what became of it, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select

from webapp.foundation.database import db
from webapp.notify.messages import Attempt, Message, State

OVERDUE = timedelta(hours=1)
"""A message that waits longer than this is shown to admins as undelivered."""
REMEMBERED = timedelta(days=7)
"""How long a message that was refused or given up counts as a fault."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Messages that did not arrive: how many, and the newest of them (0: none)."""

    count: int
    newest: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A message and every attempt to send it, oldest first."""

    message: Message
    attempts: Sequence[Attempt]


def keys_of(cause: str) -> set[str]:
    """Keys of all messages of one cause."""
    return set(db.session.scalars(select(Message.key).where(Message.cause == cause)))


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


def undelivered(kinds: Sequence[str], now: datetime) -> Undelivered:
    """Messages of these kinds that have waited for over an hour, or were refused or given up in the last week."""
    waiting = and_(Message.state == State.QUEUED, Message.created_at <= now - OVERDUE)
    lost = and_(Message.state.in_((State.REFUSED, State.FAILED)), Message.finished_at > now - REMEMBERED)
    found = select(func.count(), func.max(Message.id)).where(Message.kind.in_(kinds), or_(waiting, lost))
    count, newest_id = db.session.execute(found).one()
    return Undelivered(count, newest_id or 0)


def waiting(now: datetime) -> tuple[int, datetime | None]:
    """How many messages wait, and when the oldest of them was written."""
    query = select(func.count(), func.min(Message.created_at)).where(Message.state == State.QUEUED)
    count, oldest = db.session.execute(query).one()
    return count, oldest


def last_accepted() -> Attempt | None:
    """The newest attempt that a server accepted."""
    query = select(Attempt).where(Attempt.verdict == "accepted").order_by(Attempt.id.desc()).limit(1)
    return db.session.scalar(query)
