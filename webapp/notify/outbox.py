"""The outbox: messages are written with their cause, taken by whoever sends, and settled by the server's reply.

Every function that writes says whose transaction it writes in. Sending itself happens elsewhere (`sending`), with no
transaction open. A message that is taken has a holder and becomes due again when `LEASE` is over: a process that
dies leaves nothing locked and nothing lost. Times of a clock that was ahead keep nothing waiting: a pause that no
honest clock could have written counts as over, and a lease as begun now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Result, and_, bindparam, case, func, insert, or_, select, update

from webapp.foundation.database import UtcDateTime, db, insert_into, must_write, transaction
from webapp.notify import composing, holding
from webapp.notify.channels import mail
from webapp.notify.channels.smtp import Reply
from webapp.notify.composing import Content
from webapp.notify.messages import MAIL, Attempt, Message, State, Verdict
from webapp.notify.retrying import FARTHEST_TRY, SERVER, next_try, refused_why

LEASE = timedelta(minutes=15)
"""After so long the holder of a message is believed dead: well over what a try can take, from a used connection that
fails at its very end over a new one and a mail that drips, to a database that is away when the reply is there."""
PROBE = timedelta(minutes=6)
"""After so long a try that was to see whether the server is well is believed dead, and another may ask it: what a new
connection and its mail can take. Nobody gets a mail twice by it, for its message is leased for longer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be written: `key` is the cause and the recipient in one."""

    key: str
    cause: str
    kind: str
    address: str
    locale: str
    params: dict[str, Any] = field(default_factory=dict)
    reader: str = ""


class Taken(NamedTuple):
    """A message in the hands of one sender."""

    message: Message
    attempt_id: int
    holder: str
    probing: bool = False
    """Whether it is tried to see if the server is well again, while others are held."""


def tag(address: str) -> str:
    """A short word for an address, for keys: one cause tells each address once."""
    return sha256(address.lower().encode()).hexdigest()[:20]


def write(drafts: Iterable[Draft], now: datetime) -> int:
    """Writes messages in the caller's transaction; one that was written before is left alone. Returns how many."""
    session = must_write()
    rows = [
        {"key": d.key, "cause": d.cause, "kind": d.kind, "params": d.params, "channel": MAIL, "reader": d.reader,
         "address": d.address, "locale": d.locale, "wire_id": token_hex(16), "created_at": now, "state": State.QUEUED,
         "next_at": now}
        for d in drafts
    ]  # fmt: skip
    written = 0
    for start in range(0, len(rows), 500):
        insert = insert_into(Message).values(rows[start : start + 500]).on_conflict_do_nothing()
        written += len(session.execute(insert.returning(Message.id)).all())
    return written


def write_one(draft: Draft, now: datetime) -> int:
    """As `write`, for one message with a new key; returns its id."""
    write([draft], now)
    return must_write().scalars(select(Message.id).where(Message.key == draft.key)).one()


# Put together once: whoever sends runs them for every message.
_never = case((Message.holder.is_(None), bindparam("farthest", type_=UtcDateTime)),
              else_=bindparam("leased", type_=UtcDateTime))  # fmt: skip
_fresh = and_(Message.first_at.is_(None), Message.holder.is_(None))
"""Never tried, and so never put off: where it is due in the future, a clock that was ahead has written it."""
_due = and_(
    Message.state == State.QUEUED,
    or_(Message.next_at <= bindparam("now", type_=UtcDateTime), Message.next_at > _never, _fresh),
)
_NEXT = (
    select(Message).where(_due).order_by(Message.next_at, Message.id).limit(1).with_for_update(skip_locked=True)
    .execution_options(populate_existing=True)
)  # fmt: skip
_HELD = (
    update(Message).where(Message.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("wire_id", "holder", "next_at", "attempts", "first_at")})
    .execution_options(synchronize_session=False)
)  # fmt: skip
_TRY = insert(Attempt).returning(Attempt.id)
_TRIED = (
    update(Attempt).where(Attempt.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("ended_at", "verdict", "stage", "code", "words", "fault")})
    .execution_options(synchronize_session=False)
)  # fmt: skip


_NOT_GIVEN_UP = case((Message.state.in_((State.REFUSED, State.FAILED)), ""), else_=Message.reason)
_SENT = (
    update(Message).where(Message.id == bindparam("of"), Message.state != State.SENT)
    .values(holder=None, state=State.SENT, reason=_NOT_GIVEN_UP,
            **{name: bindparam(name) for name in ("finished_at", "subject", "body", "flaw")})
    .execution_options(synchronize_session=False)
)  # fmt: skip


