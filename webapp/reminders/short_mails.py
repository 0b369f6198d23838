"""Reminder mails in their short form, for when the full one cannot be written: what it is about, what to do, and the
way to the page that tells the fault. Built without template, forecast and picture: those may be what is broken."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from markupsafe import Markup

from webapp.foundation.clock import day_of
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import speaking
from webapp.notify.composing import Content
from webapp.notify.messages import Message
from webapp.reminders import links, queries
from webapp.reminders.buying import CONSOLE
from webapp.reminders.dates import short_day
from webapp.reminders.late import late_words
from webapp.reminders.models import Episode, mark_of


def low(message: Message, now: datetime) -> Content:
    """Few calls are left."""
    late = late_words(message, _episode(message), now)
    supply = queries.supply(day_of(now, this_instance().settings.zone))
    remaining, total = f"{supply.remaining:,}", f"{supply.total:,}"
    with speaking(message.locale):
        if not supply.total:
            lead = _("The 20%% line was reached, and by now no lot is valid any more.")
            return _short(message, _("[Yuliang] No lot is valid any more"), lead, late)
        subject = _("[Yuliang] %(remaining)s of %(total)s calls are left", remaining=remaining, total=total)
        lead = (
            _("All valid lots together have %(remaining)s calls left: the 20%% line was reached, and by now they are "
              "above it again.", remaining=remaining)
            if supply.is_above else
            _("All valid lots together have %(remaining)s calls left: the 20%% line is reached.", remaining=remaining)
        )  # fmt: skip
        return _short(message, subject, lead, late)


def expiry(message: Message, now: datetime) -> Content:
    """A lot ends, or has ended."""
    episode = _episode(message)
    late = late_words(message, episode, now)
    today = day_of(now, this_instance().settings.zone)
    ends = episode.ends_on or today
    left = f"{queries.calls_ending(queries.lots_ending_with(episode)):,}"
    with speaking(message.locale):
        day = short_day(ends, today)
        if ends < today:
            subject = _("[Yuliang] A lot ended on %(day)s: %(left)s calls have lapsed", day=day, left=left)
            return _short(
                message, subject, _("%(left)s calls ended on %(day)s and have lapsed.", left=left, day=day), late
            )
        subject = _("[Yuliang] %(left)s calls end on %(day)s", left=left, day=day)
        return _short(message, subject, _("%(left)s calls end on %(day)s.", left=left, day=day), late)


def _episode(message: Message) -> Episode:
    episode = queries.episode(int(message.params["episode"]))
    if episode is None:
        raise LookupError(f"episode {message.params['episode']} is gone")
    return episode


def _short(message: Message, subject: str, lead: str, late: str) -> Content:
    token = links.stop_token(mark_of(message.reader))
    lines = [
        (f"{lead} {late}".strip(), ""),
        (_("Please buy in time; the AppCode stays the same."), CONSOLE),
        (_("This mail is in short form: the full one could not be written. The page Reminders tells why."),
         links.page("reminders.index")),
        (_("No more of these mails"), links.page("reminders.recipients.stop", token=token)),
    ]  # fmt: skip
    if this_instance().kind == "sandbox":
        lines.insert(1, (_("Sandbox: practice figures, nothing real is running out."), ""))
    text = "\n\n".join(f"{words}\n{link}".strip() for words, link in lines) + "\n"
    paragraphs = Markup("").join(
        Markup("<p>{}{}</p>").format(words, Markup('<br><a href="{0}">{0}</a>').format(link) if link else "")
        for words, link in lines
    )
    frame = Markup('<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title><body>{}</body></html>')
    html = str(frame.format(message.locale.replace("_", "-"), subject, paragraphs))
    leave = links.page("reminders.recipients.leave", token=token)
    return Content(subject, text, html, secrets=(token,), leave=leave)
