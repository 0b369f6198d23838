"""The form that says what kind of day a day is."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from webapp.foundation.forms import CalendarField, Form, options, plain_text, sound_day, stripped
from webapp.usage.calendar import DayKind
from webapp.usage.calendar_days import MOST_DAYS, Said

KINDS: dict[str, LazyString] = {
    DayKind.WORKDAY: _l("Workday"),
    DayKind.HOLIDAY: _l("Holiday"),
    DayKind.CLOSED: _l("Closed: no calls at all"),
}
AS_NOTICED = "as-noticed"


class CalendarForm(Form):
    """One day or several in a row."""

    first = CalendarField(_l("First day"), validators=[InputRequired(_l("Enter a date as YYYY-MM-DD.")), sound_day])
    last = CalendarField(_l("Last day"), validators=[Optional(), sound_day], description=_l("Left empty: one day."))
    kind = SelectField(
        _l("Is a"),
        choices=options([*KINDS.items(), (AS_NOTICED, _l("As the notices say: take back what was entered"))]),
    )
    note = StringField(_l("Note"), filters=[stripped], validators=[Length(max=80), plain_text],
                       description=_l("May be left empty."))  # fmt: skip

    def validate_last(self, field: DateField) -> None:
        if not field.data or not self.first.data:
            return
        if field.data < self.first.data:
            raise ValidationError(_("This day lies before the first one."))
        if (field.data - self.first.data).days >= MOST_DAYS:
            raise ValidationError(_("Enter at most %(days)s days at once.", days=MOST_DAYS))

    def said(self) -> Said:
        """What the valid form says."""
        if self.first.data is None:
            raise ValueError("the form is not valid")
        kind = None if self.kind.data == AS_NOTICED else DayKind(self.kind.data)
        return Said(self.first.data, self.last.data or self.first.data, kind, self.note.data or "")
