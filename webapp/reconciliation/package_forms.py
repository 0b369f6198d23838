"""The form that begins the books with several packages of the vendor's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, StringField
from wtforms.validators import InputRequired, Length, StopValidation

from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.forms import Between, DayField, Form, Tick, WholeNumberField, plain_text, sound_day, stripped
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import number
from webapp.quota.ledger import MOST_CALLS, Purchase
from webapp.quota.models import Lot
from webapp.quota.rules import order_key
from webapp.reconciliation.forms import WHOLE, refuse_used_over_total

FEW, MORE, MOST_PACKAGES = 3, 3, 24
"""Rows that are shown at first, that are added at a time, and that there are."""
NAMES = ("left", "calls", "expires_on", "order_number")


class Row(NamedTuple):
    """The fields of one package."""

    left: Field
    calls: Field
    expires_on: Field
    order_number: Field

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them."""
        return self.left, self.calls, self.expires_on, self.order_number

    @property
    def is_filled(self) -> bool:
        """Whether anything stands in it."""
        return any(str(text).strip() for field in self.fields for text in field.raw_data or ())

    def is_sound(self, today: date) -> bool:
        """Whether it is a whole package; says beside each field what is wrong."""
        required = ((self.left, WHOLE), (self.calls, WHOLE), (self.expires_on, _("Enter a date as YYYY-MM-DD.")))
        for field, said in required:
            if field.data is None and not field.errors:
                field.errors = [str(said)]
        left, calls, last = self.left.data, self.calls.data, self.expires_on.data
        if left is not None and calls is not None and left > calls and not (self.left.errors or self.calls.errors):
            self.left.errors = [_("More calls are left than the package has.")]
        if last and last < today and left and not self.expires_on.errors:
            self.expires_on.errors = [_("This day has passed: what was left has lapsed.")]
        return not any(field.errors for field in self.fields)


def _unless_empty(form: Form, field: Field) -> None:
    """A validator: what is left empty needs no further judgement; the row decides whether it may be."""
    if not any(str(text).strip() for text in field.raw_data or ()):
        raise StopValidation


class PackagesForm(Form):
    """The console's [used/total], and the packages that make it."""

    used = WholeNumberField(_l("Used"), validators=[InputRequired(WHOLE), Between(0, MOST_CALLS)])
    total = WholeNumberField(_l("Total"), validators=[InputRequired(WHOLE), Between(1, MOST_CALLS)])
    again = Tick(_l("The total holds none of the lots recorded already"))
    same_order = Tick(_l("They are several lots all the same: this order has several"))
    asks_again = asks_same_order = False
    """Whether the page shows the ticks."""

    def validate_used(self, field: WholeNumberField) -> None:
        refuse_used_over_total(field, self.total)

    @property
    def rows(self) -> list[Row]:
        """The packages, filled or not."""
        return [Row(*(self[f"{name}_{place}"] for name in NAMES)) for place in range(1, MOST_PACKAGES + 1)]

    @property
    def sent(self) -> list[Row]:
        """Those that stood on the page that was sent."""
        return [row for row in self.rows if row.left.name in request.form]

    @property
    def filled(self) -> list[Row]:
        """Those in which anything stands."""
        return [row for row in self.rows if row.is_filled]

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        today = day_of(utc_now(), this_instance().settings.zone)
        whole = [row.is_sound(today) for row in self.filled]
        return sound and all(whole) and self._adds_up() and self._orders_differ()

    def _adds_up(self) -> bool:
        """Whether the packages make the console's figures; says beside these what is missing or too much."""
        total, left = self.total.data or 0, (self.total.data or 0) - (self.used.data or 0)
        for field, packages, console, said in (
            (self.total, _sum(row.calls for row in self.filled), total,
             _("The packages below have %(packages)s calls in all, the console shows %(console)s.")),
            (self.used, _sum(row.left for row in self.filled), left,
             _("%(packages)s calls are left of the packages below, by the console's figures %(console)s.")),
        ):  # fmt: skip
            if packages != console:
                field.errors = [said % {"packages": number(packages), "console": number(console)}]
        return not (self.total.errors or self.used.errors)

    def _orders_differ(self) -> bool:
        seen = set[str]()
        for row in self.filled:
            key = order_key(row.order_number.data or "")
            if key and key in seen and not self.same_order.data:
                self.asks_same_order = True
                row.order_number.errors = [_("Another package above has this order number.")]
            seen.add(key)
        return not self.asks_same_order

    def ask_again(self, calls: int) -> None:
        """Says what is recorded already, and shows the tick."""
        self.asks_again = True
        self.total.errors = [
            _("Lots of %(calls)s calls are recorded already; those that the total holds too would count twice.",
              calls=number(calls))
        ]  # fmt: skip

    def ask_same_order(self, other: Lot) -> None:
        """Says beside its field that a recorded lot has the order number, and shows the tick."""
        self.asks_same_order = True
        for row in self.filled:
            if order_key(row.order_number.data or "") == order_key(other.order_number):
                row.order_number.errors = [_("A lot that is recorded already has this order number.")]

    def purchases(self, today: date) -> list[Purchase]:
        """What the valid form records; what is used up may have ended before `today`. Those that end first come
        first: what was used is taken to be of them."""
        found = [
            Purchase(row.calls.data, min(today, row.expires_on.data), row.expires_on.data,
                     order_number=row.order_number.data or "", used_before=row.calls.data - row.left.data)
            for row in self.filled
        ]  # fmt: skip
        return sorted(found, key=lambda one: one.expires_on)


def _sum(fields: Sequence[Field] | Any) -> int:
    return sum(field.data or 0 for field in fields)


def _make_rows() -> None:
    for place in range(1, MOST_PACKAGES + 1):
        fields = (
            WholeNumberField(_l("Left of package %(number)s", number=place),
                             validators=[_unless_empty, Between(0, MOST_CALLS)]),
            WholeNumberField(_l("Calls of package %(number)s", number=place),
                             validators=[_unless_empty, Between(1, MOST_CALLS)]),
            DayField(_l("Last valid day of package %(number)s", number=place), validators=[_unless_empty, sound_day]),
            StringField(_l("Order number of package %(number)s", number=place), filters=[stripped],
                        validators=[Length(max=80), plain_text]),
        )  # fmt: skip
        for name, field in zip(NAMES, fields, strict=True):
            setattr(PackagesForm, f"{name}_{place}", field)


_make_rows()
