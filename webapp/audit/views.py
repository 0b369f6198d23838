"""The audit trail's page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from webapp.audit import queries
from webapp.audit.actor import who
from webapp.audit.texts import ACTIONS, OBJECTS
from webapp.audit.trail import Action, AuditRecord, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.forms import FilterForm, not_before, sound_day
from webapp.foundation.instance import this_instance

bp = Blueprint("audit", __name__)

SIZE = 100
MOST = 2**62


class AuditForm(FilterForm):
    """Filters of /audit."""

    action = SelectField(_l("Action"), validators=[Optional()])

    def filters(self) -> queries.Filters:
        """What the valid form asks for."""
        return queries.Filters(self.action.data or None, self["from"].data, self["to"].data)


setattr(AuditForm, "from", DateField(_l("From"), validators=[Optional(), sound_day]))
AuditForm.to = DateField(_l("Until"), validators=[Optional(), sound_day, not_before])


@bp.get("/audit")
def index() -> tuple[str, int]:
    """Who did what; looking here is recorded too."""
    form = AuditForm(request.args)
    form.action.choices = [("", _("All")), *ACTIONS.items()]
    if not form.validate():
        return render_template("audit/index.html", form=form, records=[], older_url=None, newer_url=None), 422
    page = queries.page(
        form.filters(), this_instance().settings.zone, SIZE, below=_place("below"), above=_place("above")
    )
    records = [_row(record) for record in page.records]
    with transaction():
        append(who(), Action.AUDIT_VIEWED, utc_now(), records=len(records))
    return render_template(
        "audit/index.html",
        form=form,
        records=records,
        older_url=_address(below=page.older) if page.older else None,
        newer_url=_address(above=page.newer) if page.newer else None,
    ), 200


def _place(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 19 and int(text) < MOST else None


def _row(record: AuditRecord) -> dict[str, Any]:
    on = OBJECTS.get(record.object_type, record.object_type)
    return {
        "at": record.at, "actor": record.actor, "action_label": ACTIONS.get(record.action, record.action),
        "object": f"{on} {record.object_id}" if record.object_id else "", "success": record.success,
        "address": record.address,
        "detail": ", ".join(f"{key} {value}" for key, value in record.detail.items() if value not in (None, "")),
    }  # fmt: skip


def _address(**place: Any) -> str:
    kept: dict[str, Any] = {name: request.args[name] for name in ("action", "from", "to") if request.args.get(name)}
    return url_for("audit.index", **kept, **place)
