"""Saved views of the history: the list, saving what is shown, opening, renaming, sharing, deleting."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.accounts.models import User
from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.history import page_parts, saved_operations, search_operations
from webapp.history.forms import HistoryForm
from webapp.history.saved_forms import SHARED_WITH, SavedViewForm
from webapp.history.saved_models import SavedView
from webapp.history.saved_operations import Content, TooMany

bp = Blueprint("saved", __name__, url_prefix="/history/views")

Page = tuple[str, int] | Response


@bp.get("")
def index() -> Page:
    """The views that one may open; filters in the address can be saved as one more."""
    return _page(_form(), 200)


@bp.post("")
def save() -> Page:
    """Saves filters, and the search where there is one, under a name."""
    filters = _filters()
    form = _form(None if filters.errors else filters.filters().search)
    if filters.errors or not form.validate_on_submit():
        return _page(form, 422)
    kept = {name: value for name, value in page_parts.kept() if name != "s"}
    content = Content(form.name.data or "", kept, filters.filters().search)
    try:
        saved_operations.save(content, form.role(), who(), this_instance(), utc_now())
    except TooMany:
        flash(
            _("You have %(most)d views, which is all one may: delete one first.", most=saved_operations.MOST), "warning"
        )
        return redirect(url_for("saved.index"), 303)
    flash(_("The view is saved."), "success")
    return redirect(url_for("saved.index"), 303)


@bp.post("/<int:id>/open")
def open_view(id: int) -> Page:
    """Leads to the history as the view has it; its search is the reader's own from now on."""
    content = saved_operations.use(_visible(id), this_instance(), utc_now())
    handle = search_operations.search(content.search, who(), this_instance(), utc_now()) if content.search else None
    address: dict[str, Any] = dict(content.filters)
    return redirect(url_for("history.index", **address, s=handle), 303)


@bp.get("/<int:id>")
def edit(id: int) -> Page:
    """The form that renames a view, or shares it with others."""
    view, form = _changeable(id), _form()
    form.name.data = saved_operations.content_of(view, this_instance()).name
    if "shared_with" in form:
        form.shared_with.data = view.shared_with or ""
    return render_template("history/saved_form.html", form=form, view=view), 200


@bp.post("/<int:id>")
def change(id: int) -> Page:
    """Renames a view, or shares it with others."""
    view = _changeable(id)
    form = _form(saved_operations.content_of(view, this_instance()).search)
    if not form.validate_on_submit():
        return render_template("history/saved_form.html", form=form, view=view), 422
    saved_operations.change(view, form.name.data or "", form.role(), who(), this_instance(), utc_now())
    flash(_("The view is changed."), "success")
    return redirect(url_for("saved.index"), 303)


@bp.post("/<int:id>/delete")
def delete(id: int) -> Page:
    """Deletes a view."""
    saved_operations.remove(_changeable(id), who(), utc_now())
    flash(_("The view is deleted."), "success")
    return redirect(url_for("saved.index"), 303)


def _reader() -> User:
    user: User = current_user._get_current_object()
    return user


def _visible(view_id: int) -> SavedView:
    return saved_operations.visible(view_id, _reader()) or abort(404)


def _changeable(view_id: int) -> SavedView:
    view = _visible(view_id)
    return view if saved_operations.may_change(view, _reader()) else abort(403)


def _form(search: str | None = None) -> SavedViewForm:
    form = SavedViewForm()
    form.offer(_reader(), search)
    return form


def _filters() -> HistoryForm:
    form = HistoryForm(MultiDict(page_parts.kept()))
    form.offer(_reader(), str(get_locale()))
    form.validate()
    return form


def _page(form: SavedViewForm, status: int) -> Page:
    filters, reader = _filters(), _reader()
    rows = [
        (one, saved_operations.may_change(one.view, reader)) for one in saved_operations.listed(reader, this_instance())
    ]
    shown = {"filters": filters, "chips": page_parts.chips(filters), "kept": page_parts.kept()}
    return render_template("history/saved.html", rows=rows, form=form, roles=SHARED_WITH, **shown), status
