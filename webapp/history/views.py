"""What was verified: searched, filtered, newest first, masked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.history import page_parts, page_rows, queries, search_operations
from webapp.history.filters import BadCursor, Cursor
from webapp.history.forms import SIZE, HistoryForm, SearchForm
from webapp.history.page_rows import Shown
from webapp.history.queries import Page
from webapp.history.search_limits import TooManySearches
from webapp.history.search_texts import too_many

bp = Blueprint("history", __name__)


@bp.get("/history")
def index() -> tuple[str, int]:
    """One page of verifications, masked; the view is recorded."""
    if "q" in request.args:
        abort(400, _("A search text never stands in an address."))
    form = HistoryForm(request.args)
    form.offer(current_user, str(get_locale()))
    if not form.validate():
        return _render(form, SearchForm(), None), 422
    cursor, size = _cursor(), form.size.data or SIZE
    filters, instance = form.filters(), this_instance()
    page = queries.page(filters, current_user, instance, size, cursor)
    rows = page_rows.shown(page.rows, form, instance)
    with transaction():
        named = " ".join(page_parts.active_names())
        search_operations.record_view(filters, named, [row.id for row in rows], who(), instance, utc_now())
    return _render(form, SearchForm(), page, rows, cursor), 200


@bp.post("/history")
def search() -> Response | tuple[str, int]:
    """Keeps what was searched for sealed under a handle, which is all that stands in the address."""
    form = SearchForm()
    kept: dict[str, Any] = {name: value for name, value in page_parts.kept() if name != "s"}
    if not form.validate():
        return _refused(form, kept), 422
    text = (form.q.data or "").strip()
    try:
        handle = search_operations.search(text, who(), this_instance(), utc_now()) if text else None
    except TooManySearches as many:
        form.q.errors = [too_many(many.wait)]
        return _refused(form, kept), 429
    return redirect(url_for("history.index", **kept, s=handle), 303)


def _refused(form: SearchForm, kept: dict[str, Any]) -> str:
    """The page with the filters as they were, and what was typed."""
    filters = HistoryForm(MultiDict(kept))
    filters.offer(current_user, str(get_locale()))
    return _render(filters, form, None)


def _cursor() -> Cursor | None:
    try:
        return Cursor.decode(request.args["after"]) if request.args.get("after") else None
    except BadCursor:
        abort(400, _("This place in the history does not exist. Start again from the newest."))


def _render(
    form: HistoryForm, search: SearchForm, page: Page | None, rows: list[Shown] | None = None,
    cursor: Cursor | None = None,
) -> str:  # fmt: skip
    return render_template(
        "history/index.html",
        form=form,
        search=search,
        rows=rows or [],
        page=page,
        pager=page_parts.pager(page, cursor),
        active=page_parts.chips(form),
        kept=page_parts.kept(),
        unknown=page_parts.unknown_names(),
        sentence=page_parts.sentence(form, page, cursor),
        read_as=page_parts.read_as(form),
    )
