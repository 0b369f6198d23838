"""The page of the whole ledger, by filters, and its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _

from webapp.audit.actor import who
from webapp.audit.queries import Place
from webapp.audit.trail import Action, append
from webapp.foundation.charts import harmless
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import when
from webapp.quota import ledger_queries
from webapp.quota.entry_table import entry_rows
from webapp.quota.ledger_forms import LedgerForm
from webapp.quota.models import LedgerEntry

bp = Blueprint("ledger", __name__)

SIZE = 50


@bp.get("/quota/ledger")
def index() -> tuple[str, int]:
    """The entries that the filters leave, newest first."""
    form, written = _form(), request.args.get("below", "")
    below = Place.read(written)
    if written and below is None:
        abort(400)
    if not form.validate():
        return render_template("quota/ledger.html", form=form, entries=[]), 422
    asked: dict[str, Any] = form.asked
    page = ledger_queries.page(form.filters(), this_instance().settings.zone, SIZE, below)
    return render_template(
        "quota/ledger.html", form=form, entries=entry_rows(page.entries), file_url=url_for("ledger.file", **asked),
        first_url=url_for("ledger.index", **asked) if below else "",
        older_url=url_for("ledger.index", **asked, below=str(page.older)) if page.older else "",
    ), 200  # fmt: skip


@bp.post("/quota/ledger/file")
def file() -> Response:
    """Exactly what the filters leave, as CSV, however much it is; recorded before the first line is sent."""
    form = _form()
    if not form.validate():
        abort(400, _("A filter cannot be read"))
    settings, now = this_instance().settings, utc_now()
    found = ledger_queries.every(form.filters(), settings.zone)
    name = f"yuliang-ledger-{day_of(now, settings.zone)}"
    with transaction():
        append(who(), Action.FIGURES_EXPORTED, now, file=name)
    return Response(
        stream_with_context(_pieces(found, settings.timezone)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _pieces(found: Iterable[Sequence[LedgerEntry]], zone: str) -> Iterator[bytes]:
    """The entries as CSV (RFC 4180), piece by piece: a byte order mark, the zone in the heading, plain numbers."""
    head = [_("Entry's number"), f"{_('Time')} ({zone})", _("Entry"), _("Kind's name"), _("Lot"), _("Lot number"),
            _("Change"), _("Left after"), _("By"), _("Verification"), _("Reason")]  # fmt: skip
    yield b"\xef\xbb\xbf" + _lines([head])
    for entries in found:
        yield _lines(
            [str(row["id"]), when(row["at"]), str(row["kind_label"]), row["kind"], harmless(row["lot"]),
             str(row["lot_id"] or ""), str(row["change"]), str(row["balance_after"]) if row["lot_id"] else "",
             harmless(row["actor"]), str(row["verification_id"] or ""), harmless(row["reason"])]
            for row in entry_rows(entries)
        )  # fmt: skip


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _form() -> LedgerForm:
    form = LedgerForm(request.args)
    form.offer()
    return form
