"""The filters of the audit trail, read from the address: a wrong one is said beside its field and shows nothing."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import NumberRange, Optional, ValidationError

from webapp.audit import queries
from webapp.audit.texts import ACTIONS, OBJECTS
from webapp.foundation.forms import (
    CalendarField,
    FilterForm,
    FilterList,
    WholeNumberField,
    not_before,
    options,
    sound_day,
)


class AuditForm(FilterForm):
    """Filters of /audit and of its file."""

    actor = FilterList(_l("Who"))
    action = FilterList(_l("Action"))
    object = FilterList(_l("Object"))
    number = WholeNumberField(_l("Object's number"), validators=[Optional(), NumberRange(1, queries.MOST_ID)])
    success = FilterList(_l("Success"))

    def offer(self) -> None:
        """Fills the choices."""
        everything = [("", _("All"))]
        people = sorted(queries.actors(), key=lambda one: one[1])
        nobody = str(queries.NOBODY), _("Nobody logged in, or Yuliang itself")
        self.actor.choices = options([*everything, *((str(number), name) for number, name in people), nobody])
        self.action.choices = options([*everything, *sorted(ACTIONS.items(), key=lambda one: str(one[1]))])
        self.object.choices = options([*everything, *sorted(OBJECTS.items(), key=lambda one: str(one[1]))])
        self.success.choices = options([*everything, ("yes", _("yes")), ("no", _("no"))])

    def validate_number(self, field: WholeNumberField) -> None:
        if field.data and not self.object.data:
            raise ValidationError(_("Choose what this is the number of."))

    def validate_object(self, field: SelectField) -> None:
        if field.data and self.number.data is None:
            raise ValidationError(_("Enter its number too; all of one kind are found by their actions."))

    def filters(self) -> queries.Filters:
        """What the valid form asks for."""
        return queries.Filters(
            action=self.action.data or None, actor=int(self.actor.data) if self.actor.data else None,
            object_type=self.object.data or None, object_id=self.number.data,
            success={"yes": True, "no": False}.get(self.success.data), first=self["from"].data, last=self["to"].data,
        )  # fmt: skip


# `from` is a word of Python: the fields are set by name.
setattr(AuditForm, "from", CalendarField(_l("From"), validators=[Optional(), sound_day]))
AuditForm.to = CalendarField(_l("Until"), validators=[Optional(), sound_day, not_before])
