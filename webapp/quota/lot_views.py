"""A lot's own page, and what people do to a lot: correct, change its facts, close, reopen, give it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts import queries as accounts
from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.audit.trail import Who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import number, yuan
from webapp.quota import closing, covering, ledger, operations, queries
from webapp.quota.covering import CannotCarry, NotValidThen, Offer
from webapp.quota.entry_table import entry_rows
from webapp.quota.forms import CorrectForm, CoverForm, FactsForm, ReasonForm, RefundForm, shown_fields
from webapp.quota.ledger import LotClosed, NotSoMany, TooMany
from webapp.quota.lot_table import lot_row
from webapp.quota.models import Lot
from webapp.quota.operations import MoreThanPaid, NoPrice, NotClosed, SameOrder

bp = Blueprint("lots", __name__, url_prefix="/quota/lots/<int:id>")

SIZE = 50
REFUSALS = (CannotCarry, NotValidThen, SameOrder, NotSoMany, TooMany, NoPrice, MoreThanPaid, LotClosed, NotClosed)
Answer = tuple[str, int] | Response


@bp.get("")
def show(id: int) -> str:
    """The lot's facts and figures, and its entries, the newest first."""
    lot, before = _lot(id), request.args.get("before", "")
    if before and (not before.isascii() or not before.isdigit() or len(before) > 18):
        abort(400)
    may_change = may(current_user.role, "lots.change")
    entries, closed = queries.entries_of(id, int(before) if before else None, SIZE), closing.of_lot(id)
    people = {user.id: user.name for user in accounts.users()}
    return render_template(
        "quota/lot.html", lot=lot_row(lot, _now()[0]), entries=entry_rows(entries[:SIZE]),
        recorded=(lot.recorded_at, people.get(lot.recorded_by or 0, "")), is_first_page=not before,
        further=entries[SIZE - 1].id if len(entries) > SIZE else None, may_change=may_change,
        can_carry=covering.offer(lot, _now()[0]).most if may_change else 0,
        closed=closed, gone=closed.holds + closed.charges + closed.releases if closed else 0,
        may_read_ledger=may(current_user.role, "ledger.index"),
    )  # fmt: skip


@bp.get("/correct")
@bp.post("/correct")
def correct(id: int) -> Answer:
    """More or fewer calls than were recorded."""
    form = CorrectForm()

    def act(_today: date, now: datetime) -> str:
        left = ledger.correct(id, form.change.data or 0, form.reason.data or "", who(), now)
        return _("The lot is corrected: %(calls)s calls are left.", calls=number(left))

    return _answer("correct", _lot(id), form, act)


@bp.get("/cover")
@bp.post("/cover")
def cover(id: int) -> Answer:
    """Books uncovered calls on the lot."""
    lot = _lot(id)
    offer = covering.offer(lot, _now()[0])
    if request.method == "POST":
        form = CoverForm()
    else:
        form = CoverForm(calls=offer.usual or None, reason=_("The vendor took them from this lot"))

    def act(_today: date, now: datetime) -> str:
        calls = form.calls.data or 0
        left = covering.cover(id, calls, form.reason.data or "", who(), now, outside=bool(form.outside.data))
        return ngettext(
            "%(num)s call is booked on this lot: %(left)s are left.",
            "%(num)s calls are booked on this lot: %(left)s are left.", calls, left=number(left),
        )  # fmt: skip

    return _answer("cover", lot, form, act, offer=offer)


@bp.get("/change")
@bp.post("/change")
def change(id: int) -> Answer:
    """What the papers of the lot really say."""
    lot = _lot(id)
    form = FactsForm() if request.method == "POST" else FactsForm.of(lot)

    def act(today: date, now: datetime) -> str:
        changed = operations.change_facts(id, form.facts(), form.reason.data or "", who(), today, now,
                                          again=bool(form.again.data))  # fmt: skip
        return _("The facts of the lot are changed.") if changed else _("Nothing was different.")

    return _answer("change", lot, form, act)


@bp.get("/close")
@bp.post("/close")
def close(id: int) -> Answer:
    """Nothing is drawn from the lot any more, and the rest is written off."""
    return _for_a_reason("close", id, operations.close, _l("The lot is closed: %(calls)s calls were written off."))