def _times(now: datetime) -> dict[str, datetime]:
    """What `_due` asks for: the moment, and when the next try of a message that is free, or taken, can be at most."""
    return {"now": now, "farthest": now + FARTHEST_TRY, "leased": now + 2 * LEASE}


def due(now: datetime, most: int) -> int:
    """How many messages may be tried now, counted up to `most`; one at most while the server is the trouble. Reads
    only."""
    hold = holding.standing()
    ready = select(Message.id).where(_due, holding.admits(hold, now)).limit(1 if hold else most)
    count = db.session.scalar(select(func.count()).select_from(ready.subquery()), _times(now)) or 0
    db.session.rollback()
    return count


def _always() -> bool:
    return True


def take(now: datetime, sender: str, in_force: Callable[[], bool] = _always) -> Taken | None:
    """Takes the message that has waited longest; None where none may be tried, or the server it would go to is not the
    one `in_force`. Its attempt is on record from here on. What has become pointless is dropped instead."""
    with transaction() as session:
        if not in_force():
            return None
        hold = holding.standing()
        first = _NEXT if hold is None else _NEXT.where(holding.admits(hold, now))
        while (message := session.scalar(first, _times(now))) is not None:
            if message.holder is not None and message.next_at > now:
                _lease_anew(message, now)
                continue
            reason = message.reason or composing.pointless(message, now)
            if not reason:
                if hold is not None and not holding.probe(hold, now, PROBE):
                    return None
                return _hold(message, now, sender, probing=hold is not None)
            message.state, message.reason, message.holder, message.finished_at = State.DROPPED, reason, None, now
            session.flush()
        return None


def _lease_anew(message: Message, now: datetime) -> None:
    """For a message that was taken by a clock that was ahead: it may be in hand still, and is due a lease from now."""
    message.next_at = now + LEASE
    must_write().flush()


def take_own(message_id: int, now: datetime, sender: str) -> Taken:
    """Takes one message in the caller's transaction: a test mail is sent by whoever asked for it."""
    return _hold(must_write().get_one(Message, message_id), now, sender)


def _hold(message: Message, now: datetime, sender: str, *, probing: bool = False) -> Taken:
    session = must_write()
    session.expunge(message)  # a copy from here on: it is read while no transaction is open
    if "@" not in message.wire_id:
        message.wire_id = mail.wire_id(message.wire_id, sender)
    message.holder, message.next_at = token_hex(8), now + LEASE
    message.attempts += 1
    message.first_at = message.first_at or now
    held = {name: getattr(message, name) for name in ("wire_id", "holder", "next_at", "attempts", "first_at")}
    session.execute(_HELD, {"of": message.id, **held})
    attempt_id = session.scalars(_TRY, [{"message_id": message.id, "started_at": now}]).one()
    return Taken(message, attempt_id, message.holder, probing)


def settle(
    taken: Taken,
    reply: Reply,
    content: Content | None,
    now: datetime,
    chance: float,
    *,
    again: bool = True,
    in_force: Callable[[], bool] = _always,
) -> bool:
    """Stores what came of a try and what is next, for the message and for all; False where another has taken the
    message meanwhile. `chance` (0 to 1) spreads the next try; without `again` there is none, and it says nothing
    about the server in force. What was not taken by a server that is not `in_force` any more is due at once. An OK is
    a fact whoever holds the message by now: it is sent."""
    was = taken.message
    told = {"subject": was.subject, "body": was.body, "flaw": was.flaw}
    if content is not None:
        told = {"subject": content.subject[:300], "body": content.record(), "flaw": content.flaw}
    with transaction() as session:
        tried = {"ended_at": now, "verdict": reply.verdict, "stage": reply.stage, "code": reply.code}
        session.execute(_TRIED, {"of": taken.attempt_id, **tried, "words": reply.words, "fault": reply.fault})
        if reply.verdict == Verdict.ACCEPTED:
            former = False
            changed = session.execute(_SENT, {"of": taken.message.id, "finished_at": now, **told})
        else:
            former = again and not in_force()
            next_at = next_try(taken.message.first_at or now, taken.message.attempts, now, chance) if again else None
            changed = _not_sent(taken, _due_again(now) if former else _outcome(reply, now, next_at), told, now)
        if again and not former:
            holding.heard(reply, now, chance, probing=taken.probing)
        elif taken.probing:
            holding.let_ask(now)
        return changed.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _not_sent(taken: Taken, outcome: dict[str, Any], told: dict[str, Any], now: datetime) -> Result[Any]:
    """What a message becomes by a try in vain, unless another holds it by now; dropped, where it has become pointless
    meanwhile."""
    reason = select(Message.reason).where(Message.id == taken.message.id).with_for_update()
    dropped = must_write().scalar(reason)
    mine = update(Message).where(Message.id == taken.message.id, Message.holder == taken.holder)
    becomes = {"state": State.DROPPED, "finished_at": now} if dropped else outcome
    return must_write().execute(
        mine.values(holder=None, **told, **becomes), execution_options={"synchronize_session": False}
    )


