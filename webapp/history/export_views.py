"""The history as a file: masked at once, or prepared in the background and, in plaintext, approved by a second one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Field

from webapp.accounts.models import User
from webapp.audit.actor import who
from webapp.audit.trail import Action
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_fetching, export_operations, export_queries, export_streaming, export_xlsx, page_parts
from webapp.history.export_fetching import NotThere
from webapp.history.export_files import FileFormat, file_of
from webapp.history.export_forms import DecisionForm, PlaintextForm, PrepareForm
from webapp.history.export_models import Export, ExportState
from webapp.history.export_operations import DecidedAlready, OwnExport, TooManyOpen
from webapp.history.export_order import Order
from webapp.history.export_rows import Set, heading, wording
from webapp.history.export_size import Size, size_of
from webapp.history.export_texts import STATES, size_text
from webapp.history.export_trail import is_accounts_maker, record
from webapp.history.filters import Filters
from webapp.history.forms import NAMES, HistoryForm
from webapp.history.reveal_texts import REASONS
from webapp.history.search_texts import masked

bp = Blueprint("exports", __name__)

Page = tuple[str, int] | AnyResponse
MOST = {FileFormat.CSV: export_streaming.MOST_ROWS, FileFormat.XLSX: export_xlsx.MOST_ROWS}
"""Rows of a file that is sent at once."""


@bp.get("/history/export")
def download() -> Page:
    """The masked file of `format`; without one, the page that offers files of what these filters leave."""
    form = _filters()
    if form is None:
        return _choose(None, 422)
    if "format" not in request.args:
        return _choose(form, 200)
    kind, found = _kind(request.args["format"]), _set(form)
    if found.exceeds(MOST[kind]):
        return _choose(form, 422, too_many=kind)
    with transaction():
        record(
            Action.HISTORY_EXPORTED, form.filters(), who(), this_instance(), utc_now(), format=kind,
            filters=_order(form).described(),
        )  # fmt: skip
    return _attached(stream_with_context(_masked(found, kind)), kind)


@bp.post("/history/export")
def ask() -> Page:
    """Asks for a file to be prepared: masked, or in plaintext, which a second approver decides about."""
    filters = _filters()
    if filters is None:
        return _choose(None, 422)
    plain = request.form.get("plain") == "yes"
    form = PlaintextForm(utc_now(), filters.filters().search) if plain else PrepareForm()
    if plain and not export_operations.may_own(_reader(), plain=True):
        abort(403)
    if not form.validate_on_submit() or not (isinstance(form, PrepareForm) or form.proven()):
        return _choose(filters, 422, form=form)
    kind = FileFormat(form.format.data)
    if kind == FileFormat.XLSX and _set(filters).exceeds(MOST[kind]):
        return _choose(filters, 422, too_many=kind)
    reasoned = {"reason": form.reason.data, "words": form.words.data} if isinstance(form, PlaintextForm) else {}
    try:
        export_id = export_operations.ask(_order(filters, **reasoned), kind, plain, who(), this_instance(), utc_now())
    except TooManyOpen:
        flash(_("You have as many exports open as one may: fetch one first, or wait until one expires."), "warning")
        return redirect(url_for("exports.index"), 303)
    return redirect(url_for("exports.show", id=export_id), 303)


@bp.get("/history/exports")
def index() -> Page:
    """One's own exports and, for whoever may approve, those that wait."""
    rows = export_queries.listed(_reader())
    return render_template("history/exports.html", rows=rows, states=STATES), 200


@bp.get("/history/exports/<int:id>")
def show(id: int) -> Page:
    """One export: what was asked for, and how far it is."""
    export = export_queries.visible(id, _reader()) or abort(404)
    return _shown(export, _decision(export), 200)


@bp.post("/history/exports/<int:id>/decide")
def decide(id: int) -> Page:
    """Approves or declines a plaintext export that somebody else asked for."""
    export = export_queries.visible(id, _reader()) or abort(404)
    size = _size(export)
    form = DecisionForm(utc_now(), size)
    if not form.validate_on_submit() or not form.proven():
        return _shown(export, form, 422)
    try:
        export_operations.decide(id, approve=form.decision.data == "approve", who=who(), now=utc_now(), size=size)
    except OwnExport:
        flash(_("Nobody approves what they asked for themselves: another admin or auditor may."), "warning")
    except DecidedAlready:
        flash(_("This export does not wait for a decision any more."), "warning")
    return redirect(url_for("exports.show", id=id), 303)


