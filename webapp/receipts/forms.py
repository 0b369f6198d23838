"""The form that proves a paper: whatever can be seen to be mistyped is said beside its field."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import ValidationError

from webapp.foundation.forms import Form, stripped
from webapp.persons import id_numbers, names
from webapp.receipts import commitment, paper
from webapp.receipts.commitment import Secret
from webapp.receipts.texts import NUMBER_SLIPS, SECRET_SLIPS
from webapp.verification.forms import NAME_FAULTS, NUMBER_FAULTS


class ProofForm(Form):
    """Receipt number, name, ID number and printed code; name and number normalised as at verification."""

    receipt_number = StringField(_l("Receipt number"), filters=[stripped])
    name = StringField(_l("Name"), filters=[lambda text: names.normalise(text or "")])
    id_number = StringField(_l("ID number"), filters=[lambda text: id_numbers.normalise(text or "")])
    secret = StringField(
        _l("Proof code"),
        filters=[stripped],
        description=_l("The 27 characters printed on the receipt; blanks and dashes do not matter."),
    )

    def tell(self, today: date) -> None:
        """Says what day it is in the reporting zone: no date of birth lies after it."""
        self._today = today

    def validate_receipt_number(self, field: StringField) -> None:
        try:
            self._number = commitment.read_number(field.data or "")
        except paper.Mistyped as error:
            raise ValidationError(str(NUMBER_SLIPS[error.slip])) from None

    def validate_name(self, field: StringField) -> None:
        fault = names.faults(field.data or "")
        if fault:
            raise ValidationError(str(NAME_FAULTS[fault]))

    def validate_id_number(self, field: StringField) -> None:
        fault = id_numbers.faults(field.data or "", self._today)
        if fault:
            raise ValidationError(str(NUMBER_FAULTS[fault]))

    def validate_secret(self, field: StringField) -> None:
        try:
            self._salt = commitment.read_salt(field.data or "")
        except paper.Mistyped as error:
            raise ValidationError(str(SECRET_SLIPS[error.slip])) from None

    def claimed(self) -> tuple[str, Secret]:
        """Receipt number and what its holder knows, of a valid form."""
        return self._number, Secret(self.name.data or "", self.id_number.data or "", self._salt)
