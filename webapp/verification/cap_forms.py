"""Forms for caps and the floor."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import InputRequired, NumberRange

from webapp.accounts.models import Department, Role, User
from webapp.foundation.forms import Form, WholeNumberField
from webapp.verification.cap_rules import CapKind, Whom
from webapp.verification.caps import MOST
from webapp.verification.texts import SOURCES

CALLS = (InputRequired(_l("Enter a whole number of calls.")),
         NumberRange(0, MOST, _l("Enter a whole number from 0 to 10,000,000.")))  # fmt: skip


class CapForm(Form):
    """One cap."""

    whom = SelectField(_l("For"), validators=[InputRequired(_l("Choose for whom."))])
    calls = WholeNumberField(_l("Calls a day"), validators=CALLS, description=_l("0: none at all."))

    def offer(self, users: Sequence[User], departments: Sequence[Department]) -> None:
        """Fills the choices: who verifies, their departments, and where calls come from."""
        verifying = [user for user in users if user.active and user.role != Role.AUDITOR]
        self.whom.choices = {
            "": [("", "–")],
            _("Operators"): [(f"{CapKind.OPERATOR}:{user.id}", user.name) for user in verifying],
            _("Departments"): [(f"{CapKind.DEPARTMENT}:{one.id}", one.name) for one in departments],
            _("Sources"): [(f"{CapKind.SOURCE}:{source}", str(label)) for source, label in SOURCES.items()],
        }

    def chosen(self) -> Whom:
        """For whom the valid form sets a cap."""
        kind, _colon, of = str(self.whom.data).partition(":")
        return Whom(CapKind(kind), of)


class FloorForm(Form):
    """How many calls are kept for the desk."""

    kept = WholeNumberField(_l("Calls kept for the desk"), validators=CALLS, description=_l("0: none are kept."))
