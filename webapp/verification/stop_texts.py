"""A stop in words: what it waits for, and until when."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from webapp.foundation.pages import when
from webapp.vendor.circuit import Stopped, Waiting
from webapp.vendor.contract import Cause
from webapp.vendor.texts import CAUSES, STOPS


class Banner(NamedTuple):
    """What every page says while calls are stopped. `code` is the contract's word for the cause; `can_ask`: this
    reader may let a trial call through, and none is let through yet."""

    code: str
    cause: str
    step: str
    goes_on: str
    can_ask: bool


def banner(stopped: Stopped, *, may_ask: bool) -> Banner:
    """The stop as a page shows it."""
    cause, step = words(stopped)
    waits = stopped.waiting in (Waiting.TIME, Waiting.ADMIN)
    return Banner(stopped.cause, cause, step, goes_on(stopped), may_ask and waits)


def words(stopped: Stopped) -> tuple[str, str]:
    """Why calls are stopped, and what has to happen before the next is tried: nothing, once a trial is due."""
    known = STOPS.get(stopped.cause)
    if known is None:
        return str(CAUSES[stopped.cause]) if stopped.cause in CAUSES else stopped.cause, ""
    due = stopped.waiting in (Waiting.SUBMISSION, Waiting.ANSWER)
    return str(known[0]), "" if due else str(known[1])


def goes_on(stopped: Stopped) -> str:
    """When the next call may pass."""
    match stopped.waiting:
        case Waiting.TIME:
            return _("The next call is tried at %(until)s or later.", until=when(stopped.until))
        case Waiting.ADMIN:
            return _released(stopped.cause)
        case Waiting.SUBMISSION:
            return _("The next verification is sent as a trial.")
        case Waiting.ANSWER:
            return _("A trial call is under way, until %(until)s at the latest.", until=when(stopped.until))


def _released(cause: str) -> str:
    """What lets the next call through, where no time does: what mends this very cause, or an admin's word."""
    if cause in (Cause.QUOTA_EXHAUSTED, Cause.PACKAGES_EXPIRED):
        return _("Calls go on when an admin lets the next one through or records a lot.")
    if cause in (Cause.APPCODE_INVALID, Cause.NOT_SUBSCRIBED):
        return _("Calls go on when an admin lets the next one through or enters another AppCode.")
    return _("Calls go on when an admin lets the next one through.")
