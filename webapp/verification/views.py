"""The desk: ask about a person, see what came of it."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.models import Role
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import when
from webapp.foundation.redaction import conceal
from webapp.vendor.calling import Vendor
from webapp.verification import cards, identities, operations, queries
from webapp.verification.forms import VerifyForm
from webapp.verification.limits import LimitReached

bp = Blueprint("verification", __name__)

Page = str | tuple[str, int] | Response


@bp.get("/verify")
def verify() -> Page:
    """The empty form."""
    return _page(_form(), None, 200)


@bp.post("/verify")
def submit() -> Page:
    """Checks the form for free, then spends one call."""
    form = _form()
    conceal(form.name.data or "", form.id_number.data or "", form.reference.data or "")
    if not form.validate_on_submit():
        _record_blocked(form)
        return _page(form, cards.blocked(_("please mend the marked fields.")), 422)
    vendor: Vendor = current_app.extensions["vendor"]
    try:
        made = operations.verify(form.asked(), who(), this_instance(), vendor.verify)
    except LimitReached as reached:
        return _page(form, cards.blocked(_limit_text(reached)), 429)
    except operations.AlreadySending as twin:
        return _under_way(form, twin.verification_id)
    except operations.NotRecorded as lost:
        flash(_("The call was sent, but its outcome could not be stored. It will be shown as unknown."), "danger")
        made = lost.verification_id
    return redirect(url_for("verification.result", id=made), 303)


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
    card = cards.card(row, person, full=full, locale=str(get_locale()), kept=kept)
    return render_template("verification/result.html", card=card, readable=full)


def _form() -> VerifyForm:
    form = VerifyForm()
    today = day_of(utc_now(), this_instance().settings.zone)
    form.offer(queries.active_purposes(), str(get_locale()), today)
    return form


def _page(form: VerifyForm, blocked: cards.Card | None, status: int) -> tuple[str, int]:
    can_call = current_app.extensions["vendor"].has_appcode()
    return render_template("verification/verify.html", form=form, blocked=blocked, can_call=can_call), status


def _record_blocked(form: VerifyForm) -> None:
    """What was blocked leaves which fields were wrong, never what stood in them."""
    with transaction():
        append(who(), Action.VERIFICATION_BLOCKED, utc_now(), success=False, fields=" ".join(form.errors))


def _limit_text(reached: LimitReached) -> str:
    until = when(reached.until)
    match reached.limit.subject:
        case "operator":
            return _("you have reached your limit of calls. The next one is possible at %(until)s.", until=until)
        case "number":
            return _("this number was verified too often. The next time is possible at %(until)s.", until=until)
        case _other:
            return _("too many numbers were tried for this name. The next one is possible at %(until)s.", until=until)


def _under_way(form: VerifyForm, verification_id: int) -> Page:
    """The same person is being asked about: one's own call is shown, a colleague's is only named."""
    if queries.visible(verification_id, current_user) is not None and current_user.role != Role.AUDITOR:
        return redirect(url_for("verification.result", id=verification_id), 303)
    reason = _("a colleague is verifying this person at this moment. Try again in a minute.")
    return _page(form, cards.blocked(reason), 409)