@bp.get("/reopen")
@bp.post("/reopen")
def reopen(id: int) -> Answer:
    """Takes the closing back."""
    refunded = _lot(id).refunded_fen
    stands = _("The refund of %(amount)s stands: the calls given back stay with the vendor.", amount=yuan(refunded))
    said = _l("The lot is open again: %(calls)s calls came back.")
    return _for_a_reason("reopen", id, operations.reopen, said, stands if refunded else "")


@bp.get("/refund")
@bp.post("/refund")
def refund(id: int) -> Answer:
    """What is left goes back to the vendor for money."""
    lot = _lot(id)
    form = RefundForm() if request.method == "POST" else RefundForm(calls=lot.available)

    def act(today: date, now: datetime) -> str:
        operations.refund(id, form.calls.data or 0, form.fen, form.reason.data or "", who(), today, now)
        return _("%(calls)s calls went back to the vendor.", calls=number(form.calls.data or 0))

    return _answer("refund", lot, form, act)


def _for_a_reason(
    action: str, id: int, operation: Callable[[int, str, Who, date, datetime], int], said: LazyString, besides: str = ""
) -> Answer:
    """An action that asks for nothing but its reason, and tells how many calls it moved."""
    form = ReasonForm()

    def act(today: date, now: datetime) -> str:
        calls = operation(id, form.reason.data or "", who(), today, now)
        return f"{said % {'calls': number(calls)}} {besides}".strip()

    return _answer(action, _lot(id), form, act)


def _answer(action: str, lot: Lot, form: ReasonForm, act: Callable[[date, datetime], str],
            *, offer: Offer | None = None) -> Answer:  # fmt: skip
    """Shows the form, or does what it says and leads back to the lot; what is refused is said beside its field."""
    if form.validate_on_submit():
        try:
            with transaction():
                said = act(*_now())
        except REFUSALS as refused:
            _explain(refused, form, lot.id)
        else:
            flash(said, "success")
            return redirect(url_for("lots.show", id=lot.id), 303)
    page = render_template("quota/lot_action.html", action=action, lot=lot_row(lot, _now()[0]), form=form,
                           fields=shown_fields(form), offer=offer)  # fmt: skip
    return page, 422 if form.errors else 200


def _explain(refused: Exception, form: ReasonForm, lot_id: int) -> None:
    match refused:
        case CannotCarry() if isinstance(form, CoverForm):
            form.calls.errors = [cannot_carry(refused.offer)]
        case NotValidThen() if isinstance(form, CoverForm):
            form.ask_outside(refused.calls)
        case SameOrder() if isinstance(form, FactsForm):
            form.ask_again(refused.other)
        case NotSoMany():
            field = form["calls" if "calls" in form else "change"]
            field.errors = [_("Only %(calls)s calls of this lot are left.", calls=number(_lot(lot_id).available))]
        case TooMany():
            form["change"].errors = [_("A lot has at most %(calls)s calls.", calls=number(ledger.MOST_CALLS))]
        case NoPrice():
            form["amount"].errors = [_("No price of this lot is recorded. Change its facts and enter the price first.")]
        case MoreThanPaid():
            form["amount"].errors = [_("The lot cost less than that.")]
        case LotClosed():
            form.reason.errors = [_("This lot is closed. Reopen it first.")]
        case NotClosed():
            form.reason.errors = [_("This lot is not closed.")]


def cannot_carry(offer: Offer) -> str:
    """Why no more calls can be booked on a lot."""
    if offer.has <= offer.most:
        return _("The lot has %(calls)s calls for that.", calls=number(offer.has))
    if offer.is_over:
        return _("Only %(calls)s uncovered calls were made while this lot was valid.", calls=number(offer.while_valid))
    return _("Only %(calls)s calls are uncovered.", calls=number(offer.uncovered))


def _lot(id: int) -> Lot:
    return next(iter(queries.lots_by_id([id])), None) or abort(404)


def _now() -> tuple[date, datetime]:
    now = utc_now()
    return day_of(now, this_instance().settings.zone), now
