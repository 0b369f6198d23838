"""The forms of the reconciliation page."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from webapp.foundation.forms import Form, Tick, WholeNumberField, options, plain_text, stripped
from webapp.foundation.pages import number, when
from webapp.foundation.values import appcode as visible_ascii
from webapp.reconciliation.models import MeterReading
from webapp.reconciliation.rules import ReadingFault
from webapp.reconciliation.texts import READING_FAULTS
from webapp.vendor.metering_answer import MOST
from webapp.verification.models import Decision
from webapp.verification.texts import DECISIONS

_WHOLE = _l("Enter a whole number of calls.")


class ReadingForm(Form):
    """The console's [used/total]."""

    used = WholeNumberField(_l("Used"), validators=[InputRequired(_WHOLE), NumberRange(0, MOST)])
    total = WholeNumberField(_l("Total"), validators=[InputRequired(_WHOLE), NumberRange(1, MOST)])
    anew = Tick(_l("The vendor's counter was set back: compare from this reading on"))

    def validate_used(self, field: WholeNumberField) -> None:
        if field.data is not None and self.total.data is not None and field.data > self.total.data:
            raise ValidationError(str(READING_FAULTS[ReadingFault.USED_OVER_TOTAL]))

    def refuse(self, fault: ReadingFault, last: MeterReading | None) -> None:
        """Says beside the field what is wrong with the reading."""
        said = str(READING_FAULTS[fault])
        if last is not None and fault is ReadingFault.OLDER:
            said += " " + _("%(used)s calls were used at %(at)s.", used=number(last.used), at=when(last.at))
        self.used.errors = [said]


class _ReasonForm(Form):
    reading = WholeNumberField(validators=[InputRequired()])
    reason = StringField(
        _l("Reason"), filters=[stripped],
        validators=[InputRequired(_l("Say how you know.")), Length(min=3, max=200), plain_text],
    )  # fmt: skip


class SettleAllForm(_ReasonForm):
    """One decision for all unknown calls that the newest reading explains."""

    decision = SelectField(
        _l("Decision"), validators=[InputRequired(_l("Choose a decision."))],
        choices=options([(one.value, DECISIONS[one]) for one in (Decision.CHARGED, Decision.NOT_CHARGED)]),
    )  # fmt: skip


class RebaseForm(_ReasonForm):
    """Consent to one correction of exactly this many calls."""

    drift = WholeNumberField(validators=[InputRequired()])


class KeyForm(Form):
    """The AccessKey that may read the counter. It is sealed and never shown again."""

    access_key_id = StringField(_l("AccessKey id"), filters=[stripped], validators=[Length(max=200)])
    access_key_secret = PasswordField(_l("AccessKey secret"), filters=[stripped], validators=[Length(max=200)])
    forget = BooleanField(_l("Forget the stored AccessKey"))

    def validate_access_key_id(self, field: StringField) -> None:
        self._check(field.data)

    def validate_access_key_secret(self, field: PasswordField) -> None:
        self._check(field.data)

    def _check(self, text: str | None) -> None:
        if self.forget.data:
            return
        try:
            visible_ascii(text or "")
        except ValueError:
            raise ValidationError(_("Enter it as the RAM console shows it: letters, digits and signs.")) from None
