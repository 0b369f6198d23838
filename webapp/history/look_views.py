"""The page "who looked for this person?": name and number are posted, and never stand in an address."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import ValidationError

from webapp.audit import queries as audit
from webapp.audit.actor import who
from webapp.audit.rows import table
from webapp.foundation.clock import utc_now
from webapp.foundation.forms import Form
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.history.looks import MOST, Asked, looks
from webapp.history.search_limits import TooManySearches
from webapp.history.search_readings import Kind, readings
from webapp.history.search_texts import too_many
from webapp.persons import id_numbers, names
from webapp.verification.forms import NAME_FAULTS

bp = Blueprint("looks", __name__)

MOST_NUMBER = 2**63 - 1


class PersonForm(Form):
    """Whom it is about: a name, a number, or both."""

    id_number = StringField(
        _l("ID number"),
        filters=[lambda text: id_numbers.normalise(text or "")],
        description=_l("The whole number: it decides which verifications are meant."),
    )
    name = StringField(
        _l("Name"),
        filters=[lambda text: names.normalise(text or "")],
        description=_l("Adds searches for the name. Alone it finds everybody of this name."),
    )

    def validate_id_number(self, field: StringField) -> None:
        if not field.data and not self.name.data:
            raise ValidationError(_("Enter an ID number, a name, or both."))
        if field.data and not self._number():
            raise ValidationError(_("Enter the whole ID number: 18 characters, or the 15 of an old card."))

    def validate_name(self, field: StringField) -> None:
        fault = names.faults(field.data) if field.data else None
        if fault:
            raise ValidationError(str(NAME_FAULTS[fault]))

    def asked(self) -> Asked:
        """Whom the valid form is about."""
        return Asked(self.name.data or "", self._number())

    def _number(self) -> str:
        return next((one.value for one in readings(self.id_number.data or "") if one.kind == Kind.NUMBER), "")


@bp.get("/audit/person")
def ask() -> str:
    """The empty form."""
    return render_template("audit/person.html", form=PersonForm(), found=None)


@bp.post("/audit/person")
def show() -> tuple[str, int]:
    """The searches, views, prints and exports of one person; asking for them is recorded, about whom too."""
    form = PersonForm()
    conceal(form.name.data or "", form.id_number.data or "")
    if not form.validate_on_submit():
        return render_template("audit/person.html", form=form, found=None), 422
    places = {name: _place(name) for name in ("below", "above")}
    try:
        found = looks(form.asked(), who(), this_instance(), utc_now(), **places)
    except TooManySearches as many:
        form.form_errors = [too_many(many.wait)]
        return render_template("audit/person.html", form=form, found=None), 429
    shown = zip(found.piece.records, table(found.piece.records, this_instance().keys), strict=True)
    records = [row | {"maybe": one.id in found.unsure} for one, row in shown]
    return render_template(
        "audit/person.html", form=form, found=found, records=records, most=MOST,
        reaches_to=audit.oldest(), is_whole=audit.is_whole(), zone=this_instance().settings.timezone,
    ), 200  # fmt: skip


def _place(name: str) -> int | None:
    """The number of the record that a form goes on from; None where it names none."""
    written = request.form.get(name, "")
    number = int(written) if re.fullmatch(r"-?[0-9]{1,19}", written, re.ASCII) else None
    return number if number is not None and abs(number) < MOST_NUMBER else None
