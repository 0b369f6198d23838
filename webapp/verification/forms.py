"""The verification form: normalises, and refuses for free what would spend a call for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.validators import Length, ValidationError

from webapp.foundation.forms import Form, Tick, plain_text, stripped
from webapp.foundation.sealing import Sealer
from webapp.persons import id_numbers, names
from webapp.persons.id_numbers import NumberFault, NumberWarning
from webapp.persons.names import NameFault
from webapp.verification import live, tokens
from webapp.verification.models import LegalBasis, Purpose, ShiftDeclaration
from webapp.verification.operations import Asked

NAME_FAULTS: dict[str, LazyString] = {
    NameFault.EMPTY: _l("Enter the name."),
    NameFault.TOO_LONG: _l("The name is too long: at most 100 characters."),
    NameFault.CONTROL: _l("The name holds control characters or line breaks: remove them."),
    NameFault.UNREADABLE: _l("The name holds emoji or characters that could not be read: type it from the card."),
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


ADULT_CONSENT = 14
"""Years of age from which a person consents; before, the guardian does (PIPL, article 31)."""


CHOOSE = _l("Choose a purpose.")


class VerifyForm(Form):
    """One person to verify. `today` (reporting zone) decides which birth dates are in the future, and who is a child.

    `again` is asked for only where it is needed, see `keep_only`; a child's guardian in place of the child, see `asks`.
    """

    name = StringField(_l("Name"), filters=[lambda text: names.normalise(text or "")])
    id_number = StringField(_l("ID number"), filters=[lambda text: id_numbers.normalise(text or "")])
    confirmed = StringField(live.CONFIRM, filters=[stripped])
    """The number itself, once more, where it ends in 000: shown as a tick that belongs to this one number."""
    purpose = SelectField(  # type: ignore[call-arg]  # the stubs lag behind
        _l("Purpose"), coerce=int, invalid_value_message=CHOOSE, invalid_choice_message=CHOOSE
    )
    consent = Tick(_l("The person has consented to this verification"))
    guardian_consent = Tick(
        _l("The guardian has consented to this verification"),
        description=_l("The person is under 14: a parent or guardian is asked each time."),
    )
    reference = StringField(_l("Reference"), filters=[stripped], validators=[Length(max=80), plain_text],
                            description=_l("Your own case number; may be left empty."))  # fmt: skip
    again = Tick(_l("Spend another call all the same"))
    form_token = HiddenField()

    def offer(
        self, purposes: Sequence[Purpose], locale: str, today: date, declared: Mapping[int, ShiftDeclaration]
    ) -> None:
        """Fills the choices, and tells the form what day it is and which shift declarations stand."""
        self._purposes = {purpose.id: purpose for purpose in purposes}
        self.purpose.choices = [(purpose.id, purpose.name_in(locale), self._marks(purpose)) for purpose in purposes]
        self._today = today
        self._declared = declared

    def take(self, name: str, number: str, purpose_id: int, reference: str) -> None:
        """Fills in an earlier question. What was ticked for it is to be ticked anew."""
        self.name.data, self.id_number.data, self.reference.data = name, number, reference
        if purpose_id in self._purposes:
            self.purpose.data = purpose_id

    def keep_only(self, *, again: bool, user_id: int) -> None:
        """Makes the form ready to be drawn: only the ticks that may be needed, and a fresh token."""
        if not again:
            del self.again
        if not any(purpose.legal_basis == LegalBasis.CONSENT for purpose in self._purposes.values()):
            del self.consent
        elif self._declared:
            self.consent.description = live.declared(self._declared, self._purposes)
        self.form_token.data = tokens.issue(user_id)

    def asks(self, field: Field) -> bool:
        """Whether the person in the form is asked for this tick. The other one waits on the page, for the script."""
        asleep = "consent" if self._is_child() else "guardian_consent"
        return bool(field.name != asleep)

    def validate_name(self, field: StringField) -> None:
        fault = names.faults(field.data or "")
        if fault:
            raise ValidationError(str(NAME_FAULTS[fault]))

    def validate_id_number(self, field: StringField) -> None:
        number = field.data or ""
        fault = id_numbers.faults(number, self._today)
        if fault == NumberFault.FIFTEEN:
            field.data = id_numbers.from_fifteen(number)
            raise ValidationError(str(live.CONVERTED))
        if fault and live.destroyed(number):
            raise ValidationError(str(live.DESTROYED))
        if fault:
            raise ValidationError(str(NUMBER_FAULTS[fault]))
        if self.doubtful() and self.confirmed.data != number:
            raise ValidationError(str(live.UNCONFIRMED))

    def doubtful(self) -> bool:
        """Whether a number without fault ends as one that a spreadsheet has cut: to be confirmed first."""
        number = self.id_number.data or ""
        sound = id_numbers.faults(number, self._today) is None
        return sound and NumberWarning.LOST_DIGITS in id_numbers.warnings(number)

    def reading(self) -> list[live.Said]:
        """What the number in the form says by itself."""
        return live.reading(self.id_number.data or "", self._today)

    def cautions(self) -> dict[str, list[str]]:
        """What to ask about before a call is spent, by field."""
        return live.cautions(self.name.data or "", self.id_number.data or "")

    def speech(self) -> dict[str, object]:
        """The texts and facts that the desk's script speaks with."""
        asking = [one.id for one in self._purposes.values()
                  if one.legal_basis == LegalBasis.CONSENT and one.id not in self._declared]  # fmt: skip
        facts = {"today": self._today.isoformat(), "consent": asking, "adult": ADULT_CONSENT}
        return facts | live.texts(NAME_FAULTS, NUMBER_FAULTS)

    def validate_consent(self, field: Tick) -> None:
        if self._needs_consent() and not field.data and not self._declaration():
            raise ValidationError(str(live.MISSING["consent"]))

    def validate_guardian_consent(self, field: Tick) -> None:
        if self._is_child() and not field.data:
            raise ValidationError(str(live.MISSING["guardian_consent"]))

    def validate_reference(self, field: StringField) -> None:
        purpose = self._purposes.get(self.purpose.data)
        if purpose and purpose.reference_required and not field.data:
            raise ValidationError(str(live.MISSING["reference"]))

    def asked(self, user_id: int, sealer: Sealer) -> Asked:
        """What the valid form asks. Raises `tokens.TokenRefused`, `tokens.TokenExpired`."""
        name, number, reference = self.name.data or "", self.id_number.data or "", self.reference.data or ""
        token = self.form_token.data
        content = (name, number, str(self.purpose.data), reference, str(self.again.data))
        declaration = None if self.consent.data else self._declaration()
        guardian = self._is_child() and bool(self.guardian_consent.data)
        return Asked(
            name, number, self.purpose.data, consent=bool(self.consent.data or declaration or guardian),
            reference=reference, guardian_consent=guardian, declaration_id=declaration, reuse=not self.again.data,
            form=tokens.read(token, user_id, content, sealer) if token else None,
        )  # fmt: skip

    def _needs_consent(self) -> bool:
        """Whether the person's own consent is needed; a child's is the guardian's, and has its own tick."""
        purpose = self._purposes.get(self.purpose.data)
        return purpose is not None and purpose.legal_basis == LegalBasis.CONSENT and not self._is_child()

    def _is_child(self) -> bool:
        try:
            born = id_numbers.read(self.id_number.data or "").birth_date
        except ValueError:
            return False
        return 0 <= id_numbers.age(born, self._today) < ADULT_CONSENT

    def _declaration(self) -> int | None:
        """The shift declaration that stands for a missing tick; never for a child."""
        found = self._declared.get(self.purpose.data)
        return found.id if found is not None and self._needs_consent() else None

    def _marks(self, purpose: Purpose) -> dict[str, Any]:
        """What a script on the page can tell before the form is sent."""
        return {
            "data-consent": "yes" if purpose.legal_basis == LegalBasis.CONSENT else "no",
            "data-reference": "required" if purpose.reference_required else "optional",
        }
