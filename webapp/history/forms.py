"""The history's filters, read from the address: a wrong one is said beside its field and shows nothing."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional, Regexp, ValidationError

from webapp.accounts import queries as accounts
from webapp.accounts.models import Role, User
from webapp.foundation.clock import utc_now
from webapp.foundation.forms import CalendarField, FilterForm, FilterList, Form, not_before, plain_text, sound_day
from webapp.foundation.instance import this_instance
from webapp.history import search_operations, search_places
from webapp.history.filters import Filters
from webapp.history.search_operations import SearchGone
from webapp.history.search_readings import MOST, readings
from webapp.verification.queries import all_purposes
from webapp.verification.texts import CHARGED, OUTCOMES, SOURCES

SIZE = 50
NAMES = ("outcome", "billed", "operator", "department", "source", "purpose", "from", "to", "province", "city")
"""The filters, as they stand in an address."""


class SearchForm(Form):
    """The search box; POST only."""

    q = StringField(
        _l("Search"), description=_l("A name or its beginning, an ID number or its last four, a receipt number, "
                                     "a reference, or the vendor's request id."),
        validators=[Length(max=MOST, message=_l("At most %(max)d characters.")), plain_text],
    )  # fmt: skip

    def validate_q(self, field: StringField) -> None:
        if (field.data or "").strip() and not readings(field.data or ""):
            raise ValidationError(_("Nothing that is kept here can look like this."))


class HistoryForm(FilterForm):
    """Filters of /history; GET only."""

    s = HiddenField(validators=[
        Optional(),
        Regexp(r"[A-Za-z0-9_-]{22}\Z", message=_l("This search has expired, or it is not yours. Search again.")),
    ])  # fmt: skip
    outcome = FilterList(_l("Outcome"))
    billed = FilterList(_l("Charge"))
    operator = FilterList(_l("Operator"))
    department = FilterList(_l("Department"))
    source = FilterList(_l("Source"))
    purpose = FilterList(_l("Purpose"))
    province = FilterList(_l("Province"))
    city = FilterList(_l("City"))
    size = IntegerField(_l("Rows"), render_kw={"placeholder": SIZE}, validators=[Optional(), NumberRange(1, 200)])

    def offer(self, viewer: User, locale: str) -> None:
        """Fills the choices with what this viewer may choose, and tells the form whose searches it may take up."""
        everything = [("", _("All"))]
        shown = [(key, text.label) for key, text in OUTCOMES.items() if key not in ("blocked", "reused")]
        people = [(viewer.id, viewer.name)] if viewer.role == Role.OPERATOR else accounts.user_names()
        self.outcome.choices = everything + shown
        self.billed.choices = everything + list(CHARGED.items())
        self.operator.choices = everything + [(str(number), name) for number, name in people]
        self.department.choices = everything + [(str(one.id), one.name) for one in accounts.departments()]
        self.source.choices = everything + list(SOURCES.items())
        self.purpose.choices = everything + [(str(one.id), one.name_in(locale)) for one in all_purposes()]
        kind = this_instance().kind
        self.province.choices = everything + [(one, one) for one in search_places.provinces(kind)]
        cities = search_places.cities(kind, self.province.data or "")
        self.city.choices = everything + [(one, one) for one in cities]
        self._viewer = viewer
        self._text: str | None = None

    def validate_s(self, field: HiddenField) -> None:
        if field.errors:
            return  # no handle: PostgreSQL refuses some texts, a NUL for one
        try:
            self._text = search_operations.text_of(field.data or "", self._viewer.id, this_instance(), utc_now())
        except SearchGone:
            raise ValidationError(_("This search has expired, or it is not yours. Search again.")) from None

    def filters(self) -> Filters:
        """What the valid form asks for."""
        first, last = self["from"].data, self["to"].data
        return Filters(
            outcome=self.outcome.data or None, operator=_number(self.operator.data),
            department=_number(self.department.data), source=self.source.data or None,
            purpose=_number(self.purpose.data), first=first, last=last, billed=self.billed.data or None,
            province=self.province.data or None, city=self.city.data or None, search=self._text,
        )  # fmt: skip

    def labels(self, name: str) -> dict[int, str]:
        """What the choices of a field are called, by their number."""
        return {int(number): str(label) for number, label in self[name].choices if number}


# `from` is a word of Python: the fields are set by name.
setattr(HistoryForm, "from", CalendarField(_l("From"), validators=[Optional(), sound_day]))
HistoryForm.to = CalendarField(_l("Until"), validators=[Optional(), sound_day, not_before])


def _number(text: str | None) -> int | None:
    return int(text) if text else None
