"""The admins' page of caps and the floor."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.accounts import queries as accounts
from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.verification import caps
from webapp.verification.cap_forms import CapForm, FloorForm
from webapp.verification.cap_rules import CapKind, Whom
from webapp.verification.texts import CAP_KINDS, SOURCES

bp = Blueprint("caps", __name__, url_prefix="/settings/caps")

Page = str | tuple[str, int] | Response


@bp.get("")
def index() -> Page:
    """Every cap with what is used of it today, and the floor beside what is left."""
    return _page(_form(), FloorForm(data={"kept": caps.floor()}))


@bp.post("")
def save() -> Page:
    """Sets a cap, or changes it."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form, FloorForm(data={"kept": caps.floor()})), 422
    with transaction():
        caps.set_cap(form.chosen(), form.calls.data, who(), utc_now())
    return _done(_("The cap is in force."))


@bp.post("/floor")
def keep_back() -> Page:
    """Keeps calls for the desk; none with 0."""
    form = FloorForm()
    if not form.validate_on_submit():
        return _page(_form(), form), 422
    with transaction():
        caps.set_cap(caps.DESK_FLOOR, form.kept.data or None, who(), utc_now())
    return _done(_("The floor is in force."))


@bp.post("/<kind>/<of>/remove")
def remove(kind: str, of: str) -> Page:
    """Takes a cap away."""
    there = {(str(cap.kind), cap.of) for cap in caps.all_caps()}
    if (kind, of) not in there:
        abort(404)
    with transaction():
        caps.set_cap(Whom(CapKind(kind), of), None, who(), utc_now())
    return _done(_("The cap is gone."))


def _done(text: str) -> Response:
    flash(text, "success")
    return redirect(url_for("caps.index"), 303)


def _form() -> CapForm:
    form = CapForm()
    form.offer(accounts.users(), accounts.departments())
    return form


def _page(form: CapForm, floor_form: FloorForm) -> str:
    zone = this_instance().settings.zone
    today = day_of(utc_now(), zone)
    daily = [(Whom(CapKind(cap.kind), cap.of), cap) for cap in caps.all_caps() if cap.kind != CapKind.FLOOR]
    rows: list[dict[str, Any]] = [
        {"kind": whom.kind.value, "of": whom.of, "kind_label": CAP_KINDS[whom.kind], "calls": cap.calls,
         "name": SOURCES.get(whom.of) if whom.kind == CapKind.SOURCE else caps.name_of(whom),
         "used": caps.used_on(today, whom, zone), "changed_at": cap.changed_at}
        for whom, cap in daily
    ]  # fmt: skip
    remaining = quota.valid_supply(today)[0]
    return render_template("verification/caps.html", form=form, floor_form=floor_form, rows=rows, remaining=remaining)
