"""The admins' list of purposes."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.verification import purposes, queries
from webapp.verification.purpose_forms import EditPurposeForm, PurposeForm
from webapp.verification.purposes import LastPurpose, NameTaken
from webapp.verification.texts import LEGAL_BASES

bp = Blueprint("purposes", __name__, url_prefix="/settings/purposes")

Page = str | tuple[str, int] | Response


@bp.get("")
def index() -> Page:
    """Every purpose, also those no longer chosen."""
    rows = queries.all_purposes()
    return render_template("verification/purposes.html", purposes=rows, bases=LEGAL_BASES)


@bp.get("/new")
def new() -> Page:
    """The form for a purpose."""
    return _page(PurposeForm(), 200)


@bp.post("/new")
def add() -> Page:
    """Adds a purpose."""
    form = PurposeForm()
    if form.validate_on_submit():
        try:
            with transaction():
                purposes.add(form.terms(), who(), utc_now())
            return _stored()
        except NameTaken:
            form.name_zh.errors = [_("Another purpose has one of these names.")]
    return _page(form, 422)


@bp.get("/<int:id>")
def edit(id: int) -> Page:
    """The form that changes a purpose."""
    return _page(EditPurposeForm(obj=queries.purpose(id) or abort(404)), 200, id)


@bp.post("/<int:id>")
def change(id: int) -> Page:
    """Changes a purpose for what is verified from now on."""
    form = EditPurposeForm()
    if queries.purpose(id) is None:
        abort(404)
    if form.validate_on_submit():
        try:
            with transaction():
                purposes.change(id, form.terms(), who(), utc_now())
            return _stored()
        except NameTaken:
            form.name_zh.errors = [_("Another purpose has one of these names.")]
        except LastPurpose:
            form.active.errors = [_("One purpose must stay in use, or nobody could be verified.")]
    return _page(form, 422, id)


def _stored() -> Response:
    flash(_("The purpose is stored. It holds for what is verified from now on."), "success")
    return redirect(url_for("purposes.index"), 303)


def _page(form: PurposeForm, status: int, id: int | None = None) -> tuple[str, int]:
    return render_template("verification/purpose_form.html", form=form, purpose_id=id), status
