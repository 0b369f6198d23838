"""The forms of the reconciliation page."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from webapp.foundation.forms import (
    AmountField,
    Between,
    DayField,
    Form,
    Tick,
    WholeNumberField,
    options,
    plain_text,
    sound_day,
    stripped,
)
from webapp.foundation.pages import number, when
from webapp.foundation.values import appcode as visible_ascii
from webapp.quota.forms import whole_fen
from webapp.quota.ledger import MOST_CALLS, Purchase
from webapp.reconciliation.models import MeterReading
from webapp.reconciliation.rules import ReadingFault
from webapp.reconciliation.texts import READING_FAULTS
from webapp.vendor.metering_answer import MOST
from webapp.verification.models import Decision
from webapp.verification.texts import DECISIONS

WHOLE = _l("Enter a whole number of calls.")


class ReadingForm(Form):
    """The console's [used/total]."""

    used = WholeNumberField(_l("Used"), validators=[InputRequired(WHOLE), Between(0, MOST)])
    total = WholeNumberField(_l("Total"), validators=[InputRequired(WHOLE), Between(1, MOST)])
    anew = Tick(_l("The vendor's counter was set back: compare from this reading on"))

    def validate_used(self, field: WholeNumberField) -> None:
        refuse_used_over_total(field, self.total)

    def refuse(self, fault: ReadingFault, last: MeterReading | None) -> None:
        """Says beside the field what is wrong with the reading."""
        said = str(READING_FAULTS[fault])
        if last is not None and fault is ReadingFault.OLDER:
            said += " " + _("%(used)s calls were used at %(at)s.", used=number(last.used), at=when(last.at))
        self.used.errors = [said]


class OpeningForm(Form):
    """The console's [used/total] as the beginning of the books."""

    used = WholeNumberField(_l("Used"), validators=[InputRequired(WHOLE), Between(0, MOST_CALLS)])
    total = WholeNumberField(_l("Total"), validators=[InputRequired(WHOLE), Between(1, MOST_CALLS)])
    expires_on = DayField(
        _l("Last valid day"), validators=[InputRequired(_l("Enter a date as YYYY-MM-DD.")), sound_day],
        description=_l("On which all of them end; it can be changed later."),
    )  # fmt: skip
    price = AmountField(_l("Price in CNY"), places=2, validators=[Optional(), whole_fen],
                        description=_l("Of the whole total. May be left empty."))  # fmt: skip
    note = StringField(_l("Note"), filters=[stripped], validators=[Length(max=500), plain_text],
                       description=_l("May be left empty."))  # fmt: skip
    again = Tick(_l("The total holds none of the lots recorded already"))
    asks_again = False
    """Whether the page shows the tick `again`."""

    def validate_used(self, field: WholeNumberField) -> None:
        refuse_used_over_total(field, self.total)

    def lasts(self, today: date) -> bool:
        """Whether the calls are still valid; says so beside the field if not."""
        if self.expires_on.data and self.expires_on.data < today:
            self.expires_on.errors = [_("This day has passed: what was left has lapsed.")]
        return not self.expires_on.errors

    def ask_again(self, calls: int) -> None:
        """Says what is recorded already, and shows the tick."""
        self.asks_again = True
        said = _("Lots of %(calls)s calls are recorded already; those that the total holds too would count twice.",
                 calls=number(calls))  # fmt: skip
        self.total.errors = [said]

    def purchase(self, today: date) -> Purchase:
        """What the valid form records."""
        price = self.price.data
        return Purchase(
            self.total.data or 0, today, self.expires_on.data or today, None if price is None else int(price * 100),
            note=self.note.data or "", used_before=self.used.data or 0,
        )  # fmt: skip


def refuse_used_over_total(used: WholeNumberField, total: WholeNumberField) -> None:
    """For a validator of the field `used`."""
    if used.data is not None and total.data is not None and used.data > total.data:
        raise ValidationError(str(READING_FAULTS[ReadingFault.USED_OVER_TOTAL]))


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
    sure = Tick(_l("I have looked into it: correct the books all the same"))

    def ask_again(self) -> None:
        """Says beside the tick that this is not done without it."""
        self.sure.errors = [_("Look into what is said above first; then tick this, if it is meant.")]


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
