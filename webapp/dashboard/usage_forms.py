"""What the page Usage is asked for, read from the address: which days, in which steps, told apart by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import DateField, SelectField
from wtforms.validators import ValidationError

from webapp.accounts.models import Role, User
from webapp.foundation.forms import CalendarField, FilterForm, not_before, options, sound_day
from webapp.usage.spans import MOST_DAYS, Span, Step

DAYS = 30
"""Shown where no day is given, today among them."""
STEPS: dict[str, LazyString] = {
    Step.HOUR: _l("hours"),
    Step.DAY: _l("days"),
    Step.WEEK: _l("weeks"),
    Step.MONTH: _l("months"),
}
HEADS: dict[str, LazyString] = {
    Step.HOUR: _l("Hour"),
    Step.DAY: _l("Day"),
    Step.WEEK: _l("Week from"),
    Step.MONTH: _l("Month"),
}
STACKS: dict[str, LazyString] = {
    "outcome": _l("Result"),
    "source": _l("Source"),
    "operator_id": _l("Operator"),
    "department_id": _l("Department"),
    "purpose_id": _l("Purpose"),
}
ADDRESSED = {name.removesuffix("_id"): name for name in STACKS}
"""What stands in an address, and the dimension it means."""
OTHERS_ONLY = {"operator", "department"}
"""An operator sees own calls only: nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A span of days, cut into steps; calls told apart by one dimension; `operator_id`: only that operator's."""

    span: Span
    step: Step
    stack: str
    operator_id: int | None


class UsageForm(FilterForm):
    """The choices of /usage; GET only."""

    step = SelectField(_l("In steps of"))
    stack = SelectField(_l("Told apart by"))

    def offer(self, viewer: User) -> None:
        """Fills the choices with what this viewer may see."""
        own = viewer.role == Role.OPERATOR
        self.step.choices = options(STEPS.items())
        self.stack.choices = options(
            (name, STACKS[column]) for name, column in ADDRESSED.items() if not (own and name in OTHERS_ONLY)
        )

    def asked(self, viewer: User) -> Asked:
        """What the valid form asks for."""
        span = Span(self["from"].data, self["to"].data)
        own = viewer.id if viewer.role == Role.OPERATOR else None
        return Asked(span, Step(self.step.data), ADDRESSED[self.stack.data], own)


def with_usual(asked: Mapping[str, str], today: date) -> MultiDict[str, str]:
    """What was asked, and what is usual for what was not."""
    last = asked.get("to") or today.isoformat()
    usual = {"to": last, "from": _some_days_before(last, today), "step": Step.DAY.value, "stack": "outcome"}
    given = asked if isinstance(asked, MultiDict) else MultiDict(asked)
    return MultiDict({name: given.getlist(name) if given.get(name) else [value] for name, value in usual.items()})


def _some_days_before(last: str, today: date) -> str:
    try:
        return (date.fromisoformat(last) - timedelta(days=DAYS - 1)).isoformat()
    except (ValueError, OverflowError):
        return (today - timedelta(days=DAYS - 1)).isoformat()


def _not_too_long(form: UsageForm, field: DateField) -> None:
    first, step = form["from"].data, form.step.data
    if first and field.data and step in MOST_DAYS and (field.data - first).days >= MOST_DAYS[Step(step)]:
        most = MOST_DAYS[Step(step)]
        said = ngettext("In %(step)s at most %(num)s day is shown.", "In %(step)s at most %(num)s days are shown.",
                        most, step=STEPS[step])  # fmt: skip
        raise ValidationError(f"{said} {_('Choose fewer days or a longer step.')}")


# `from` is a word of Python: the fields are set by name.
setattr(UsageForm, "from", CalendarField(_l("From"), validators=[sound_day]))
UsageForm.to = CalendarField(_l("Until"), validators=[sound_day, not_before, _not_too_long])
