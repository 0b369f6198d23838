"""The quota page: lots, the newest ledger entries, and the form that records a lot."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts import queries as accounts
from webapp.accounts.models import Role
from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import day, number
from webapp.quota import ledger, queries
from webapp.quota.catalogue import CATALOGUE
from webapp.quota.forms import LotForm
from webapp.quota.lot_table import lot_rows
from webapp.quota.models import EntryKind
from webapp.usage import queries as usage

bp = Blueprint("quota", __name__)

KINDS: dict[str, LazyString] = {
    EntryKind.PURCHASE: lazy_gettext("Purchase"),
    EntryKind.HOLD: lazy_gettext("Hold"),
    EntryKind.CHARGE: lazy_gettext("Charge"),
    EntryKind.RELEASE: lazy_gettext("Release"),
    EntryKind.CORRECTION: lazy_gettext("Correction"),
    EntryKind.LAPSE: lazy_gettext("Lapse"),
}


@bp.get("/quota")
def index() -> str:
    """All lots and the newest entries."""
    today = _today()
    return render_template(
        "quota/index.html",
        balance=queries.balance(today, usage.unknown_calls()),
        lots=lot_rows(today),
        entries=_entry_rows(),
        can_record=may(current_user.role, "quota.new_lot"),
        can_reconcile=may(current_user.role, "reconciliation.index"),
    )


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
    with transaction():
        lot = ledger.record_purchase(form.purchase(), who(), utc_now())
    said = _("%(calls)s calls were recorded, valid until %(day)s.", calls=number(lot.calls), day=day(lot.expires_on))
    flash(said, "success")
    return redirect(url_for("quota.index"), 303)


def _entry_rows() -> list[dict[str, Any]]:
    people = {user.id: user.name for user in accounts.users()}
    opens = current_user.role != Role.OPERATOR  # operators see only their own verifications
    return [
        {"at": entry.at, "kind_label": KINDS[entry.kind], "lot_id": entry.lot_id, "change": entry.change,
         "balance_after": entry.available_after, "actor": people.get(entry.actor_id or 0, ""),
         "verification_id": entry.verification_id, "opens": opens, "reason": entry.reason}
        for entry in queries.newest_entries()
    ]  # fmt: skip


def _lot_page(form: LotForm) -> str:
    catalogue = [{"calls": calls, "price_fen": price} for calls, price in CATALOGUE]
    return render_template("quota/new_lot.html", form=form, catalogue=catalogue)


def _today() -> date:
    return day_of(utc_now(), this_instance().settings.zone)
