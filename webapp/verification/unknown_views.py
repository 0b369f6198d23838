"""The unknown desk: every call of which nobody knows whether it was charged, until an admin settles it."""

from __future__ import annotations

from typing import Any

from babel.dates import format_timedelta
from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.usage import queries as usage
from webapp.vendor.texts import CAUSES
from webapp.verification import queries, settling
from webapp.verification.models import Decision, Settlement, Verification
from webapp.verification.purpose_forms import SettleForm
from webapp.verification.settling import SettledAlready
from webapp.verification.texts import DECISIONS

bp = Blueprint("unknowns", __name__, url_prefix="/unknowns")


@bp.get("")
def index() -> tuple[str, int]:
    """All that is open, oldest first, each with its form."""
    return _page(None, None, 200)


@bp.post("/<int:id>/settle")
def settle(id: int) -> tuple[str, int] | Response:
    """Settles one."""
    form, row = SettleForm(), queries.any_verification(id)
    if row is None:
        abort(404)
    if not form.validate_on_submit():
        return _page(id, form, 422)
    try:
        settling.settle(id, Decision(form.decision.data), form.reason.data or "", who(), this_instance(), utc_now())
        decided = DECISIONS[form.decision.data]
        flash(_("Verification %(id)s is settled: %(decision)s.", id=id, decision=decided), "success")
    except SettledAlready:
        flash(_("Verification %(id)s is not open any more: somebody was quicker.", id=id), "warning")
    return redirect(url_for("unknowns.index"), 303)


def _page(faulty: int | None, form: SettleForm | None, status: int) -> tuple[str, int]:
    """`form` belongs to the row `faulty` and shows what is wrong."""
    found = settling.open_ones()
    decided = settling.decisions([row.id for row in found])
    lots = {lot.id: lot for lot in quota.lots_by_id(sorted({row.lot_id for row in found if row.lot_id}))}
    rows = [_row(row, decided.get(row.id), lots.get(row.lot_id or 0)) for row in found]
    shown = {"rows": rows, "total": usage.unknown_calls(), "decisions": DECISIONS, "faulty": faulty, "form": form}
    return render_template("verification/unknowns.html", **shown), status


def _row(row: Verification, decided: Settlement | None, lot: Lot | None) -> dict[str, Any]:
    price = round(lot.price_fen / lot.calls) if lot is not None and lot.price_fen else None
    age = format_timedelta(utc_now() - row.created_at, locale=get_locale() or "en")
    return {
        "id": row.id, "at": row.created_at, "age": age,
        "operator": row.operator.name, "purpose": row.purpose.name_in(str(get_locale())),
        "cause": CAUSES.get(row.cause or "", row.cause or ""), "request_id": row.request_id,
        "lot_id": row.lot_id, "price_fen": price, "decided": decided,
    }  # fmt: skip
