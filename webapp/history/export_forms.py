"""The forms of exports: what is asked for, and what an approver decides."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, SelectField
from wtforms.validators import InputRequired, ValidationError

from webapp.accounts.reauthentication import ProvenForm
from webapp.foundation.forms import Form, options
from webapp.history.export_files import FileFormat
from webapp.history.export_size import Size
from webapp.history.reveal_forms import ReasonedForm
from webapp.history.search_readings import tells
from webapp.persons.mentions import names_someone

FORMATS = options([(FileFormat.CSV.value, "CSV"), (FileFormat.XLSX.value, "XLSX (Excel)")])


class PrepareForm(Form):
    """A masked file, prepared in the background."""

    format = SelectField(_l("File"), choices=FORMATS)


class PlaintextForm(ReasonedForm):
    """A file in plaintext: why, and whose word it is; the words may not hold what was searched for."""

    format = SelectField(_l("File"), choices=FORMATS)

    def __init__(self, now: datetime, search: str | None = None) -> None:
        super().__init__(now)
        self._search = search or ""

    def validate_words(self, field: Field) -> None:
        if names_someone(field.data or "", *tells(self._search)):
            raise ValidationError(_("Leave names and numbers of people out of the reason."))


class DecisionForm(ProvenForm):
    """What a second approver decides."""

    decision = SelectField(
        _l("Decision"), choices=options([("", "–"), ("approve", _l("Approve")), ("decline", _l("Decline"))]),
        validators=[InputRequired(_l("Choose a decision."))],
    )  # fmt: skip
    confirm = BooleanField(_l("So many people may leave in plaintext"))

    def __init__(self, now: datetime, size: Size | None = None) -> None:
        super().__init__(now)
        if size is None or not size.large:
            del self.confirm

    def validate_confirm(self, field: BooleanField) -> None:
        if self.decision.data == "approve" and not field.data:
            raise ValidationError(_("Tick this to approve a file without a filter, or of very many."))
