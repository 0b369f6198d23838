"""The form that sets from which lot calls are taken first."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from webapp.foundation.forms import Form, options
from webapp.quota.rules import DrawOrder

ORDERS: dict[str, LazyString] = {
    DrawOrder.EXPIRY: _l("The lot that expires first is used first."),
    DrawOrder.PURCHASE: _l("The lot that was bought first is used first."),
}


class DrawOrderForm(Form):
    """The order of drawing."""

    order = SelectField(_l("Which lot is used first"), choices=options(ORDERS.items()))

    def chosen(self) -> DrawOrder:
        """What the valid form chose."""
        return DrawOrder(self.order.data)
