"""What was verified: filtered, newest first, masked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.history import queries
from webapp.history.forms import SIZE, HistoryForm
from webapp.persons.masking import mask_name, mask_number
from webapp.verification import texts
from webapp.verification.identities import Person, open_people
from webapp.verification.models import Verification

bp = Blueprint("history", __name__)

FILTERS = ("outcome", "operator", "department", "source", "purpose", "from", "to")


@bp.get("/history")
def index() -> tuple[str, int]:
    """One page of verifications, masked; the view is recorded."""
    if "q" in request.args:
        abort(400, _("A search text never stands in an address."))
    locale = str(get_locale())
    form = HistoryForm(request.args)
    form.offer(current_user, locale)
    if not form.validate():
        return _render(form, [], None, None), 422
    instance = this_instance()
    try:
        cursor = queries.Cursor.decode(request.args["after"]) if request.args.get("after") else None
    except queries.BadCursor:
        abort(400, _("This place in the history does not exist. Start again from the newest."))
    page = queries.page(form.filters(), current_user, instance.settings.zone, form.size.data or SIZE, cursor)
    people = open_people([row.id for row in page.rows], instance.sealer)
    rows = [_row(row, people.get(row.id), locale) for row in page.rows]
    with transaction():
        append(who(), Action.HISTORY_VIEWED, utc_now(), filters=" ".join(_active_names()), rows=len(rows))
    return _render(form, rows, page.newer, page.older), 200


def _render(form: HistoryForm, rows: list[dict[str, Any]], newer: str | None, older: str | None) -> str:
    return render_template(
        "history/index.html",
        form=form,
        rows=rows,
        newer_url=_address(after=newer) if newer else None,
        older_url=_address(after=older) if older else None,
        active=_active(form),
        sentence=_sentence(len(rows)),
    )


def _row(row: Verification, person: Person | None, locale: str) -> dict[str, Any]:
    return {
        "id": row.id, "when": row.created_at, "outcome": row.outcome, "billed": row.billed,
        "name_masked": mask_name(person.name) if person else _("erased"),
        "number_masked": mask_number(person.number) if person else "",
        "outcome_label": texts.OUTCOMES[row.outcome].label, "billed_label": texts.CHARGED[row.billed],
        "operator": row.operator.name, "department": row.department.name if row.department else "",
        "purpose": row.purpose.name_in(locale), "source_label": texts.SOURCES[row.source],
    }  # fmt: skip


def _active_names() -> list[str]:
    return [name for name in FILTERS if request.args.get(name)]


def _active(form: HistoryForm) -> list[tuple[str, str, str]]:
    """Label and value of each filter in force, and the address without it."""
    shown = []
    for name in _active_names():
        field = form[name]
        choices = dict(getattr(field, "choices", None) or [])
        value = choices.get(field.data, request.args[name])
        shown.append((str(field.label.text), str(value), _address(without=name)))
    return shown


def _address(*, after: str | None = None, without: str = "") -> str:
    kept: dict[str, Any] = {
        name: request.args[name] for name in (*FILTERS, "size") if request.args.get(name) and name != without
    }
    return url_for("history.index", **kept, after=after)


def _sentence(rows: int) -> str:
    zone = this_instance().settings.timezone
    if current_user.role == "operator":
        return _(
            "Your own verifications, newest first; %(rows)s on this page. Times in %(zone)s.", rows=rows, zone=zone
        )
    return _("Newest first; %(rows)s on this page. Times in %(zone)s.", rows=rows, zone=zone)
