"""The quota page: lots and the newest ledger entries; the form that records a lot; the order in which lots are used."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import of_one_instant, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import day, number
from webapp.quota import covering, drawing, operations, queries
from webapp.quota.catalogue import CATALOGUE
from webapp.quota.drawing_forms import ORDERS, DrawOrderForm
from webapp.quota.entry_table import entry_rows
from webapp.quota.forms import LotForm
from webapp.quota.lot_table import lot_rows
from webapp.quota.operations import SameOrder
from webapp.usage import queries as usage
from webapp.usage.supply_forms import SupplyForm

bp = Blueprint("quota", __name__)


@bp.get("/quota")
@of_one_instant
def index() -> tuple[str, int]:
    """All lots and the newest entries."""
    today = _today()
    shown = SupplyForm.of(request.args, today)
    is_valid = shown.validate()
    page = render_template(
        "quota/index.html",
        balance=queries.balance(today, usage.unknown_calls()),
        lots=lot_rows(today),
        entries=entry_rows(queries.newest_entries()),
        shown=shown,
        order=ORDERS[drawing.order()],
        can_record=may(current_user.role, "quota.new_lot"),
        may_read_ledger=may(current_user.role, "ledger.index"),
        can_reconcile=may(current_user.role, "reconciliation.index"),
    )
    return page, 200 if is_valid else 422


@bp.get("/quota/lots/new")
def new_lot() -> str:
    """The form that records a lot."""
    form = LotForm(bought_on=_today())
    return _lot_page(form)


@bp.post("/quota/lots/new")
def record_lot() -> tuple[str, int] | Response:
    """Records a lot with its purchase entry."""
    form = LotForm()
    if not form.validate_on_submit():
        return _lot_page(form), 422
    try:
        with transaction():
            lot = operations.record(form.purchase(), who(), utc_now(), again=bool(form.again.data))
    except SameOrder as same:
        form.ask_again(same.other)
        return _lot_page(form), 422
    said = _("%(calls)s calls were recorded, valid until %(day)s.", calls=number(lot.calls), day=day(lot.expires_on))
    flash(said, "success")
    if covering.offer(lot, _today()).while_valid:
        return redirect(url_for("lots.cover", id=lot.id), 303)
    return redirect(url_for("quota.index"), 303)


@bp.get("/quota/draw-order")
def draw_order() -> str:
    """The form that sets from which lot calls are taken first."""
    return _order_page(DrawOrderForm(order=drawing.order().value))


@bp.post("/quota/draw-order")
def set_draw_order() -> tuple[str, int] | Response:
    """Sets the order, unless the environment fixes it."""
    form = DrawOrderForm()
    if drawing.DRAW_ORDER in this_instance().settings.given:
        form.order.errors = [_("The environment fixes this setting: change it there.")]
        return _order_page(form), 409
    if not form.validate_on_submit():
        return _order_page(form), 422
    with transaction():
        drawing.switch(form.chosen(), who(), utc_now())
    flash(_("The order holds for calls from now on."), "success")
    return redirect(url_for("quota.index"), 303)


def _order_page(form: DrawOrderForm) -> str:
    return render_template("quota/draw_order.html", form=form)


def _lot_page(form: LotForm) -> str:
    catalogue = [{"calls": calls, "price_fen": price} for calls, price in CATALOGUE]
    return render_template("quota/new_lot.html", form=form, catalogue=catalogue)


def _today() -> date:
    return day_of(utc_now(), this_instance().settings.zone)
