"""Which days the course of the remaining calls is shown of, read from the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from wtforms import DateField
from wtforms.validators import Optional, ValidationError

from webapp.foundation.forms import CalendarField, FilterForm, not_before, sound_day

PAST = 90
"""Days shown where none is given, today among them."""
MOST = 1_100
"""Days shown at most."""


class SupplyForm(FilterForm):
    """The choices of the chart on /quota; GET only. Without a last day it goes on as far as the calls reach."""

    today = date.max

    @classmethod
    def of(cls, asked: Mapping[str, str], today: date) -> SupplyForm:
        """What was asked, with what is usual where it was not."""
        given = {"from": asked.get("from") or _usual(today).isoformat(), "to": asked.get("to", "")}
        form = cls(MultiDict(given))
        form.today = today
        return form

    @property
    def days(self) -> tuple[date, date | None]:
        """The first day and the last one that is asked for; the usual ones where the form is not valid."""
        return (_usual(self.today), None) if self.errors else (self["from"].data, self["to"].data)

    @property
    def asked(self) -> dict[str, str]:
        """The valid form as the arguments of an address."""
        return {field.name: field.data.isoformat() for field in self if field.data}


def _usual(today: date) -> date:
    return today - timedelta(days=PAST - 1)


def _has_come(form: SupplyForm, field: DateField) -> None:
    if field.data and field.data > form.today:
        raise ValidationError(_("This day has not come yet."))


def _not_too_long(form: SupplyForm, field: DateField) -> None:
    last = form["to"].data or form.today
    if field.data and (last - field.data).days >= MOST:
        raise ValidationError(ngettext("At most %(num)s day is shown.", "At most %(num)s days are shown.", MOST))


# `from` is a word of Python: the fields are set by name.
setattr(SupplyForm, "from", CalendarField(_l("From"), validators=[sound_day, _has_come, _not_too_long]))
SupplyForm.to = CalendarField(_l("Until"), validators=[Optional(), sound_day, not_before])
