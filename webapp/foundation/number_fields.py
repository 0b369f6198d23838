"""Fields for numbers, read as people and their spreadsheets write them, with one message for whatever is wrong."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from wtforms import DecimalField, Field, IntegerField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import TextInput

_SIGNS = str.maketrans("−–’", "--'")
"""A minus, a dash and an apostrophe that pages and spreadsheets show."""
_WHOLE = r"\d+|\d{1,3}(?:(?P<by>[, '])\d{3})(?:(?P=by)\d{3})*|\d{1,4}(?:,\d{4})+"
"""Digits; groups of three with one kind of separator between them; or groups of four, by 万 and 亿."""
_NUMBER = re.compile(rf"[+-]? ?(?:{_WHOLE})(?:\.\d*)?", re.ASCII)
_AROUND_CALLS = re.compile(r" ?次$")
_AROUND_MONEY = re.compile(r"^(?P<sign>[+-]?) ?(?:¥|CNY|RMB) ?| ?(?:元|CNY|RMB)$")
MOST_TYPED = 60
"""Characters; no number of ours has as many."""


def plain_number(text: str, around: re.Pattern[str]) -> str | None:
    """A number as Python reads it, from what somebody wrote: full-width digits, separators between groups, any minus
    sign, and `around` it a unit. None: it is no number, or could be read in two ways (1,5)."""
    if len(text) > MOST_TYPED:
        return None
    text = " ".join(unicodedata.normalize("NFKC", text).translate(_SIGNS).split())
    text = around.sub(lambda found: found.groupdict().get("sign") or "", text)
    return re.sub("[, ']", "", text) if _NUMBER.fullmatch(text) else None


class WholeNumberField(IntegerField):
    """A whole number, in a field for text: a browser's own field for numbers would not let a separator in."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not str(valuelist[0]).strip():
            return
        self.data = None
        plain = plain_number(str(valuelist[0]), _AROUND_CALLS)
        if plain is None or "." in plain:
            raise ValueError(_("Enter a whole number."))
        self.data = int(plain)

    def pre_validate(self, form: BaseForm) -> None:
        _one_message(self)


class AmountField(DecimalField):
    """An amount in digits with at most a point: no exponents, no NaN."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not str(valuelist[0]).strip():
            return
        self.data = None
        plain = plain_number(str(valuelist[0]), _AROUND_MONEY)
        if plain is None:
            raise ValueError(_("Enter an amount in yuan with at most two decimals."))
        self.data = Decimal(plain)

    def pre_validate(self, form: BaseForm) -> None:
        _one_message(self)


class Between:
    """A validator: a number from `least` to `most`, both included."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, form: BaseForm, field: Field) -> None:
        if field.data is None or not self.least <= field.data <= self.most:
            least, most = format_decimal(self.least), format_decimal(self.most)
            raise ValidationError(_("Enter a whole number from %(least)s to %(most)s.", least=least, most=most))


def _one_message(field: Field) -> None:
    """What could not be read needs no further judgement."""
    if field.process_errors:
        raise StopValidation
