"""Opening and closing episodes, and writing their messages: in the same transaction, so that what was found is told.

`review` looks at everything and runs every minute; `supply_changed` runs in the transaction of a purchase and
`call_settled` right after that of a call, so that no crossing and no lift between two looks is missed. However many
processes look, the unique keys of episodes and messages let one of them tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from webapp.foundation.clock import day_of
from webapp.foundation.database import db, end_read, insert_into, must_write, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.notify import holding, notices, outbox
from webapp.notify import queries as notify
from webapp.notify.messages import State
from webapp.notify.outbox import Draft
from webapp.quota import queries as quota
from webapp.quota import watchers
from webapp.reminders import queries, rules, telling
from webapp.reminders.models import Episode, Recipient, ToldLot
from webapp.reminders.queries import Told
from webapp.reminders.rules import BY_THE_CLOCK, KINDS, POINTLESS, Closed, Ending, Rule, Standing, Step

log = structlog.get_logger("yuliang.reminders")

LOCK = 0x7975_6C6F_77  # any number that nobody else of this database takes: "yulow"
REVIEW_JOB = "check reminders"
Audience = dict[Rule, list[Told]]


def install(app: Flask) -> None:
    """Lets the ledger tell us of purchases and settled calls."""
    watchers.watch(app, supply=supply_changed, calls=call_settled)


def review(instance: Instance, now: datetime) -> bool:
    """Looks at both rules, and at who still has to be told. False: all is done."""
    today = day_of(now, instance.settings.zone)
    with transaction():
        one_at_a_time()
        listed, episodes = queries.confirmed(), queries.changeable(today)
        _ask_former_admins(listed, now)
        audience = queries.audience(listed)
        _review_low(instance, now, audience)
        for episode in episodes:
            if episode.rule == Rule.EXPIRY:
                _follow_lots(instance, episode, now)
        for ending in rules.endings(queries.untold_lots(today), now, instance.settings.zone):
            _open_expiry(instance, ending, now, audience)
        for episode in episodes:
            if queries.is_to_be_told(episode, today):
                _tell(episode, now, audience)
    return False


def _ask_former_admins(listed: Sequence[queries.Listed], now: datetime) -> None:
    """Whoever agreed as an admin and is none any more must agree anew, if the admins want so: they are told."""
    for recipient, user in listed:
        if user is not None and queries.is_former_admin(recipient, user):
            recipient.confirmed_at = recipient.asked_at = None
            must_write().flush()
            notices.tell("admin", "recipient_demoted", demoted(recipient), now, name=user.name)


def demoted(recipient: Recipient) -> str:
    """The key of the notice that a recipient is no admin any more."""
    return f"demoted:{recipient.mark}"


def retry_standing(now: datetime) -> int:
    """Tries all at once that waits, and again what was refused or given up of what is still to be told, in the
    caller's transaction, which has called `one_at_a_time` before it changed anything. Returns how many of the
    latter."""
    again = sum(outbox.put_back(message_id, now) for message_id in lost(now))
    outbox.hurry(now)
    return again


def lost(now: datetime) -> list[int]:
    """Messages of episodes that are still to be told which were refused or given up. Reads only."""
    return [one.id for episode in queries.to_be_told(_today(now)) for one in notify.written_for(cause_of(episode.id))
            if one.state in notify.LOST]  # fmt: skip


def _today(now: datetime) -> date:
    return day_of(now, this_instance().settings.zone)


def tell_standing(now: datetime) -> None:
    """Brings the messages of all that is to be told in line with who is on the list, in the caller's transaction,
    which has called `one_at_a_time` before it changed anything."""
    audience = queries.audience()
    for episode in queries.to_be_told(_today(now)):
        _tell(episode, now, audience)


def supply_changed(now: datetime) -> None:
    """Looks at the balance in the transaction of a purchase or correction."""
    one_at_a_time()
    _review_low(this_instance(), now)


def call_settled(now: datetime) -> None:
    """Looks whether the call just settled was the one that crossed the line. A database that is busy now will have
    time within the minute: `review` finds the same."""
    instance = this_instance()
    try:
        step = rules.low_step(queries.supply(day_of(now, instance.settings.zone)), _standing(queries.open_low()))
        end_read()
        if step != Step.NOTHING:
            with transaction():
                supply_changed(now)
    except SQLAlchemyError as fault:
        db.session.rollback()
        log.warning("the check after a call is left to the next minute", kind=type(fault).__name__)


def _standing(episode: Episode | None) -> Standing | None:
    return None if episode is None else Standing(episode.total, episode.mark)


def _review_low(instance: Instance, now: datetime, audience: Audience | None = None) -> None:
    zone, newest = instance.settings.zone, queries.newest_low()
    episode = newest if newest is not None and newest.closed_at is None else None
    now = rules.not_before(now, None if newest is None else newest.closed_at or newest.opened_at)
    today = day_of(now, zone)
    supply = queries.supply(today)
    match rules.low_step(supply, _standing(episode)):
        case Step.OPEN:
            ended = [lot.expires_on for lot in quota.lots_ending(today - queries.LOOK_BACK, today)]
            due = rules.low_since(quota.newest_change_at(), ended, now, zone)
            made = _open(
                Rule.LOW, f"low:{_next_low()}", due, now, late=rules.is_late(Rule.LOW, due, now, zone),
                remaining=supply.remaining, total=supply.total, mark=supply.mark,
            )  # fmt: skip
            if made is not None:
                _tell(made, now, audience)
        case Step.FOLLOW if episode is not None:
            episode.total, episode.mark = supply.total, supply.mark
        case Step.CLOSE if episode is not None:
            _close(episode, rules.why_closed(supply, Standing(episode.total, episode.mark)), now)


def one_at_a_time() -> None:
    """Lets the looks at the balance pass one by one, until their transactions end: a purchase that is not committed
    yet must neither miss the episode that a call opens at this moment, nor be missed by it. SQLite does so anyway."""
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _next_low() -> int:
    """The number of the next low episode, which makes its key."""
    return must_write().scalar(select(func.count()).where(Episode.rule == Rule.LOW)) or 0


def _follow_lots(instance: Instance, episode: Episode, now: datetime) -> None:
    """Lets the episode of an end stand or be over as its lots are now. By a lot that is back, or a clock that is right
    again, it stands again: it was told of, or dropped, and is no new event."""
    zone, before = instance.settings.zone, episode.closed
    closed = queries.expiry_closed(episode, day_of(now, zone))
    if closed == before:
        return
    if before == Closed.TOO_LATE:
        notices.settled(lapsed_unseen(episode))
    if closed == Closed.TOO_LATE and not notify.delivered(cause_of(episode.id)):
        _tell_lapsed(episode, queries.calls_ending(queries.lots_ending_with(episode)), now)
    if closed is not None:
        _close(episode, closed, now)
        return
    episode.closed_at = episode.closed = None
    if episode.opened_at > now:
        episode.opened_at, episode.late = now, rules.is_late(Rule.EXPIRY, episode.due_at, now, zone)


def _tell_lapsed(episode: Episode, calls: int, now: datetime) -> None:
    notices.tell("admin", "lapsed_unseen", lapsed_unseen(episode), now, day=str(episode.ends_on), calls=calls)


def lapsed_unseen(episode: Episode) -> str:
    """The key of the notice that calls lapsed long before anyone could be told."""
    return f"lapsed_unseen:{episode.id}"


def _open_expiry(instance: Instance, ending: Ending, now: datetime, audience: Audience) -> None:
    late = rules.is_late(Rule.EXPIRY, ending.due, now, instance.settings.zone)
    left = sum(lot.left for lot in ending.lots)
    episode = _open(
        Rule.EXPIRY, f"expiry:{ending.expires_on}:{ending.lots[0].id}", ending.due, now, late=late, remaining=left,
        total=sum(lot.calls for lot in quota.lots_by_id([lot.id for lot in ending.lots])), ends_on=ending.expires_on,
    )  # fmt: skip
    if episode is None:
        return
    session, day = must_write(), ending.expires_on
    session.add_all(ToldLot(lot_id=lot.id, ends_on=day, episode_id=episode.id) for lot in ending.lots)
    session.flush()
    if ending.closed == Closed.TOO_LATE:
        _tell_lapsed(episode, left, now)
    else:
        _tell(episode, now, audience)
    if ending.closed is not None:
        _close(episode, ending.closed, now)


def _open(rule: Rule, key: str, due: datetime, now: datetime, **values: Any) -> Episode | None:
    """The episode, made; None where another process has made it."""
    session = must_write()
    row = {"rule": rule, "key": key, "due_at": due, "opened_at": now, "mark": 0, **values}
    made = session.scalar(insert_into(Episode).values(row).on_conflict_do_nothing().returning(Episode.id))
    return None if made is None else session.get_one(Episode, made)


def _close(episode: Episode, closed: Closed, now: datetime) -> None:
    """Ends an episode; what still waits is dropped where it has become pointless."""
    episode.closed_at, episode.closed = now, closed
    must_write().flush()
    if closed in POINTLESS:
        outbox.withdraw(cause_of(episode.id), closed, now)


def cause_of(episode_id: int) -> str:
    """What an episode's messages name as their cause."""
    return f"episode:{episode_id}"


