"""Whether what was written is still worth sending: asked whenever a message is taken, before one is tried again by
hand, and by the page that offers it."""

from __future__ import annotations

from datetime import datetime

from webapp.foundation.clock import day_of
from webapp.foundation.instance import this_instance
from webapp.notify.messages import Message
from webapp.reminders import queries, recipients
from webapp.reminders.models import mark_of
from webapp.reminders.rules import POINTLESS, Rule
from webapp.reminders.telling import NOT_TOLD


def reminder(message: Message, now: datetime) -> str:
    """Why a reminder need not be sent any more; empty while its episode stands by its lots as they are now, or told
    of an end that came not long ago, and its reader is told of the rule."""
    episode = queries.episode(int(message.params["episode"]))
    if episode is None:
        return ""
    closed = episode.closed
    if episode.rule == Rule.EXPIRY and closed not in POINTLESS:
        closed = queries.expiry_closed(episode, day_of(now, this_instance().settings.zone))
    if closed in POINTLESS:
        return str(closed)
    return "" if queries.is_told(mark_of(message.reader), Rule(episode.rule)) else NOT_TOLD


def confirmation(message: Message, _now: datetime) -> str:
    """Why a link to confirm need not be mailed any more; empty while it is the newest one, and not used yet."""
    mark = mark_of(message.reader)
    if recipients.waiting_to_confirm(mark, int(message.params["asked"])) is not None:
        return ""
    recipient = queries.recipient_by_mark(mark)
    if recipient is None:
        return "removed"
    return "confirmed" if recipient.confirmed_at else "asked_again"
