"""Showing one person in plaintext: with a reason, within a limit, recorded before anything is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from sqlalchemy import delete, func, select

from webapp.accounts.models import User
from webapp.audit.meant import record_meant
from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import insert_once, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.redaction import conceal
from webapp.history.reveal_models import Reveal
from webapp.history.reveal_rules import MANY_IN_A_DAY, MOST_IN_AN_HOUR, Reason
from webapp.notify import notices
from webapp.persons.mentions import names_someone
from webapp.verification import identities
from webapp.verification.identities import Person
from webapp.verification.models import IndexKind

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class RevealedAlready(Exception):
    """The form was sent before: nothing is shown again."""


class IdentityGone(Exception):
    """The person was erased or purged: there is nothing to show."""


class NamesSomeone(Exception):
    """The words of the reason hold the very name or number; nothing was shown, and the form is spent."""


class TooMany(Exception):
    """The reader has revealed as many as one may in an hour; the next one after `wait` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


class Wanted(NamedTuple):
    """Who is to be shown, why, by which form."""

    verification_id: int
    reason: Reason
    words: str
    nonce: str


def reveal(wanted: Wanted, who: Who, instance: Instance, now: datetime) -> Person:
    """The person, once recorded. Raises `RevealedAlready`, `IdentityGone`, `NamesSomeone`, `TooMany`."""
    person = identities.open_person(wanted.verification_id, instance.sealer)
    if person is None:
        raise IdentityGone
    conceal(person.name, person.number, person.reference)
    # Refusing such words tells that they were right: it counts, and is recorded, as a look that failed.
    named = names_someone(wanted.words, person.name, person.number)
    with transaction() as session:
        # Two pages of one reader come one after the other, so that the limit holds.
        session.execute(select(User.id).where(User.id == who.user_id).with_for_update())
        _stay_below(who, now)
        if not identities.lock([wanted.verification_id]):  # somebody has just destroyed it
            raise IdentityGone
        values = {"actor_id": who.user_id, "verification_id": wanted.verification_id, "at": now}
        if not insert_once(Reveal, nonce=wanted.nonce, **values):
            raise RevealedAlready
        append(
            who, Action.PERSON_REVEALED, now, on=("verification", wanted.verification_id), success=not named,
            reason=wanted.reason, words="" if named else wanted.words,
        )  # fmt: skip
        record_meant(Action.PERSON_REVEALED, [(IndexKind.NUMBER, person.number)], who, instance.keys, now)
        _tell_of_many(who, instance, now)
    if named:
        raise NamesSomeone
    return person


def forget_reveals(now: datetime) -> bool:
    """Drops what no limit counts any more; False: nothing is left to do."""
    with transaction() as session:
        session.execute(delete(Reveal).where(Reveal.at < now - 2 * DAY))
    return False


def _stay_below(who: Who, now: datetime) -> None:
    mine = Reveal.actor_id == who.user_id, Reveal.at > now - HOUR
    count, first = must_write().execute(select(func.count(), func.min(Reveal.at)).where(*mine)).one()
    if count >= MOST_IN_AN_HOUR:
        raise TooMany(ceil((first + HOUR - now).total_seconds()))


def _tell_of_many(who: Who, instance: Instance, now: datetime) -> None:
    mine = Reveal.actor_id == who.user_id, Reveal.at > now - DAY
    count = must_write().scalar(select(func.count()).where(*mine)) or 0
    if count >= MANY_IN_A_DAY:
        day = day_of(now, instance.settings.zone).isoformat()
        notices.tell("auditor", "many_reveals", f"many_reveals:{who.user_id}:{day}", now, name=who.label, day=day,
                     count=count)  # fmt: skip
