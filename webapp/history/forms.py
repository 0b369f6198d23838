"""The history's filters, read from the address: a wrong one is said beside its field and shows nothing."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField
from wtforms.validators import NumberRange, Optional

from webapp.accounts import queries as accounts
from webapp.accounts.models import Role, User
from webapp.foundation.forms import FilterForm, not_before, sound_day
from webapp.history.queries import Filters
from webapp.verification.queries import all_purposes
from webapp.verification.texts import OUTCOMES, SOURCES

SIZE = 50


class HistoryForm(FilterForm):
    """Filters of /history; GET only."""

    outcome = SelectField(_l("Outcome"), validators=[Optional()])
    operator = SelectField(_l("Operator"), validators=[Optional()])
    department = SelectField(_l("Department"), validators=[Optional()])
    source = SelectField(_l("Source"), validators=[Optional()])
    purpose = SelectField(_l("Purpose"), validators=[Optional()])
    size = IntegerField(_l("Rows"), render_kw={"placeholder": SIZE}, validators=[Optional(), NumberRange(1, 200)])

    def offer(self, viewer: User, locale: str) -> None:
        """Fills the choices with what this viewer may choose."""
        everything = [("", _("All"))]
        shown = [(key, text.label) for key, text in OUTCOMES.items() if key not in ("blocked", "reused")]
        people = [viewer] if viewer.role == Role.OPERATOR else accounts.users()
        self.outcome.choices = everything + shown
        self.operator.choices = everything + [(str(user.id), user.name) for user in people]
        self.department.choices = everything + [(str(one.id), one.name) for one in accounts.departments()]
        self.source.choices = everything + list(SOURCES.items())
        self.purpose.choices = everything + [(str(one.id), one.name_in(locale)) for one in all_purposes()]

    def filters(self) -> Filters:
        """What the valid form asks for."""
        first, last = self["from"].data, self["to"].data
        return Filters(
            outcome=self.outcome.data or None, operator=_number(self.operator.data),
            department=_number(self.department.data), source=self.source.data or None,
            purpose=_number(self.purpose.data), first=first, last=last,
        )  # fmt: skip


# `from` is a word of Python: the fields are set by name.
setattr(HistoryForm, "from", DateField(_l("From"), validators=[Optional(), sound_day]))
HistoryForm.to = DateField(_l("Until"), validators=[Optional(), sound_day, not_before])


def _number(text: str | None) -> int | None:
    return int(text) if text else None