@bp.post("/history/exports/<int:id>/fetch")
def fetch(id: int) -> Page:
    """The prepared file, for its owner: gone once it was sent whole."""
    try:
        export = export_fetching.fetch(id, who(), this_instance(), utc_now())
    except NotThere:
        flash(_("There is no such file any more: it was fetched, or has expired. Ask for it anew."), "warning")
        return redirect(url_for("exports.index"), 303)
    sent = export_fetching.sent(export, who(), this_instance())
    return _attached(stream_with_context(sent), export.format, f"-{id}")


def _filters() -> HistoryForm | None:
    """The sound filters of the address; None where one is wrong, which a link of ours never is."""
    form = HistoryForm(request.args)
    form.offer(_reader(), str(get_locale()))
    return form if form.validate() else None


def _kind(text: str) -> FileFormat:
    try:
        return FileFormat(text)
    except ValueError:
        abort(400, _("A file is asked for as csv or xlsx."))


def _order(form: HistoryForm, **reasoned: str) -> Order:
    return Order(form.filters(), str(get_locale()), **reasoned)


def _set(form: HistoryForm) -> Set:
    return Set(form.filters(), current_user.id, this_instance(), utc_now())


def _masked(found: Set, kind: FileFormat) -> Iterator[bytes]:
    writer, zone = file_of(kind), found.instance.settings.zone
    words = wording(writer.cell, found.instance, plain=False, locale=str(get_locale()))
    return export_streaming.stream(found, words, writer, heading(plain=False, zone=zone), who())


def _attached(pieces: Iterator[bytes], kind: FileFormat, mark: str = "") -> Response:
    day = day_of(utc_now(), this_instance().settings.zone)
    name = {"Content-Disposition": f'attachment; filename="yuliang-history-{day}{mark}.{kind}"'}
    return Response(pieces, mimetype=None, content_type=file_of(kind).media_type, headers=name)


def _choose(
    filters: HistoryForm | None, status: int, *, form: PlaintextForm | PrepareForm | None = None,
    too_many: FileFormat | None = None,
) -> Page:  # fmt: skip
    """`filters` None: they cannot be read, nothing is offered. `form`: the one that was refused."""
    plaintext = None
    if export_operations.may_own(_reader(), plain=True):
        plaintext = form if isinstance(form, PlaintextForm) else PlaintextForm(utc_now())
    chosen = _chosen(filters, filters.filters()) if filters else []
    size = size_of(filters.filters(), current_user.id, this_instance(), utc_now()) if filters and plaintext else None
    shown = {
        "size": size and size_text(size),
        "filters": filters,
        "chosen": chosen,
        "plaintext": plaintext,
        "too_many": too_many,
        "most": MOST,
    }
    return render_template("history/export.html", **shown, here=dict(page_parts.kept())), status


def _decision(export: Export) -> DecisionForm | None:
    """The form for whoever may decide."""
    size = _size(export)
    return DecisionForm(utc_now(), size) if size and export.owner_id != current_user.id else None


def _size(export: Export) -> Size | None:
    """Of a plaintext file that waits for its approver."""
    if export.state != ExportState.ASKED or export.ends_at <= utc_now():
        return None
    order = export_operations.order_of(export, this_instance())
    return size_of(order.filters, export.owner_id, this_instance(), export.asked_at)


def _shown(export: Export, form: DecisionForm | None, status: int) -> Page:
    order = export_operations.order_of(export, this_instance()) if export.sealed_order else None
    size = _size(export)
    shown: dict[str, Any] = {"export": export, "order": order, "form": form, "size": size and size_text(size)}
    if order is not None:
        filters = HistoryForm(order.address())
        filters.offer(export.owner, str(get_locale()))
        shown["chosen"] = _chosen(filters, order.filters)
    shown["refused"] = export.state in export_fetching.WHOLE and not export_operations.may_have(export)
    shown["maker"] = form is not None and is_accounts_maker(export.owner_id, current_user.id, utc_now())
    return render_template("history/export_one.html", **shown, states=STATES, reasons=REASONS), status


def _chosen(form: HistoryForm, filters: Filters) -> list[tuple[str, str]]:
    """Label and value of each filter in force, in words; a search is masked."""
    search = [(_("Search"), masked(filters.search))] if filters.search else []
    given = [(form[name], form[name].data) for name in NAMES if form[name].data]
    return search + [(str(field.label.text), str(_choices(field).get(value, value))) for field, value in given]


def _choices(field: Field) -> dict[object, object]:
    return dict(getattr(field, "choices", None) or ())


def _reader() -> User:
    user: User = current_user._get_current_object()
    return user
