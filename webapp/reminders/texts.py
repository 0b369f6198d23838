"""The words for rules, states, attempts and reasons."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.foundation.smtp_url import Security
from webapp.notify.messages import Fault, State, Verdict
from webapp.notify.retrying import NO_MAILBOX, SERVER
from webapp.notify.sending import SEND_JOB
from webapp.reminders.operations import REVIEW_JOB
from webapp.reminders.rules import Closed, Rule

UNREADABLE = _l("The stored mail server cannot be read with the present keys: set it again. Until then mails wait.")

RULES: dict[str, LazyString] = {
    Rule.LOW: _l("20 percent of all valid calls remain"),
    Rule.EXPIRY: _l("A lot ends within 7 days"),
}
KINDS: dict[str, LazyString] = {
    "reminder.low": _l("Low balance"),
    "reminder.expiry": _l("End of a lot"),
    "recipient.confirm": _l("Confirmation"),
    "mail.test": _l("Test mail"),
}
STATES: dict[str, LazyString] = {
    State.QUEUED: _l("waiting"),
    State.SENT: _l("sent"),
    State.REFUSED: _l("refused"),
    State.FAILED: _l("given up"),
    State.DROPPED: _l("dropped"),
}
TONES: dict[str, str] = {
    State.QUEUED: "warn", State.SENT: "good", State.REFUSED: "bad", State.FAILED: "bad", State.DROPPED: "neutral",
}  # fmt: skip
VERDICTS: dict[str | None, LazyString] = {
    Verdict.ACCEPTED: _l("accepted"),
    Verdict.TRANSIENT: _l("not now"),
    Verdict.PERMANENT: _l("refused for good"),
    None: _l("broken off: the process ended"),
}
TRYING = _l("being tried now")
STAGES: dict[str, LazyString] = {
    "compose": _l("writing the mail"),
    "connect": _l("connecting"),
    "tls": _l("encryption"),
    "greeting": _l("greeting"),
    "login": _l("logging in"),
    "sender": _l("sender"),
    "recipient": _l("recipient"),
    "content": _l("content"),
}
FAULTS: dict[str, LazyString] = {
    Fault.NO_ANSWER: _l("no answer in time"),
    Fault.CLOSED: _l("the connection was closed before the server answered"),
    Fault.NO_NAME: _l("the name of the mail server is not known"),
    Fault.TURNED_AWAY: _l("the connection was refused: no mail server listens at this port"),
    Fault.NOT_SMTP: _l("what answers there is no mail server"),
    Fault.NO_STARTTLS: _l("the server does not offer STARTTLS"),
    Fault.TLS: _l("the encryption failed"),
    Fault.CERTIFICATE: _l("the server's certificate does not hold"),
    Fault.BUNDLE: _l("YULIANG_CA_BUNDLE holds no certificates that can be read"),
    Fault.NO_LOGIN: _l("the server offers no log-in that is known here"),
    Fault.CHARACTERS: _l("user name, password or address hold characters that this server cannot take"),
    Fault.OTHER: _l("the connection failed"),
}
REASONS: dict[str, LazyString] = {
    Closed.RENEWED: _l("calls were bought"),
    Closed.LOTS_CHANGED: _l("another set of lots is valid"),
    Closed.EMPTIED: _l("no calls of the lot are left"),
    Closed.LOT_CLOSED: _l("the lot was closed"),
    Closed.MOVED: _l("its last day was changed"),
    Closed.EXPIRED: _l("the lot has ended"),
    Closed.TOO_LATE: _l("it ended too long ago"),
    Closed.NOT_YET: _l("its day has not come: the clock was wrong"),
    "not_wanted": _l("the recipient does not want it"),
    "removed": _l("the recipient was removed"),
    "not_told": _l("the recipient is not told any more"),
    "asked_again": _l("a newer link was mailed"),
    "confirmed": _l("the address has confirmed already"),
    SERVER: _l("the mail server could not be used"),
    NO_MAILBOX: _l("the mailbox does not exist, or is disabled"),
}
JOBS: dict[str, LazyString] = {
    REVIEW_JOB: _l("checks the rules"),
    SEND_JOB: _l("sends what waits"),
}
SECURITIES = [
    (Security.TLS.value, _l("TLS from the start (port 465 or 994)")),
    (Security.STARTTLS.value, _l("STARTTLS (port 587)")),
    (Security.NONE.value, _l("none: everything travels in the clear (port 25)")),
]


def here_only(base: str) -> str:
    """What is wrong with links in mails that lead to `base`."""
    return _("Links in mails lead to %(url)s, which works on this machine only: set YULIANG_PUBLIC_URL.", url=base)


def said(fault: str, code: int | None, words: str) -> str:
    """What the server said, or what was in the way instead."""
    if not fault:
        return f"{code} {words}" if code else words
    text = str(FAULTS.get(fault, fault))
    return f"{text} ({words})" if words else text
