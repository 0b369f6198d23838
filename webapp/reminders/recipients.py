"""Who is told: subscribing oneself, adding others (who confirm by a link), changing, ending.

All of it in the caller's transaction, and each change brings what waits for standing episodes in line at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from webapp.accounts.models import Role, User
from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import must_write
from webapp.notify import notices, outbox
from webapp.notify import queries as notify
from webapp.notify.messages import State
from webapp.notify.outbox import Draft
from webapp.notify.queries import Chain
from webapp.reminders import operations, queries
from webapp.reminders.models import Recipient
from webapp.reminders.rules import KINDS, Rule

ASK_AGAIN_AFTER = timedelta(minutes=1)
"""A link to confirm is not mailed more often: an address must not be flooded through us."""


class AlreadyListed(Exception):
    """This address is on the list already; change it there."""


def subscribe(user: User, locale: str, who: Who, now: datetime) -> Recipient:
    """Adds a user at the address of their own account: no confirmation is needed. Raises `AlreadyListed`."""
    operations.one_at_a_time()
    listed = _listed(user.id, user.email)
    if listed is None:
        as_admin = user.role == Role.ADMIN
        return _add(Recipient(user_id=user.id, locale=locale, confirmed_at=now, as_admin=as_admin), who, now)
    if listed.confirmed_at is not None:
        raise AlreadyListed
    listed.user_id, listed.email = user.id, None
    _confirmed(listed, who, now)
    return listed


def add(email: str, locale: str, who: Who, now: datetime) -> Recipient:
    """Adds any address, which is told once it has confirmed. Raises `AlreadyListed`."""
    operations.one_at_a_time()
    email = email.strip().lower()
    user_id = must_write().scalar(select(User.id).where(User.email == email))
    if _listed(user_id, email) is not None:
        raise AlreadyListed
    recipient = Recipient(user_id=user_id, email=None if user_id else email, locale=locale)
    _add(recipient, who, now)
    _ask(recipient, now)
    return recipient


def _listed(user_id: int | None, email: str) -> Recipient | None:
    """Whoever is on the list as this user, or at this address."""
    mine = select(Recipient).where(Recipient.user_id == user_id)
    found = must_write().scalar(mine) if user_id is not None else None
    return found or queries.recipient_by_email(email)


def _add(recipient: Recipient, who: Who, now: datetime) -> Recipient:
    session = must_write()
    # A user's address of an earlier time is in nobody's way.
    stale = update(Recipient).where(Recipient.user_id.is_not(None), Recipient.email == recipient.email)
    session.execute(stale.values(email=None))
    recipient.low = recipient.expiry = True
    recipient.created_at = now
    session.add(recipient)
    session.flush()
    notices.settled(_left(queries.address_of(recipient)))
    append(who, Action.RECIPIENT_ADDED, now, on=("recipient", recipient.id))
    if recipient.confirmed_at is not None:
        operations.tell_standing(now)
    return recipient


def ask_again(recipient_id: int, who: Who, now: datetime) -> bool:
    """Mails a fresh link to confirm, which makes earlier ones void; False where none is wanted, or just went out."""
    operations.one_at_a_time()
    recipient = must_write().get(Recipient, recipient_id)
    if recipient is None or recipient.confirmed_at is not None:
        return False
    if recipient.asked_at is not None and timedelta() <= now - recipient.asked_at < ASK_AGAIN_AFTER:
        return False  # one that was asked in the future was asked by a clock that was ahead
    _ask(recipient, now)
    append(who, Action.RECIPIENT_ASKED, now, on=("recipient", recipient.id))
    return True


def _ask(recipient: Recipient, now: datetime) -> None:
    recipient.asked_at = now
    cause, asked = _asking(recipient), int(now.timestamp())
    outbox.withdraw(cause, "asked_again", now)
    outbox.write([Draft(f"{cause}:{asked}", cause, "recipient.confirm", queries.address_of(recipient),
                        recipient.locale, {"asked": asked}, recipient.reader)], now)  # fmt: skip


def lost_link(recipient: Recipient) -> Chain | None:
    """The newest link with its tries, where the server refused it for good or it was given up. Reads only."""
    written = notify.written_for(_asking(recipient))
    lost = bool(written) and written[-1].state in (State.REFUSED, State.FAILED)
    return notify.chain(written[-1].id) if lost else None


def _asking(recipient: Recipient) -> str:
    return f"confirm:{recipient.mark}"


def waiting_to_confirm(mark: str, asked: int) -> Recipient | None:
    """The recipient whose newest link is the one asked for at `asked`, and not used yet."""
    recipient = queries.recipient_by_mark(mark)
    if recipient is None or recipient.confirmed_at is not None or recipient.asked_at is None:
        return None
    return recipient if int(recipient.asked_at.timestamp()) == asked else None


def confirm(mark: str, asked: int, who: Who, now: datetime) -> bool:
    """The reader of this address agrees, by the newest link. False where it is void."""
    operations.one_at_a_time()
    recipient = waiting_to_confirm(mark, asked)
    if recipient is None:
        return False
    _confirmed(recipient, who, now)
    return True


def _confirmed(recipient: Recipient, who: Who, now: datetime) -> None:
    session = must_write()
    user = session.get(User, recipient.user_id) if recipient.user_id is not None else None
    recipient.confirmed_at, recipient.as_admin = now, user is not None and user.role == Role.ADMIN
    session.flush()
    outbox.withdraw(_asking(recipient), "confirmed", now)
    notices.settled(operations.demoted(recipient))
    append(who, Action.RECIPIENT_CONFIRMED, now, on=("recipient", recipient.id))
    operations.tell_standing(now)


def choose(recipient_id: int, *, low: bool, expiry: bool, locale: str, who: Who, now: datetime) -> bool:
    """Says which rules a recipient is told of, in which language; what waits for them and is no longer wanted goes,
    and comes back when it is wanted again while its episode stands."""
    operations.one_at_a_time()
    session = must_write()
    recipient = session.get(Recipient, recipient_id)
    if recipient is None:
        return False
    recipient.low, recipient.expiry, recipient.locale = low, expiry, locale
    session.flush()
    for rule, wanted in ((Rule.LOW, low), (Rule.EXPIRY, expiry)):
        if not wanted:
            outbox.withdraw_from(recipient.reader, "not_wanted", now, kind=KINDS[rule])
    append(who, Action.RECIPIENT_CHANGED, now, on=("recipient", recipient_id), low=low, expiry=expiry)
    operations.tell_standing(now)
    return True


def remove(recipient_id: int, who: Who, now: datetime) -> bool:
    """Takes someone off the list, with all that still waits for them."""
    operations.one_at_a_time()
    session = must_write()
    recipient = session.get(Recipient, recipient_id)
    if recipient is None:
        return False
    outbox.withdraw_from(recipient.reader, "removed", now)
    notices.settled(operations.demoted(recipient))
    append(who, Action.RECIPIENT_REMOVED, now, on=("recipient", recipient_id))
    session.delete(recipient)
    session.flush()
    return True


def stop(mark: str, who: Who, now: datetime) -> bool:
    """As `remove`, by the link in a mail. Whoever holds that mail can do so, so the admins are told."""
    operations.one_at_a_time()
    recipient = queries.recipient_by_mark(mark)
    if recipient is None:
        return False
    address = queries.address_of(recipient)
    notices.tell("admin", "recipient_left", _left(address), now, address=address)
    return remove(recipient.id, who, now)


def _left(address: str) -> str:
    return f"left:{outbox.tag(address)}"