def _outcome(reply: Reply, now: datetime, next_at: datetime | None) -> dict[str, Any]:
    """What becomes of a message that was not taken."""
    if reply.verdict == Verdict.PERMANENT:
        return {"state": State.REFUSED, "finished_at": now, "reason": refused_why(reply.words)}
    if next_at is None:
        return {"state": State.FAILED, "finished_at": now, "reason": SERVER if reply.concerns_all else ""}
    if reply.concerns_all:  # the hold says when there is a next try
        return _due_again(now)
    return {"next_at": next_at}


def _due_again(now: datetime) -> dict[str, Any]:
    """For what failed by no fault of its own: it waits at the end, and its patience is not spent."""
    return {"next_at": now, "attempts": Message.attempts - 1}


def withdraw(cause: str, reason: str, now: datetime) -> None:
    """Drops what still waits for `cause`, in the caller's transaction. What is being tried at this moment may still
    arrive; if it does not, it is not tried again."""
    _withdraw(reason, now, Message.cause == cause)


def withdraw_from(reader: str, reason: str, now: datetime, *, kind: str | None = None) -> None:
    """As `withdraw`, whatever waits for a reader; only messages of `kind`, where one is given."""
    which = [Message.reader == reader] + ([Message.kind == kind] if kind else [])
    _withdraw(reason, now, *which)


def bring_back(message_id: int, draft: Draft, now: datetime) -> None:
    """Lets a message that did not arrive wait again, to the reader and address of `draft`, for another 72 hours; in
    the caller's transaction. What was dropped is written anew: nobody has waited for it meanwhile. What is being
    tried at this moment is left alone."""
    written = case((Message.state == State.DROPPED, now), else_=Message.created_at)
    free = update(Message).where(Message.id == message_id, _free(now), Message.state != State.SENT)
    must_write().execute(
        free.values(reader=draft.reader, address=draft.address, locale=draft.locale, created_at=written, next_at=now,
                    **_AGAIN)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _free(now: datetime) -> ColumnElement[bool]:
    """Nobody tries it at this moment: it has no holder, or one that is believed dead."""
    return or_(Message.holder.is_(None), Message.next_at <= now)


_AGAIN: dict[str, Any] = {"state": State.QUEUED, "holder": None, "first_at": None, "finished_at": None, "reason": "",
                          "attempts": 0}  # fmt: skip
RETRIED = (State.QUEUED, State.REFUSED, State.FAILED)
"""Where a message stands that can be tried again by hand."""


def _withdraw(reason: str, now: datetime, *which: ColumnElement[bool]) -> None:
    free = _free(now)
    waiting = update(Message).where(*which, Message.state == State.QUEUED)
    must_write().execute(
        waiting.values(
            reason=reason,
            state=case((free, State.DROPPED.value), else_=Message.state),
            holder=case((free, None), else_=Message.holder),
            finished_at=case((free, now), else_=Message.finished_at),
        ).execution_options(synchronize_session=False)
    )


def hurry(now: datetime) -> None:
    """Makes all waiting messages due at once, and lifts the hold, in the caller's transaction: the mail settings
    have changed, or an admin wants to see."""
    waiting = update(Message).where(Message.state == State.QUEUED, Message.holder.is_(None), Message.next_at > now)
    must_write().execute(waiting.values(next_at=now).execution_options(synchronize_session=False))
    holding.lift(now)


def retry(message_id: int, now: datetime) -> bool:
    """As `put_back`, and lifts the hold."""
    found = put_back(message_id, now)
    if found:
        holding.lift(now)  # last: whoever settles a message has it before the hold
    return found


def put_back(message_id: int, now: datetime) -> bool:
    """Puts a message that was refused or given up back for another 72 hours, or hurries one that waits; in the
    caller's transaction. False where there is none such, or it has become pointless."""
    session = must_write()
    query = select(Message).where(Message.id == message_id, Message.state.in_(RETRIED), _free(now))
    message = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if message is None or composing.pointless(message, now):
        return False
    session.execute(update(Message).where(Message.id == message_id).values(**_AGAIN, next_at=now))
    return True