def _tell(episode: Episode, now: datetime, audience: Audience | None = None) -> None:
    """Sees that each recipient has one message of the episode: those of the moment, and whoever joins or comes back
    while it stands; once its end has come, only that what they have is delivered. What waits for one who is told no
    longer is dropped."""
    told = (audience or queries.audience())[Rule(episode.rule)]
    cause, kind = cause_of(episode.id), KINDS[Rule(episode.rule)]
    written, hold = notify.written_for(cause), holding.known()
    known, fresh = telling.known(told, written), []
    for one in told:
        # With the address: a message that was handed on to another reader keeps its key, and its first reader's may
        # be to be written anew.
        key = f"{cause}:{one.mark}:{outbox.tag(one.address)}"
        draft = Draft(key, cause, kind, one.address, one.locale, {"episode": episode.id}, one.reader)
        mine = telling.message_of(one, known)
        match telling.step(one, mine, now, hold.lifted_at if hold else None):
            case telling.Step.WRITE if episode.closed_at is None:
                fresh.append(draft)
            case telling.Step.AGAIN if mine is not None and (episode.closed_at is None or _waits_still(mine)):
                outbox.bring_back(mine.id, draft, now)
    if fresh and outbox.write(fresh, now) < len(fresh):
        log.error("somebody who is to be told has no message", episode=episode.id)
    for reader in telling.off_the_list(told, written):
        outbox.withdraw_from(reader, telling.NOT_TOLD, now, kind=kind)


def _waits_still(message: telling.Written) -> bool:
    """Whether a message is to be delivered although the end it tells of has come: it was not dropped, or only by a
    clock that was wrong."""
    return message.state != State.DROPPED or message.reason in BY_THE_CLOCK
