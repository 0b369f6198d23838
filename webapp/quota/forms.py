"""The form that records a lot."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from webapp.foundation.forms import AmountField, Form, WholeNumberField, plain_text, sound_day, stripped
from webapp.quota.ledger import Purchase
from webapp.quota.rules import default_expiry

MOST_CALLS = 1_000_000_000
MOST_YUAN = Decimal(10_000_000)


class LotForm(Form):
    """A package of calls, as it was bought."""

    calls = WholeNumberField(
        _l("Calls"), validators=[InputRequired(_l("Enter a whole number of calls.")), NumberRange(1, MOST_CALLS)]
    )
    bought_on = DateField(_l("Bought on"), validators=[InputRequired(_l("Enter a date as YYYY-MM-DD.")), sound_day])
    expires_on = DateField(_l("Last valid day"), validators=[Optional(), sound_day],
                           description=_l("Left empty: one year after the purchase."))  # fmt: skip
    price = AmountField(_l("Price in CNY"), places=2, validators=[Optional()], description=_l("May be left empty."))
    order_number = StringField(_l("Order number"), filters=[stripped], validators=[Length(max=80), plain_text],
                               description=_l("May be left empty."))  # fmt: skip

    def validate_expires_on(self, field: DateField) -> None:
        if field.data and self.bought_on.data and field.data < self.bought_on.data:
            raise ValidationError(_("The last valid day lies before the purchase."))

    def validate_price(self, field: AmountField) -> None:
        price = field.data
        if price is None:
            return
        if not price.is_finite() or not 0 <= price <= MOST_YUAN or price != round(price, 2):
            raise ValidationError(_("Enter an amount in yuan with at most two decimals."))

    def purchase(self) -> Purchase:
        """What the valid form records."""
        calls, bought_on, price = self.calls.data, self.bought_on.data, self.price.data
        if calls is None or bought_on is None:
            raise ValueError("the form is not valid")
        return Purchase(
            calls=calls,
            bought_on=bought_on,
            expires_on=self.expires_on.data or default_expiry(bought_on),
            price_fen=None if price is None else int(price * 100),
            order_number=self.order_number.data or "",
        )
