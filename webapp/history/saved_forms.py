"""The form of a saved view."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import READERS
from webapp.foundation.forms import Form, options, plain_text, stripped
from webapp.history.search_readings import tells
from webapp.persons.mentions import names_someone

SHARED_WITH = {"": _l("Nobody else"), Role.ADMIN: _l("Admins"), Role.AUDITOR: _l("Auditors"),
               Role.OPERATOR: _l("Operators")}  # fmt: skip


class SavedViewForm(Form):
    """Name of a view, and with whom it is shared; only those who see everybody's verifications may share."""

    name = StringField(_l("Name of the view"), filters=[stripped],
                       validators=[InputRequired(_l("Enter a name.")), Length(max=80), plain_text])  # fmt: skip
    shared_with = SelectField(_l("Shared with"), choices=options(SHARED_WITH.items()))

    def validate_name(self, field: StringField) -> None:
        if "shared_with" in self and self.shared_with.data and names_someone(field.data or "", *tells(self._search)):
            raise ValidationError(
                _("Others read this name: leave out whom the view searches for, and numbers of people.")
            )

    def offer(self, reader: User, search: str | None = None) -> None:
        """Leaves out what this reader may not choose; `search`: what the view looks for, which the name of one that is
        shared may not tell."""
        self._search = search or ""
        if reader.role not in READERS:
            del self.shared_with

    def role(self) -> Role | None:
        """With whom it is to be shared."""
        chosen = self.shared_with.data if "shared_with" in self else None
        return Role(chosen) if chosen else None
