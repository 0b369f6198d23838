"""Why no call was sent, in words, and with which status; the one place for all refusals of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _

from webapp.foundation.limits import Subject
from webapp.foundation.pages import when
from webapp.vendor.circuit import CallsStopped
from webapp.verification.cap_rules import CapKind
from webapp.verification.caps import CapReached
from webapp.verification.limits import LimitReached
from webapp.verification.operations import AlreadySending
from webapp.verification.reuse import UnknownBefore
from webapp.verification.stop_texts import goes_on, words
from webapp.verification.texts import SOURCES
from webapp.verification.tokens import FormSpent, TokenExpired, TokenRefused

REFUSALS = (LimitReached, CapReached, AlreadySending, CallsStopped, UnknownBefore, FormSpent, TokenExpired,
            TokenRefused)  # fmt: skip
Refusal = (LimitReached | CapReached | AlreadySending | CallsStopped | UnknownBefore | FormSpent | TokenExpired
           | TokenRefused)  # fmt: skip


class Refused(NamedTuple):
    """`why` is for the trail and holds nothing personal; `reason`: the cause; `advice`: what to do next, and when;
    `again`: a tick may spend the call all the same."""

    status: int
    why: str
    reason: str
    advice: str = ""
    again: bool = False


def describe(error: Refusal, asker_id: int) -> Refused:
    """The refusal as the card and the trail say it to who asked."""
    match error:
        case LimitReached():
            return Refused(429, f"limit {error.limit.subject}", _limit(error.limit.subject), _possible(error.until))
        case CapReached():
            more = _("Others go on when calls are bought, or an admin keeps fewer.")
            return Refused(429, f"cap {error.whom.kind}", _cap(error), _possible(error.until) if error.until else more)
        case AlreadySending():
            return Refused(409, "twin", _under_way(error.operator_id == asker_id), _("Try again in a minute."))
        case CallsStopped():
            cause, step = words(error.stopped)
            advice = " ".join(filter(None, (step, goes_on(error.stopped))))
            return Refused(409, f"stop {error.stopped.cause}", _("calls are stopped: %(cause)s.", cause=cause), advice)
        case UnknownBefore():
            reason = _("the outcome of a call for this person at %(at)s is unknown.", at=when(error.at))
            advice = _("It may have been charged. An admin settles it; to spend another call all the same, tick the "
                       "box below.")  # fmt: skip
            return Refused(409, "unknown before", reason, advice, again=True)
        case TokenRefused():
            reason = _("this form was not made for you, or was changed on its way.")
            return Refused(400, "form refused", reason, _("Here is a fresh one."))
        case TokenExpired():
            reason = _("this form lay open for more than a day.")
            return Refused(409, "form expired", reason, _("Look at it again, then send it."))
        case FormSpent():
            reason = _("this form was sent before with something else in it.")
            return Refused(409, "form spent", reason, _("Look at it again, then send it."))


def _under_way(own: bool) -> str:
    if own:
        return _("your own call for this person is under way, for another purpose or reference.")
    return _("a colleague is verifying this person at this moment.")


def _limit(subject: Subject) -> str:
    match subject:
        case Subject.OPERATOR:
            return _("you have reached your limit of calls.")
        case Subject.NUMBER:
            return _("this number was verified too often.")
        case Subject.NAME:
            return _("too many numbers were tried for this name.")


def _possible(until: datetime) -> str:
    return _("The next one is possible at %(until)s.", until=when(until))


def _cap(reached: CapReached) -> str:
    calls = reached.calls
    match reached.whom.kind:
        case CapKind.OPERATOR:
            return _("your calls for today are used up: an admin allows you %(calls)s a day.", calls=calls)
        case CapKind.DEPARTMENT:
            return _("your department's calls for today are used up: an admin allows it %(calls)s a day.", calls=calls)
        case CapKind.SOURCE:
            source = SOURCES[reached.whom.of]
            return _("today's calls from this source (%(source)s) are used up: an admin allows it %(calls)s a day.",
                     source=source, calls=calls)  # fmt: skip
        case CapKind.FLOOR:
            return _("the last %(calls)s calls are kept for the desk.", calls=calls)
