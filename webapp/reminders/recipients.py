"""Who is told: subscribing oneself, adding others (who confirm by a link), changing, ending."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.accounts.models import User
from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import must_write
from webapp.notify import outbox
from webapp.notify.outbox import Draft
from webapp.reminders import operations, queries
from webapp.reminders.models import Recipient

ASK_AGAIN_AFTER = timedelta(minutes=1)
"""A link to confirm is not mailed more often: an address must not be flooded through us."""


class AlreadyListed(Exception):
    """This address is on the list already; change it there."""


def subscribe(user: User, locale: str, who: Who, now: datetime) -> Recipient:
    """Adds a user at the address of their own account: no confirmation is needed. In the caller's transaction.
    Raises `AlreadyListed`."""
    return _add(Recipient(email=user.email.lower(), user_id=user.id, locale=locale, low=True, expiry=True,
                          confirmed_at=now, created_at=now), who, now)  # fmt: skip


def add(email: str, locale: str, who: Who, now: datetime) -> Recipient:
    """Adds any address, which is told once it has confirmed. In the caller's transaction. Raises `AlreadyListed`."""
    session = must_write()
    email = email.strip().lower()
    user_id = session.scalar(select(User.id).where(User.email == email))
    recipient = Recipient(email=email, user_id=user_id, locale=locale, low=True, expiry=True, created_at=now)
    _add(recipient, who, now)
    _ask(recipient, now)
    return recipient


def _add(recipient: Recipient, who: Who, now: datetime) -> Recipient:
    session = must_write()
    if session.scalar(select(Recipient.id).where(Recipient.email == recipient.email)) is not None:
        raise AlreadyListed
    session.add(recipient)
    session.flush()
    append(who, Action.RECIPIENT_ADDED, now, on=("recipient", recipient.id))
    return recipient


def ask_again(recipient_id: int, now: datetime) -> bool:
    """Mails a fresh link to confirm, which makes earlier ones void; False where none is wanted, or just went out."""
    recipient = must_write().get(Recipient, recipient_id)
    if recipient is None or recipient.confirmed_at is not None:
        return False
    if recipient.asked_at is not None and now - recipient.asked_at < ASK_AGAIN_AFTER:
        return False
    _ask(recipient, now)
    return True


def _ask(recipient: Recipient, now: datetime) -> None:
    recipient.asked_at = now
    cause, asked = _asking(recipient.email), int(now.timestamp())
    outbox.withdraw(cause, "asked_again", now)
    key = f"{cause}:{asked}"
    outbox.write([Draft(key, cause, "recipient.confirm", recipient.email, recipient.locale, {"asked": asked})], now)


def _asking(email: str) -> str:
    return f"confirm:{outbox.tag(email)}"


def waiting_to_confirm(email: str, asked: int) -> bool:
    """Whether the newest link that was mailed to this address is the one asked for at `asked`, and not used yet."""
    recipient = queries.recipient_by_email(email)
    return (
        recipient is not None and recipient.confirmed_at is None
        and recipient.asked_at is not None and int(recipient.asked_at.timestamp()) == asked
    )  # fmt: skip


def confirm(email: str, asked: int, who: Who, now: datetime) -> bool:
    """The reader of this address agrees, by the newest link; in the caller's transaction. False where it is void."""
    recipient = queries.recipient_by_email(email)
    if recipient is None or not waiting_to_confirm(email, asked):
        return False
    recipient.confirmed_at = now
    append(who, Action.RECIPIENT_CONFIRMED, now, on=("recipient", recipient.id))
    return True


def choose(recipient_id: int, *, low: bool, expiry: bool, locale: str, who: Who, now: datetime) -> bool:
    """Says which rules a recipient is told of, in which language; what waits for them and is no longer wanted goes."""
    recipient = must_write().get(Recipient, recipient_id)
    if recipient is None:
        return False
    recipient.low, recipient.expiry, recipient.locale = low, expiry, locale
    for episode in queries.open_episodes():
        if not (low if episode.rule == "low" else expiry):
            outbox.withdraw(operations.cause_of(episode.id), "not_wanted", now, address=recipient.email)
    append(who, Action.RECIPIENT_CHANGED, now, on=("recipient", recipient_id), low=low, expiry=expiry)
    return True


def remove(recipient_id: int, who: Who, now: datetime) -> bool:
    """Takes someone off the list, with all that still waits for them. In the caller's transaction."""
    session = must_write()
    recipient = session.get(Recipient, recipient_id)
    if recipient is None:
        return False
    outbox.withdraw_all(recipient.email, "removed", now)
    append(who, Action.RECIPIENT_REMOVED, now, on=("recipient", recipient_id))
    session.delete(recipient)
    return True


def stop(email: str, who: Who, now: datetime) -> bool:
    """As `remove`, by the link in a mail."""
    recipient = queries.recipient_by_email(email)
    return recipient is not None and remove(recipient.id, who, now)
