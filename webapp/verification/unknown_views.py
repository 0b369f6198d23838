"""The unknown desk: every call of which nobody knows whether it was charged, until an admin settles it."""

from __future__ import annotations

import re
from typing import Any

from babel.dates import format_timedelta
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.vendor.texts import CAUSES
from webapp.verification import queries, settling, unsettled
from webapp.verification.models import Decision, Settlement, Verification
from webapp.verification.purpose_forms import SettleForm
from webapp.verification.settling import NamesSomeone, SettledAlready
from webapp.verification.texts import DECISIONS, OUTCOMES
from webapp.verification.unsettled import Place

bp = Blueprint("unknowns", __name__, url_prefix="/unknowns")


@bp.get("")
def index() -> tuple[str, int]:
    """A page of all that is open: what is to be decided first, each with its form."""
    return _page(None, None, 200)


@bp.get("/<int:id>/settle")
@bp.post("/<int:id>/settle")
def settle(id: int) -> tuple[str, int] | Response:
    """Settles one. By GET (another language was chosen there, say) it leads back to the page."""
    form, row = SettleForm(), queries.any_verification(id)
    if row is None:
        abort(404)
    if request.method != "POST":
        return redirect(url_for("unknowns.index", **_here()), 303)
    if not form.validate_on_submit():
        return _page(id, form, 422)
    try:
        settling.settle(id, Decision(form.decision.data), form.reason.data or "", who(), this_instance(), utc_now())
        decided = DECISIONS[form.decision.data]
        flash(_("Verification %(id)s is settled: %(decision)s.", id=id, decision=decided), "success")
    except NamesSomeone:
        form.reason.errors = [_("Leave names and numbers of people out of the reason.")]
        return _page(id, form, 422)
    except SettledAlready:
        flash(_("Verification %(id)s is not open any more: somebody was quicker.", id=id), "warning")
    return redirect(url_for("unknowns.index", **_here()), 303)


def _page(faulty: int | None, form: SettleForm | None, status: int) -> tuple[str, int]:
    """`form` belongs to the row `faulty` and shows what is wrong."""
    page = unsettled.page(_start())
    decided = settling.decisions([row.id for row in page.rows])
    lots = {lot.id: lot for lot in quota.lots_by_id(sorted({row.lot_id for row in page.rows if row.lot_id}))}
    rows = [_row(row, decided.get(row.id), lots.get(row.lot_id or 0)) for row in page.rows]
    shown = {"rows": rows, "held": unsettled.held(), "decisions": DECISIONS, "faulty": faulty, "form": form,
             "here": _here(), "following": _address(page.following)}  # fmt: skip
    return render_template("verification/unknowns.html", **shown), status


def _start() -> Place | None:
    """Where the page begins, by its address: `from`, a verification, and on which side of `asked` it stood."""
    number = _here().get("from")
    if number is None:
        return None
    side = {"yes": True, "no": False}.get(request.args.get("asked", ""))
    return unsettled.place(int(number), side) or abort(404)


def _here() -> dict[str, Any]:
    """The place in the address, as far as it is one of ours."""
    given = {name: request.args[name] for name in ("from", "asked") if name in request.args}
    return given if re.fullmatch(r"[0-9]{1,18}", given.get("from", "")) else {}


def _address(following: Place | None) -> str:
    if following is None:
        return ""
    place: dict[str, Any] = {"from": following.row.id, "asked": "yes" if following.asked_again else "no"}
    return url_for("unknowns.index", **place)


def _row(row: Verification, decided: Settlement | None, lot: Lot | None) -> dict[str, Any]:
    price = round(lot.price_fen / lot.calls) if lot is not None and lot.price_fen else None
    age = format_timedelta(utc_now() - row.created_at, locale=get_locale() or "en")
    return {
        "id": row.id, "at": row.created_at, "age": age,
        "operator": row.operator.name, "purpose": row.purpose.name_in(str(get_locale())),
        "cause": CAUSES.get(row.cause or "", OUTCOMES[row.outcome].label), "request_id": row.request_id,
        "lot_id": row.lot_id, "lot": lot.name if lot else "", "price_fen": price, "decided": decided,
    }  # fmt: skip
