"""The page that begins with what the vendor's console shows."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import number
from webapp.reconciliation import opening
from webapp.reconciliation.forms import OpeningForm
from webapp.reconciliation.opening import LotsStand

bp = Blueprint("opening", __name__, url_prefix="/quota/opening")


@bp.get("")
def show() -> str:
    """The form: used, total, last valid day."""
    return _page(OpeningForm())


@bp.post("")
def begin() -> tuple[str, int] | Response:
    """Records one lot and the reading it came from."""
    form, instance, now = OpeningForm(), this_instance(), utc_now()
    today = day_of(now, instance.settings.zone)
    if not form.validate_on_submit() or not form.lasts(today):
        return _page(form), 422
    try:
        lot = opening.record(form.purchase(today), who(), instance, now, again=bool(form.again.data))
    except LotsStand as standing:
        form.ask_again(standing.calls)
        return _page(form), 422
    said = _("The books begin: %(left)s of %(calls)s calls are left.", left=number(lot.available),
             calls=number(lot.calls))  # fmt: skip
    flash(said, "success")
    return redirect(url_for("quota.index"), 303)


def _page(form: OpeningForm) -> str:
    return render_template("reconciliation/opening.html", form=form)
