"""Why no call was sent, in words, and with which status; the one place for all refusals of the desk."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from webapp.foundation.pages import when
from webapp.vendor.circuit import CallsStopped
from webapp.verification.limits import LimitReached
from webapp.verification.operations import AlreadySending
from webapp.verification.reuse import UnknownBefore
from webapp.verification.stop_texts import goes_on, words
from webapp.verification.tokens import FormSpent, TokenExpired, TokenRefused

REFUSALS = (LimitReached, AlreadySending, CallsStopped, UnknownBefore, FormSpent, TokenExpired, TokenRefused)
Refusal = LimitReached | AlreadySending | CallsStopped | UnknownBefore | FormSpent | TokenExpired | TokenRefused


@dataclass(frozen=True, slots=True)
class Refused:
    """`why` is for the trail and holds nothing personal; `again`: a tick may spend the call all the same."""

    status: int
    why: str
    reason: str
    again: bool = False


def describe(error: Refusal, asker_id: int) -> Refused:
    """The refusal as the card and the trail say it to who asked."""
    match error:
        case LimitReached():
            return Refused(429, f"limit {error.limit.subject}", _limit(error))
        case AlreadySending():
            return Refused(409, "twin", _under_way(error.operator_id == asker_id))
        case CallsStopped():
            cause, step = words(error.stopped)
            said = (_("calls are stopped: %(cause)s.", cause=cause), step, goes_on(error.stopped))
            return Refused(409, f"stop {error.stopped.cause}", " ".join(filter(None, said)))
        case UnknownBefore():
            return Refused(409, "unknown before", _unknown(error), again=True)
        case TokenRefused():
            reason = _("this form was not made for you, or was changed on its way. Here is a fresh one.")
            return Refused(400, "form refused", reason)
        case TokenExpired():
            reason = _("this form lay open for more than a day. Look at it again, then send it.")
            return Refused(409, "form expired", reason)
        case FormSpent():
            reason = _("this form was sent before with something else in it. Look at it again, then send it.")
            return Refused(409, "form spent", reason)


def _under_way(own: bool) -> str:
    if own:
        return _("your own call for this person is under way, for another purpose or reference. Try again in a minute.")
    return _("a colleague is verifying this person at this moment. Try again in a minute.")


def _limit(reached: LimitReached) -> str:
    until = when(reached.until)
    match reached.limit.subject:
        case "operator":
            return _("you have reached your limit of calls. The next one is possible at %(until)s.", until=until)
        case "number":
            return _("this number was verified too often. The next time is possible at %(until)s.", until=until)
        case _other:
            return _("too many numbers were tried for this name. The next one is possible at %(until)s.", until=until)


def _unknown(before: UnknownBefore) -> str:
    return _("the outcome of a call for this person at %(at)s is unknown, and it may have been charged. An admin "
             "settles it; to spend another call all the same, tick the box below.", at=when(before.at))  # fmt: skip
