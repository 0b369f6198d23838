"""Receipts: issuing one, its page, its sheet of paper, and the public page that proves one."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import conceal
from webapp.receipts import operations, paper, proving, queries, sheet
from webapp.receipts.forms import ProofForm
from webapp.receipts.models import Receipt
from webapp.receipts.operations import Condition, IdentityGone, NothingToProve
from webapp.receipts.proving import Answer, Proof
from webapp.verification import queries as verifications

bp = Blueprint("receipts", __name__)

Page = tuple[str, int] | Response
STATUS = {Answer.TRUE: 200, Answer.NOT_CONFIRMED: 200, Answer.UNDECIDED: 503, Answer.WAIT: 429}


@bp.post("/verifications/<int:id>/receipt")
def issue(id: int) -> Response:
    """Issues the receipt of a result, or finds the one that was."""
    row = verifications.visible(id, current_user) or abort(404)
    try:
        number = operations.issue(row.id, who(), this_instance(), utc_now())
    except (NothingToProve, IdentityGone):
        flash(_("No receipt: it needs a conclusion about a person who was not erased."), "warning")
        return redirect(url_for("verification.result", id=id), 303)
    return redirect(url_for("receipts.show", number=paper.grouped(number)), 303)


@bp.post("/reuses/<int:id>/receipt")
def issue_reused(id: int) -> Response:
    """As `issue`, for a recent result that was shown again."""
    row = verifications.visible_reuse(id, current_user) or abort(404)
    try:
        number = operations.issue_reused(row.id, who(), this_instance(), utc_now())
    except (NothingToProve, IdentityGone):
        flash(_("No receipt: it needs a conclusion about a person who was not erased."), "warning")
        return redirect(url_for("reuse.show", id=id), 303)
    return redirect(url_for("receipts.show", number=paper.grouped(number)), 303)


@bp.get("/receipts/<number>")
def show(number: str) -> Page:
    """A receipt, masked and without its printed code; every view is recorded."""
    receipt = queries.visible(number, current_user) or abort(404)
    return _shown(receipt, Action.RECEIPT_VIEWED, "receipts/show.html")


@bp.get("/receipts/<number>/print")
def print_view(number: str) -> Page:
    """The sheet of paper with its printed code; every look at it is recorded."""
    receipt = queries.visible(number, current_user) or abort(404)
    return _shown(receipt, Action.RECEIPT_PRINTED, "receipts/print.html")


@bp.get("/receipts/verify")
def verify() -> Page:
    """The empty form, for anyone."""
    return _proof(_form(), None, 200)


@bp.post("/receipts/verify")
def prove() -> Page:
    """Says whether a paper is true; nothing of what was entered is kept."""
    form, now = _form(), utc_now()
    conceal(form.name.data or "", form.id_number.data or "", form.secret.data or "")
    if not form.validate_on_submit():
        return _proof(form, None, 422)
    number, secret = form.claimed()
    proof = proving.prove(number, secret, who(), this_instance(), now)
    return _proof(form, proof, STATUS[proof.answer])


def _shown(receipt: Receipt, action: Action, template: str) -> Page:
    instance = this_instance()
    secret = operations.open_secret(receipt, instance)
    condition = operations.condition(receipt, secret, instance)
    sound = condition in (Condition.SOUND, Condition.ERASED)
    if not sound:
        template = "receipts/show.html"  # nothing that cannot be proven goes on paper
    with transaction():
        append(who(), action, utc_now(), on=("verification", receipt.verification_id), success=sound,
               receipt=paper.grouped(receipt.number))  # fmt: skip
    described = sheet.describe(receipt, secret, str(get_locale()))
    may_print = sound and may(current_user.role, "receipts.print_view")
    shown = render_template(template, sheet=described, receipt=receipt, condition=condition, may_print=may_print)
    return shown, 200 if sound or action == Action.RECEIPT_VIEWED else 409


def _form() -> ProofForm:
    form = ProofForm()
    form.tell(day_of(utc_now(), this_instance().settings.zone))
    return form


def _proof(form: ProofForm, proof: Proof | None, status: int) -> Page:
    proven = sheet.describe(proof.receipt, None, str(get_locale())) if proof and proof.receipt else None
    return render_template("receipts/verify.html", form=form, proof=proof, proven=proven), status
