"""The page "who looked for this person?": name and number are posted, and never stand in an address."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import ValidationError

from webapp.audit import queries as audit
from webapp.audit.actor import who
from webapp.audit.queries import read_place
from webapp.audit.rows import table
from webapp.foundation.clock import utc_now
from webapp.foundation.forms import Form
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.history.looks import EXPORTS, MOST, MOST_SHOWN, Asked, looks
from webapp.history.search_limits import TooManySearches
from webapp.history.search_readings import Kind, readings
from webapp.history.search_texts import too_many
from webapp.persons import id_numbers, names
from webapp.verification.forms import NAME_FAULTS

bp = Blueprint("looks", __name__)


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
    places = {name: read_place(request.form.get(name, "")) for name in ("below", "above")}
    try:
        found = looks(form.asked(), who(), this_instance(), utc_now(), **places)
    except TooManySearches as many:
        form.form_errors = [too_many(many.wait)]
        return render_template("audit/person.html", form=form, found=None), 429
    # Whom a file held that was made before records had stamps is not known.
    records = [
        shown | {"maybe": one.action in EXPORTS and one.stamp is None}
        for one, shown in zip(found.page.records, table(found.page.records, this_instance().keys), strict=True)
    ]
    return render_template(
        "audit/person.html", form=form, found=found, records=records, most=MOST, most_shown=MOST_SHOWN,
        reaches_to=audit.oldest(), is_whole=audit.is_whole(), zone=this_instance().settings.timezone,
    ), 200  # fmt: skip
