"""An operator's shift declarations."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.verification import declarations, queries
from webapp.verification.purpose_forms import ShiftForm

bp = Blueprint("shifts", __name__, url_prefix="/verify/declaration")


@bp.get("")
def index() -> tuple[str, int]:
    """The declarations in force, and the form for one."""
    return _page(_form(), 200)


@bp.post("")
def declare() -> tuple[str, int] | Response:
    """Puts a declaration in force."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form, 422)
    declarations.declare(form.declared(), who(), utc_now())
    flash(_("The declaration is in force. Children under 14 are still asked for one by one."), "success")
    return redirect(url_for("verification.verify"), 303)


@bp.post("/<int:purpose_id>/end")
def end(purpose_id: int) -> Response:
    """Ends the declaration for a purpose."""
    declarations.end(purpose_id, who(), utc_now())
    flash(_("The declaration has ended."), "success")
    return redirect(url_for("shifts.index"), 303)


def _form() -> ShiftForm:
    form = ShiftForm()
    form.offer(queries.active_purposes(), str(get_locale()))
    return form


def _page(form: ShiftForm, status: int) -> tuple[str, int]:
    names = {purpose.id: purpose.name_in(str(get_locale())) for purpose in queries.all_purposes()}
    standing = declarations.standing(current_user.id, utc_now()).values()
    return render_template("verification/declaration.html", form=form, standing=standing, names=names), status
