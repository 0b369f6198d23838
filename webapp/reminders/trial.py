"""A test mail, and what the server said to it in words."""

from __future__ import annotations

from secrets import token_hex

from flask_babel import gettext as _

from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import Verdict
from webapp.notify.outbox import Draft
from webapp.reminders.texts import STAGES, said


def draft(address: str, locale: str) -> Draft:
    """A test mail to `address`."""
    return Draft(f"test:{token_hex(8)}", "test", "mail.test", address, locale)


def reply_text(reply: Reply) -> str:
    """What the server said, and how far it came."""
    words = said(reply.fault, reply.code, reply.words)
    if reply.verdict == Verdict.ACCEPTED:
        return _("The server took the mail: %(words)s", words=words)
    return _("The mail was not taken (%(stage)s): %(words)s", stage=STAGES[reply.stage], words=words)
