"""Forms of retention, holds and a person's rights."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from webapp.accounts.reauthentication import ProvenForm
from webapp.foundation.forms import Form, Tick, WholeNumberField, plain_text, stripped
from webapp.history.search_readings import Kind as Reading
from webapp.history.search_readings import readings
from webapp.persons import id_numbers, names
from webapp.persons.mentions import names_someone
from webapp.retention.holds import Subject
from webapp.verification.forms import NAME_FAULTS

MOST_ID = 2**53
NO_NAMES = _l("Leave names and numbers of people out of the reason.")


class PeriodForm(Form):
    """For how many days a class is kept; `confirm`: what goes tonight was seen."""

    days = WholeNumberField(_l("Number of days"), validators=[InputRequired(_l("Enter a whole number of days."))])
    confirm = Tick(_l("I have seen how much goes tonight, and that it cannot be brought back"))


class Reasoned(Form):
    """A form that says why."""

    words = StringField(
        _l("Reason"), filters=[stripped],
        validators=[InputRequired(_l("Say in a few words why.")), Length(min=5, max=200), plain_text],
        description=_l("For example a case number. No names or numbers of people: auditors read this."),
    )  # fmt: skip

    def validate_words(self, field: StringField) -> None:
        if names_someone(field.data or ""):
            raise ValidationError(str(NO_NAMES))


class HoldForm(Reasoned):
    """Holds one verification."""

    verification = WholeNumberField(_l("Number of the verification"),
                                    validators=[InputRequired(_l("Enter the number of a verification."))])  # fmt: skip

    def validate_verification(self, field: WholeNumberField) -> None:
        if field.data is not None and not 0 < field.data < MOST_ID:
            raise ValidationError(_("Enter the number of a verification."))


class LiftForm(Reasoned):
    """Lifts a hold."""


class PersonForm(Form):
    """Whom a request is about: name and number."""

    name = StringField(_l("Name"), filters=[lambda text: names.normalise(text or "")])
    id_number = StringField(_l("ID number"), filters=[lambda text: id_numbers.normalise(text or "")],
                            description=_l("The whole number, as on the identity card."))  # fmt: skip

    def validate_name(self, field: StringField) -> None:
        fault = names.faults(field.data or "")
        if fault:
            raise ValidationError(str(NAME_FAULTS[fault]))

    def validate_id_number(self, field: StringField) -> None:
        if not self._number():
            raise ValidationError(_("Enter the whole ID number: 18 characters, or the 15 of an old card."))

    def subject(self) -> Subject:
        """Whom the valid form is about."""
        return Subject(self.name.data or "", self._number())

    def _number(self) -> str:
        return next((one.value for one in readings(self.id_number.data or "") if one.kind == Reading.NUMBER), "")


class RequestForm(ProvenForm, PersonForm, Reasoned):
    """What is done for a person, why, by whom: the own password is asked for."""

    @property
    def only_opened(self) -> bool:
        """Whether the form comes from the page where the person was found, and was not filled in yet."""
        return request.form.get("filled") != "yes"

    def validate_words(self, field: StringField) -> None:
        if names_someone(field.data or "", self.name.data or "", self.id_number.data or ""):
            raise ValidationError(str(NO_NAMES))


class EraseForm(RequestForm):
    """Erasing needs a second look."""

    confirm = Tick(_l("The person was identified, and this cannot be undone"),
                   validators=[InputRequired(_l("Tick this once you have made sure."))])  # fmt: skip
