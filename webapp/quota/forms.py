"""The forms that record a lot and change one that stands."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.forms import (
    AmountField,
    Between,
    DayField,
    Form,
    Tick,
    WholeNumberField,
    plain_text,
    sound_day,
    stripped,
)
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import day, number
from webapp.quota.ledger import MOST_CALLS, Purchase
from webapp.quota.models import Lot
from webapp.quota.operations import Facts
from webapp.quota.rules import default_expiry

FAR = timedelta(days=31)
"""How far ahead a day of purchase is taken without a question."""
MOST_YUAN = Decimal(10_000_000)
WHOLE = _l("Enter a whole number of calls.")
MAY_BE_EMPTY = _l("May be left empty.")


def whole_fen(form: Form, field: AmountField) -> None:
    """A validator: an amount in yuan that makes whole fen."""
    amount = field.data
    if amount is None:
        return
    if not amount.is_finite() or not 0 <= amount <= MOST_YUAN or amount != round(amount, 2):
        raise ValidationError(_("Enter an amount in yuan with at most two decimals."))


class ReasonForm(Form):
    """A change that needs nothing but a reason."""

    reason = StringField(
        _l("Reason"), filters=[stripped],
        validators=[InputRequired(_l("Say why.")), Length(min=3, max=200), plain_text],
        description=_l("Stands in the ledger and the audit trail. No names or numbers of people."),
    )  # fmt: skip


class PapersForm(Form):
    """What the papers of a lot say."""

    bought_on = DayField(_l("Bought on"), validators=[InputRequired(_l("Enter a date as YYYY-MM-DD.")), sound_day])
    expires_on = DayField(_l("Last valid day"), validators=[Optional(), sound_day],
                          description=_l("Left empty: one year after the purchase."))  # fmt: skip
    price = AmountField(_l("Price in CNY"), places=2, validators=[Optional(), whole_fen], description=MAY_BE_EMPTY)
    order_number = StringField(_l("Order number"), filters=[stripped], validators=[Length(max=80), plain_text],
                               description=MAY_BE_EMPTY)  # fmt: skip
    note = StringField(_l("Note"), filters=[stripped], validators=[Length(max=500), plain_text],
                       description=MAY_BE_EMPTY)  # fmt: skip
    again = Tick(_l("It is another lot all the same: this order has several"))
    ahead = Tick(_l("It is bought on that day all the same"))
    asks_again = asks_ahead = False
    """Whether the page shows the ticks `again` and `ahead`."""

    def validate_bought_on(self, field: DayField) -> None:
        latest = day_of(utc_now(), this_instance().settings.zone) + FAR
        if field.data and not field.errors and field.data > latest and not self.ahead.data:
            self.asks_ahead = True
            raise ValidationError(
                _("This day is more than a month ahead: nothing is used of the lot before. Is it meant?")
            )

    def validate_expires_on(self, field: DayField) -> None:
        if field.data and self.bought_on.data and field.data < self.bought_on.data:
            raise ValidationError(_("The last valid day lies before the purchase."))

    def ask_again(self, other: Lot) -> None:
        """Says beside the field that another lot has this order number, and shows the tick."""
        self.asks_again = True
        said = _("Lot %(lot)s of %(day)s with %(calls)s calls has this order number already.",
                 lot=other.id, day=day(other.bought_on), calls=number(other.calls))  # fmt: skip
        self.order_number.errors = [said]

    def facts(self) -> Facts:
        """What the valid form says of the lot."""
        bought_on, price = self.bought_on.data, self.price.data
        if bought_on is None:
            raise ValueError("the form is not valid")
        return Facts(
            bought_on, self.expires_on.data or default_expiry(bought_on), None if price is None else int(price * 100),
            self.order_number.data or "", self.note.data or "",
        )  # fmt: skip


class LotForm(PapersForm):
    """A package of calls, as it was bought."""

    calls = WholeNumberField(_l("Calls"), validators=[InputRequired(WHOLE), Between(1, MOST_CALLS)])

    def purchase(self) -> Purchase:
        """What the valid form records."""
        facts = self.facts()
        return Purchase(self.calls.data or 0, facts.bought_on, facts.expires_on, facts.price_fen, facts.order_number,
                        facts.note)  # fmt: skip


class FactsForm(PapersForm, ReasonForm):
    """What the papers of a recorded lot really say."""

    @staticmethod
    def of(lot: Lot) -> FactsForm:
        """The form, filled with what is recorded."""
        price = None if lot.price_fen is None else Decimal(lot.price_fen) / 100
        return FactsForm(obj=lot, price=price)


class CorrectForm(ReasonForm):
    """More or fewer calls than were recorded."""

    change = WholeNumberField(
        _l("Calls more or fewer"), validators=[InputRequired(WHOLE), Between(-MOST_CALLS, MOST_CALLS)],
        description=_l("For example 15, or -15 where there are fewer."),
    )  # fmt: skip

    def validate_change(self, field: WholeNumberField) -> None:
        if field.data == 0:
            raise ValidationError(_("0 calls change nothing."))


class CoverForm(ReasonForm):
    """Uncovered calls that a lot shall carry."""

    calls = WholeNumberField(
        _l("Calls to book on this lot"), validators=[InputRequired(WHOLE), Between(1, MOST_CALLS)],
        description=_l("The oldest that were made while the lot was valid come first."),
        render_kw={"inputmode": "numeric"},
    )  # fmt: skip
    outside = Tick(_l("The vendor took them from this lot all the same"))
    asks_outside = False
    """Whether the page shows the tick `outside`."""

    def ask_outside(self, calls: int) -> None:
        """Says beside the field how many calls the lot was not valid for, and shows the tick."""
        self.asks_outside = True
        self.calls.errors = [
            ngettext(
                "%(calls)s of them was made before the purchase of this lot or after its last valid day.",
                "%(calls)s of them were made before the purchase of this lot or after its last valid day.",
                calls, calls=number(calls),
            )
        ]  # fmt: skip


class RefundForm(ReasonForm):
    """Calls that go back to the vendor for money."""

    calls = WholeNumberField(_l("Calls given back"), validators=[InputRequired(WHOLE), Between(1, MOST_CALLS)],
                             render_kw={"inputmode": "numeric"})  # fmt: skip
    amount = AmountField(
        _l("Refund in CNY"), places=2, render_kw={"inputmode": "decimal"},
        validators=[InputRequired(_l("Enter an amount in yuan with at most two decimals.")), whole_fen],
    )  # fmt: skip

    @property
    def fen(self) -> int:
        """The amount of the valid form, in CNY 0.01."""
        return int((self.amount.data or Decimal(0)) * 100)


def shown_fields(form: Form) -> list[Any]:
    """The fields a page draws one below the other: those of the action first, the reason last."""
    questions = {name for name in ("again", "ahead", "outside") if name in form}
    unasked = {name for name in questions if not (getattr(form, f"asks_{name}") or form[name].data)}
    hidden = {"csrf_token", "reason"} | unasked
    return [field for field in form if field.name not in hidden] + [form["reason"]]
