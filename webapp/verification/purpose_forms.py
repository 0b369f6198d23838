"""The forms of purposes, shift declarations and settlements."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from webapp.foundation.forms import Form, options, plain_text, stripped
from webapp.verification.declarations import LONGEST, Declared
from webapp.verification.models import Decision, LegalBasis, Purpose
from webapp.verification.purposes import LONGEST_REUSE, Terms
from webapp.verification.texts import DECISIONS, LEGAL_BASES

NAME = [InputRequired(_l("Enter a name.")), Length(max=80), plain_text]
HOURS = [InputRequired(_l("Enter a whole number of hours.")), NumberRange(0, LONGEST_REUSE)]


class PurposeForm(Form):
    """A purpose."""

    name_zh = StringField(_l("Name in Chinese"), filters=[stripped], validators=NAME)
    name_en = StringField(_l("Name in English"), filters=[stripped], validators=NAME)
    legal_basis = SelectField(
        _l("Legal basis"), choices=options(LEGAL_BASES.items()),
        description=_l("Consent is asked for at the desk only where it is the basis."),
    )  # fmt: skip
    reference_required = BooleanField(_l("A reference must be entered"))
    reuse_match = IntegerField(_l("Hours a match is shown again"), default=24, validators=HOURS,
                               description=_l("0: every question spends a call."))  # fmt: skip
    reuse_mismatch = IntegerField(_l("Hours a mismatch is shown again"), default=1, validators=HOURS)
    reuse_no_such_number = IntegerField(
        _l("Hours \u201cno such number\u201d is shown again"), default=1, validators=HOURS
    )

    def terms(self) -> Terms:
        """What the valid form decides."""
        return Terms(
            self.name_zh.data or "", self.name_en.data or "", LegalBasis(self.legal_basis.data),
            bool(self.reference_required.data), self.reuse_match.data or 0, self.reuse_mismatch.data or 0,
            self.reuse_no_such_number.data or 0, bool(self.active.data) if hasattr(self, "active") else True,
        )  # fmt: skip


class EditPurposeForm(PurposeForm):
    """Changes to a purpose."""

    active = BooleanField(_l("May be chosen at the desk"))


class ShiftForm(Form):
    """A shift declaration."""

    purpose = SelectField(_l("Purpose"), coerce=int)
    document = StringField(
        _l("Number of the document"), filters=[stripped],
        validators=[InputRequired(_l("Enter the number of the document people sign.")), Length(max=80), plain_text],
    )  # fmt: skip
    hours = IntegerField(_l("Hours"), default=8, validators=[InputRequired(_l("Enter a whole number of hours.")),
                                                             NumberRange(1, LONGEST)])  # fmt: skip

    def offer(self, purposes: Sequence[Purpose], locale: str) -> None:
        """Fills the choices: purposes that rest on consent."""
        asking = [purpose for purpose in purposes if purpose.legal_basis == LegalBasis.CONSENT]
        self.purpose.choices = [(purpose.id, purpose.name_in(locale)) for purpose in asking]

    def declared(self) -> Declared:
        """What the valid form declares."""
        return Declared(self.purpose.data, self.document.data or "", self.hours.data or 1)


class SettleForm(Form):
    """A decision about an unknown outcome."""

    decision = SelectField(_l("Decision"),
                           choices=options([("", "–"), *((one.value, DECISIONS[one]) for one in Decision)]),
                           validators=[InputRequired(_l("Choose a decision."))])  # fmt: skip
    reason = StringField(
        _l("Reason"),
        filters=[stripped],
        validators=[InputRequired(_l("Say how you know.")), Length(min=3, max=200), plain_text],
        description=_l("For example a line of the vendor's bill. No names or numbers of people."),
    )
