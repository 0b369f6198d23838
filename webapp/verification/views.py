"""The desk: ask about a person, see what came of it."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.models import Role
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.limits import Subject
from webapp.foundation.redaction import conceal
from webapp.vendor.calling import Vendor
from webapp.vendor.contract import Outcome
from webapp.verification import cards, form_page, identities, operations, privacy, queries, refusals, reuse, settling
from webapp.verification.caps import CapReached, tell_admins
from webapp.verification.forms import VerifyForm
from webapp.verification.limits import LimitReached
from webapp.verification.operations import AlreadySending
from webapp.verification.refusals import REFUSALS, Refusal
from webapp.verification.reuse import RecentResult
from webapp.verification.tokens import Replayed

bp = Blueprint("verification", __name__)

Page = str | tuple[str, int] | Response


@bp.get("/verify")
def verify() -> Page:
    """The empty form."""
    return form_page.draw(form_page.fresh(), None, 200)


@bp.post("/verify")
def submit() -> Page:
    """Checks the form for free, looks for a recent result, then spends one call."""
    form = form_page.fresh()
    conceal(form.name.data or "", form.id_number.data or "", form.reference.data or "")
    if not form.validate_on_submit():
        _record_blocked(form)
        return form_page.draw(form, cards.blocked(_("please mend the marked fields.")), 422)
    try:
        return redirect(_ask(form), 303)
    except Replayed as first:
        return redirect(_place(first.verification_id, first.reuse_id), 303)
    except REFUSALS as refusal:
        return _refused(form, refusal)


def _ask(form: VerifyForm) -> str:
    """Where what came of it is shown. Raises `Replayed` and what is in `REFUSALS`."""
    instance, vendor = this_instance(), cast(Vendor, current_app.extensions["vendor"])
    asked = form.asked(current_user.id, instance.sealer)
    try:
        return _place(operations.verify(asked, who(), instance, vendor.ready()), None)
    except RecentResult as recent:
        return _place(None, reuse.show(recent.verification_id, asked, who(), instance, utc_now()))


def _place(verification_id: int | None, reuse_id: int | None) -> str:
    if reuse_id is not None:
        return url_for("reuse.show", id=reuse_id)
    return url_for("verification.result", id=verification_id)


@bp.get("/verifications/<int:id>")
def result(id: int) -> Page:
    """One result: in full to its operator for ten minutes, else masked; every view is recorded."""
    row = queries.visible(id, current_user)
    if row is None:
        abort(404)
    now, sealer = utc_now(), this_instance().sealer
    full = cards.readable(row, current_user.id, now)
    with transaction():
        append(who(), Action.VERIFICATION_VIEWED, now, on=("verification", row.id), full=full)
    person = identities.open_person(row.id, sealer)
    if person:
        conceal(person.name, person.number, person.reference)
    kept = current_user.role == Role.ADMIN
    decided = settling.decisions([row.id]).get(row.id) if row.outcome == Outcome.UNKNOWN else None
    card = cards.card(row, person, full=full, locale=str(get_locale()), kept=kept, decided=decided)
    left = full and cards.seconds_left(row.created_at, now)
    return render_template("verification/result.html", card=card, readable=left)


@bp.get("/verifications/<int:id>/edit")
@bp.post("/verifications/<int:id>/edit")
def edit(id: int) -> Page:
    """One's own result, back in the form to be mended: for as long as it is read in full. The form has an address of
    its own, for the back button and for another language."""
    row = queries.visible(id, current_user) or abort(404)
    if request.method == "POST":
        return redirect(url_for("verification.edit", id=row.id), 303)
    now = utc_now()
    person = identities.open_person(row.id, this_instance().sealer)
    if person is None or not cards.readable(row, current_user.id, now):
        return form_page.too_late()
    conceal(person.name, person.number, person.reference)
    with transaction():
        append(who(), Action.VERIFICATION_VIEWED, now, on=("verification", row.id), full=True)
    return form_page.mending(person, row.purpose_id, person.reference)


def _record_blocked(form: VerifyForm) -> None:
    """What was blocked leaves which fields were wrong, never what stood in them."""
    with transaction():
        append(who(), Action.VERIFICATION_BLOCKED, utc_now(), success=False, fields=" ".join(form.errors))


def _refused(form: VerifyForm, error: Refusal) -> Page:
    """The page that says why no call was sent. The very same question under way is shown instead."""
    if isinstance(error, AlreadySending) and _asks_the_same(error, form):
        return redirect(_place(error.verification_id, None), 303)
    refused, now, instance = refusals.describe(error, current_user.id), utc_now(), this_instance()
    with transaction():
        # Someone who tries out numbers runs into limits: the trail must show it.
        append(who(), Action.VERIFICATION_BLOCKED, now, success=False, why=refused.why)
        if isinstance(error, LimitReached) and error.limit.subject == Subject.NAME:
            privacy.report_limit(form.name.data or "", error.limit.most, instance.sealer, instance.settings.zone, now)
        elif isinstance(error, CapReached):
            tell_admins(error, instance.settings.zone, now)
    card = cards.blocked(refused.reason, refused.advice)
    return form_page.draw(form, card, refused.status, again=refused.again)


def _asks_the_same(twin: AlreadySending, form: VerifyForm) -> bool:
    """Whether the call under way, one that the asker may see, is for the same purpose and reference too."""
    row = queries.visible(twin.verification_id, current_user)
    if row is None or row.purpose_id != form.purpose.data:
        return False
    person = identities.open_person(row.id, this_instance().sealer)
    return person is not None and person.reference == (form.reference.data or "")
