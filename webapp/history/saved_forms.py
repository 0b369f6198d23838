"""The form of a saved view."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import READERS
from webapp.foundation.forms import Form, options, plain_text, stripped

SHARED_WITH = {"": _l("Nobody else"), Role.ADMIN: _l("Admins"), Role.AUDITOR: _l("Auditors"),
               Role.OPERATOR: _l("Operators")}  # fmt: skip


class SavedViewForm(Form):
    """Name of a view, and with whom it is shared; only those who see everybody's verifications may share."""

    name = StringField(_l("Name of the view"), filters=[stripped],
                       validators=[InputRequired(_l("Enter a name.")), Length(max=80), plain_text])  # fmt: skip
    shared_with = SelectField(_l("Shared with"), choices=options(SHARED_WITH.items()))

    def offer(self, reader: User) -> None:
        """Leaves out what this reader may not choose."""
        if reader.role not in READERS:
            del self.shared_with

    def role(self) -> Role | None:
        """With whom it is to be shared."""
        chosen = self.shared_with.data if "shared_with" in self else None
        return Role(chosen) if chosen else None
