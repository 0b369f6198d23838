"""The form base: every field once, every fault beside its field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Field, SelectField
from wtforms import Form as PlainForm
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs lag behind
from wtforms.form import BaseForm
from wtforms.validators import ValidationError
from wtforms.widgets import Select

from webapp.foundation.choices import PLAIN_SELECT
from webapp.foundation.number_fields import AmountField as AmountField
from webapp.foundation.number_fields import Between as Between
from webapp.foundation.number_fields import WholeNumberField as WholeNumberField

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 12, 31)
MOST_SENT_BACK = 20_000
"""Characters of a refused field that are shown again."""


class Form(FlaskForm):  # type: ignore[misc]
    """A form of text fields sent as such: JSON and files are not read. A field sent twice is a fault, not a guess."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formdata=request.form if request.method == "POST" else None, **options)

    def validate(self, extra_validators: Any = None) -> bool:
        sound = bool(super().validate(extra_validators)) & _sent_once(self, request.form)
        if not sound:
            _shorten(self)
        return sound


def _shorten(form: PlainForm) -> None:
    """Cuts what nobody types, so that a megabyte that was refused is not sent back."""
    for field in form:
        for name in ("data", "raw_data"):
            text = getattr(field, name, None)
            if isinstance(text, str) and len(text) > MOST_SENT_BACK:
                setattr(field, name, text[:MOST_SENT_BACK])
            elif isinstance(text, list):
                setattr(field, name, [one[:MOST_SENT_BACK] if isinstance(one, str) else one for one in text])


def _sent_once(form: PlainForm, sent: MultiDict[str, str]) -> bool:
    twice = [field for field in form if len(sent.getlist(field.name)) > 1 and field.type != "SelectMultipleField"]
    for field in twice:
        field.errors = [*field.errors, _("This field was sent more than once.")]
    return not twice


def options(choices: Iterable[tuple[str, str | LazyString]]) -> list[SelectChoice]:
    """Values and labels as the choices of a `SelectField`."""
    return [SelectChoice(value, label) for value, label in choices]


class Tick(BooleanField):
    """A tick that counts only as the word `yes`: nothing else is a declaration."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = valuelist == ["yes"]

    def _value(self) -> str:
        return "yes"


_DAYS = tuple(re.compile(shape, re.ASCII) for shape in (
    r"(\d{4})-(\d{1,2})-(\d{1,2})", r"(\d{4})/(\d{1,2})/(\d{1,2})", r"(\d{4})\.(\d{1,2})\.(\d{1,2})",
    r"(\d{4})年(\d{1,2})月(\d{1,2})日?", r"(\d{4})(\d{2})(\d{2})",
))  # fmt: skip


class CalendarField(DateField):
    """A day picked in the browser's own calendar, which complains about a text that is no day."""

    def _value(self) -> str:
        return self.data.isoformat() if self.data else ""


class DayField(DateField):
    """A calendar day, year first, as a Chinese paper may write it: 2026-11-23, 2026/11/23, 2026.11.23, 20261123,
    2026年11月23日. What could be read in two ways (11/12/2026) is no day."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = unicodedata.normalize("NFKC", str(valuelist[0])).strip() if valuelist else ""
        if not text:
            self.data = None
            return
        parts = next((found.groups() for shape in _DAYS if (found := shape.fullmatch(text))), ("0", "0", "0"))
        try:
            self.data = date(*map(int, parts))
        except ValueError:
            self.data = None
            raise ValueError(_("Enter a day that there is, year first: 2026-11-23.")) from None


class FilterList(SelectField):
    """A list to choose from in a filter: nothing chosen is no filter, and whatever is not in the list is a fault,
    blanks too (WTForms' `Optional` would let them pass unread)."""

    def pre_validate(self, form: BaseForm) -> None:
        if self.raw_data and self.raw_data[0] != "":
            super().pre_validate(form)


class FilterForm(FlaskForm):  # type: ignore[misc]
    """A form that is read from the address and changes nothing."""

    class Meta:
        csrf = False

        def render_field(self, field: Field, render_kw: dict[str, Any]) -> Markup:
            """Draws a field; a list to choose from, at once."""
            drawn_by: object = field.widget
            if type(drawn_by) is Select:
                field.widget = PLAIN_SELECT
            return super().render_field(field, render_kw)  # type: ignore[misc, no-any-return]

    def validate(self, extra_validators: Any = None) -> bool:
        return bool(super().validate(extra_validators)) & _sent_once(self, request.args)


def plain_text(form: Form, field: Field) -> None:
    """A validator: one line of text without control characters."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 or 0xD800 <= ord(character) < 0xE000
           for character in field.data or ""):  # fmt: skip
        raise ValidationError(_("Remove control characters and line breaks."))


def stripped(text: str | None) -> str | None:
    """A filter: the text without blanks around it."""
    return text.strip() if text else text


def sound_day(form: PlainForm, field: DateField) -> None:
    """A validator: a day, or a time of one, that any calendar arithmetic here can bear."""
    day = field.data.date() if isinstance(field.data, datetime) else field.data
    if day and not EARLIEST <= day <= LATEST:
        raise ValidationError(_("Enter a date between 2000 and 2100."))


def not_before(form: PlainForm, field: DateField) -> None:
    """A validator of `to`: not before `from`."""
    first: date | None = form["from"].data
    if first and field.data and field.data < first:
        raise ValidationError(_("This day lies before the first one."))
