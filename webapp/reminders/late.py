"""What a reminder says of its being late."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from webapp.foundation.instance import this_instance
from webapp.foundation.pages import speaking, when
from webapp.notify.messages import Message
from webapp.reminders import rules
from webapp.reminders.models import Episode
from webapp.reminders.rules import Rule


def late_words(message: Message, episode: Episode, now: datetime) -> str:
    """In the language of the message, why it is late: it was found late, as when the product did not run, or could not
    be sent for long. Empty where it is in time."""
    with speaking(message.locale):
        if episode.late:
            return _("This reminder is late: it was due at %(due)s, and was found at %(found)s.",
                     due=when(episode.due_at), found=when(episode.opened_at))  # fmt: skip
        if rules.is_late(Rule(episode.rule), message.created_at, now, this_instance().settings.zone):
            return _("This reminder is late: it was written at %(written)s.", written=when(message.created_at))
    return ""
