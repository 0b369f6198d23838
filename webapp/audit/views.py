"""The audit trail's page and its file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _

from webapp.audit import gaps, heads, queries, retention
from webapp.audit.actor import who
from webapp.audit.forms import AuditForm
from webapp.audit.queries import AnyPlace, read_place
from webapp.audit.rows import csv_pieces, table
from webapp.audit.trail import Action, append
from webapp.foundation import key_ring, leases
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance

bp = Blueprint("audit", __name__)

SIZE = 100
FILTERS = ("actor", "action", "object", "number", "success", "from", "to")


@bp.get("/audit")
def index() -> tuple[str, int]:
    """Who did what; looking here is recorded too."""
    form = _form()
    now = utc_now()
    if not form.validate():
        head = heads.head(this_instance().keys)
        return render_template("audit/index.html", form=form, head=head, now=now, records=[]), 422
    asked = form.filters()
    wanted, places = (
        asked.conditions(this_instance().settings.zone),
        {name: _place(name) for name in ("below", "above")},
    )
    page = queries.page(wanted, SIZE, leading=asked.leading, **places)
    found, records = heads.head(this_instance().keys), table(page.records, this_instance().keys)
    with transaction():
        append(who(), Action.AUDIT_VIEWED, now, filters=_active(), records=len(records))
    return render_template(
        "audit/index.html",
        form=form,
        head=found,
        left=gaps.numbers(retention.left_out()),
        as_found=heads.as_found(this_instance().keys),
        audit_keys=key_ring.audit_fingerprints(this_instance().keys),
        lacking=leases.lacking(),
        now=now,
        records=records,
        file_url=url_for("audit.file", **_kept()),
        older_url=url_for("audit.index", **_kept(), below=page.older) if page.older else None,
        newer_url=url_for("audit.index", **_kept(), above=page.newer) if page.newer else None,
    ), 200


@bp.post("/audit/file")
def file() -> Response:
    """Exactly what the filters leave, as CSV, however much it is; recorded before the first line is sent."""
    form = _form()
    if not form.validate():
        abort(400, _("A filter cannot be read"))
    settings, now = this_instance().settings, utc_now()
    records = queries.every(form.filters().conditions(settings.zone), form.filters().leading)
    with transaction():
        append(who(), Action.AUDIT_EXPORTED, now, filters=_active())
    name = f"yuliang-audit-{day_of(now, settings.zone)}.csv"
    return Response(
        stream_with_context(csv_pieces(records, settings.timezone, this_instance().keys)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _form() -> AuditForm:
    form = AuditForm(request.args)
    form.offer()
    return form


def _place(name: str) -> AnyPlace | None:
    return read_place(request.args.get(name, ""))


def _kept() -> dict[str, Any]:
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def _active() -> str:
    return " ".join(f"{name}={value}" for name, value in _kept().items())
