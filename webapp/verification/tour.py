"""The tour of a sandbox: for every result card a documented name and number that bring it about."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.vendor.contract import Outcome
from webapp.verification.texts import OUTCOMES

NAME, NUMBER = "陈小满", "100101199003080023"
"""In the sandbox's register."""


@dataclass(frozen=True, slots=True)
class Step:
    """One card: whom to verify, and what there is to learn."""

    outcome: str
    name: str
    number: str
    note: LazyString

    @property
    def label(self) -> LazyString:
        return OUTCOMES[self.outcome].label


STEPS: tuple[Step, ...] = (
    Step(Outcome.MATCH, NAME, NUMBER, _l("A match does not prove that the person present is the holder.")),
    Step("reused", NAME, NUMBER, _l("The same person again: the recent result is shown, and no call is spent.")),
    Step("blocked", NAME, "100101199003080024", _l("A mistyped last digit is found here, before anything is sent.")),
    Step(Outcome.MISMATCH, "林小满", NUMBER, _l("Then mend the name on the result's page and verify again.")),
    Step(Outcome.NO_SUCH_NUMBER, NAME, "100109197001010015", _l("Read the honest causes before you speak.")),
    Step(Outcome.INVALID_INPUT, "演练特殊字符", NUMBER, _l("The vendor refuses the spelling; the card decides.")),
    Step(Outcome.UNEXPECTED, "演练未知编码五", NUMBER, _l("Something the manual does not know: no conclusion.")),
    Step(Outcome.UNKNOWN, "演练后端超时", NUMBER, _l("The call may have been charged: do not send it again.")),
    Step(Outcome.REFUSED, "演练限流次数", NUMBER, _l("Too fast, even after some tries: not the person's fault.")),
    Step(Outcome.MAINTENANCE, "演练系统维护", NUMBER, _l("Calls stop for everyone, for a minute at first.")),
)
