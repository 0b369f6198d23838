"""The verification form: normalises, and refuses for free what would spend a call for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length, ValidationError

from webapp.foundation.forms import Form, plain_text, stripped
from webapp.persons import id_numbers, names
from webapp.persons.id_numbers import NumberFault
from webapp.persons.names import NameFault
from webapp.verification.models import LegalBasis, Purpose
from webapp.verification.operations import Asked

NAME_FAULTS: dict[str, LazyString] = {
    NameFault.EMPTY: _l("Enter the name."),
    NameFault.TOO_LONG: _l("The name is too long: at most 100 characters."),
    NameFault.CONTROL: _l("The name holds control characters or line breaks: remove them."),
}
NUMBER_FAULTS: dict[str, LazyString] = {
    NumberFault.EMPTY: _l("Enter the ID number."),
    NumberFault.FIFTEEN: _l(
        "This is a 15-digit number of the first-generation card. Enter the 18 characters of the present card."
    ),
    NumberFault.LENGTH: _l("An ID number has 18 characters."),
    NumberFault.CHARACTERS: _l("An ID number has 17 digits, then a digit or X."),
    NumberFault.BIRTH_DATE: _l("Characters 7 to 14 are no date of birth."),
    NumberFault.FUTURE: _l("The date of birth lies in the future."),
    NumberFault.CHECK_CHARACTER: _l("The last character does not fit the others: one of them was mistyped."),
}


class VerifyForm(Form):
    """One person to verify. `today` (reporting zone) decides which birth dates are in the future."""

    name = StringField(_l("Name"), filters=[lambda text: names.normalise(text or "")])
    id_number = StringField(_l("ID number"), filters=[lambda text: id_numbers.normalise(text or "")])
    purpose = SelectField(_l("Purpose"), coerce=int)
    consent = BooleanField(
        _l("The person has consented to this verification"), false_values=(False, "false", "", "no", "0")
    )
    reference = StringField(_l("Reference"), filters=[stripped], validators=[Length(max=80), plain_text],
                            description=_l("Your own case number; may be left empty."))  # fmt: skip

    def offer(self, purposes: Sequence[Purpose], locale: str, today: date) -> None:
        """Fills the choices, and tells the form what day it is."""
        self._purposes = {purpose.id: purpose for purpose in purposes}
        self.purpose.choices = [(purpose.id, purpose.name_in(locale)) for purpose in purposes]
        self._today = today

    def validate_name(self, field: StringField) -> None:
        fault = names.faults(field.data or "")
        if fault:
            raise ValidationError(str(NAME_FAULTS[fault]))

    def validate_id_number(self, field: StringField) -> None:
        fault = id_numbers.faults(field.data or "", self._today)
        if fault:
            raise ValidationError(str(NUMBER_FAULTS[fault]))

    def validate_consent(self, field: BooleanField) -> None:
        purpose = self._purposes.get(self.purpose.data)
        if purpose and purpose.legal_basis == LegalBasis.CONSENT and not field.data:
            raise ValidationError(_("Ask the person for consent first, then tick this box."))

    def asked(self) -> Asked:
        """What the valid form asks."""
        return Asked(
            self.name.data or "", self.id_number.data or "", self.purpose.data, self.consent.data,
            self.reference.data or "",
        )  # fmt: skip
