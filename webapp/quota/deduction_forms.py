"""The form that adds a deduction rule, and the words for answers and for what they cost."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, SelectField
from wtforms.validators import InputRequired, Optional

from webapp.foundation.forms import options, sound_day
from webapp.quota.deduction_rules import DEFAULTS, OTHER, Rule
from webapp.quota.forms import ReasonForm
from webapp.vendor.codes import RESP_CODES
from webapp.vendor.contract import Billed, Outcome
from webapp.vendor.texts import CAUSES

PLAIN: dict[str, LazyString] = {
    Outcome.MATCH: _l("Match"),
    Outcome.MISMATCH: _l("Mismatch"),
    Outcome.NO_SUCH_NUMBER: _l("No such number"),
    Outcome.MAINTENANCE: _l("Vendor maintenance"),
}
COSTS: dict[str, LazyString] = {
    Billed.YES: _l("Costs one"),
    Billed.NO: _l("Costs none"),
    Billed.UNKNOWN: _l("Not known: held until an admin settles it"),
}
FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]


def answer_words(answer: str) -> str:
    """An answer as people read it, with its respCode where it has one."""
    if answer == OTHER:
        return str(_l("Any other answer with HTTP 200"))
    row = RESP_CODES.get(answer)
    if row is None:
        return str(CAUSES[answer])
    return f"{answer} · {CAUSES[row.cause] if row.cause else PLAIN[row.outcome]}"


class DeductionForm(ReasonForm):
    """What an answer costs from some time on."""

    answer = SelectField(_l("Answer"), choices=options((one, "") for one in DEFAULTS))
    billed = SelectField(_l("Costs a call"), choices=options([("", "–"), *COSTS.items()]),
                         validators=[InputRequired(_l("Choose what it costs."))])  # fmt: skip
    effective_from = DateTimeLocalField(
        _l("From"), format=FORMATS, validators=[Optional(), sound_day],
        description=_l("Year first, for example 2026-11-23 08:00. Left empty: from now on."),
    )  # fmt: skip

    def label_answers(self) -> None:
        """Names the answers in the reader's language."""
        self.answer.choices = options((one, answer_words(one)) for one in DEFAULTS)

    def rule(self, now: datetime, zone: ZoneInfo) -> Rule:
        """What the valid form says; times are those of `zone`."""
        local: datetime | None = self.effective_from.data
        starts = now if local is None else local.replace(tzinfo=zone).astimezone(UTC)
        return Rule(self.answer.data, Billed(self.billed.data), starts)
