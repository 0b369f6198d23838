"""The page that begins with what the vendor's console shows."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import number
from webapp.quota.operations import SameOrder
from webapp.reconciliation import opening
from webapp.reconciliation.forms import OpeningForm
from webapp.reconciliation.opening import LotsStand
from webapp.reconciliation.package_forms import FEW, MORE, MOST_PACKAGES, PackagesForm

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
        lot = opening.record([form.purchase(today)], who(), instance, now, again=bool(form.again.data))[0]
    except LotsStand as standing:
        form.ask_again(standing.calls)
        return _page(form), 422
    said = _("The books begin: %(left)s of %(calls)s calls are left.", left=number(lot.available),
             calls=number(lot.calls))  # fmt: skip
    flash(said, "success")
    return redirect(url_for("quota.index"), 303)


@bp.get("/packages")
def packages() -> str:
    """The form for packages that end on several days."""
    return _packages_page(PackagesForm())


@bp.post("/packages")
def begin_packages() -> tuple[str, int] | Response:
    """Records a lot of each package and the reading they make; or shows more rows."""
    form, instance, now = PackagesForm(), this_instance(), utc_now()
    if request.form.get("more"):
        return _packages_page(form, len(form.sent) + MORE), 200
    if not form.validate_on_submit():
        return _packages_page(form), 422
    try:
        lots = opening.record(form.purchases(day_of(now, instance.settings.zone)), who(), instance, now,
                              again=bool(form.again.data), same_order=bool(form.same_order.data))  # fmt: skip
    except LotsStand as standing:
        form.ask_again(standing.calls)
        return _packages_page(form), 422
    except SameOrder as same:
        form.ask_same_order(same.other)
        return _packages_page(form), 422
    said = ngettext(
        "The books begin with %(num)s lot: %(left)s of %(calls)s calls are left.",
        "The books begin with %(num)s lots: %(left)s of %(calls)s calls are left.", len(lots),
        left=number(sum(lot.available for lot in lots)), calls=number(sum(lot.calls for lot in lots)),
    )  # fmt: skip
    flash(said, "success")
    return redirect(url_for("quota.index"), 303)


def _packages_page(form: PackagesForm, shown: int = FEW) -> str:
    rows = form.rows[: max(shown, len(form.sent))]
    return render_template("reconciliation/packages.html", form=form, rows=rows, most=MOST_PACKAGES)


def _page(form: OpeningForm) -> str:
    return render_template("reconciliation/opening.html", form=form)
