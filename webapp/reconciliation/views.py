"""The reconciliation page: readings by hand and asked, the comparison, and what an admin decides on it."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.audit.figures import figures_file
from webapp.audit.trail import Action, append
from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import of_one_instant, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import when
from webapp.reconciliation import operations, page, texts
from webapp.reconciliation.forms import KeyForm, ReadingForm, RebaseForm, SettleAllForm
from webapp.reconciliation.models import MeterFailure
from webapp.reconciliation.operations import Changed, NotAsked, NotSure, WrongReading
from webapp.reconciliation.rules import ReadingFault
from webapp.vendor.metering import KEY_ID, KEY_SECRET, Meter
from webapp.verification.models import Decision
from webapp.verification.settling import NamesSomeone

bp = Blueprint("reconciliation", __name__, url_prefix="/quota/reconcile")

Answer = tuple[str, int] | Response


@bp.get("")
@of_one_instant
def index() -> tuple[str, int]:
    """The comparison as it stands."""
    return _page()


@bp.get("/drift.csv")
def drift() -> Response:
    """The drift at each reading as a file."""
    return figures_file(page.drift_chart(this_instance().settings.timezone))


@bp.post("")
def enter() -> Answer:
    """Stores the console's figures."""
    form = ReadingForm()
    if not form.validate_on_submit():
        return _page(422, form=form)
    try:
        operations.enter(form.used.data or 0, form.total.data or 0, who(), this_instance(), utc_now(),
                         anew=bool(form.anew.data))  # fmt: skip
    except WrongReading as wrong:
        form.refuse(wrong.fault, wrong.last)
        return _page(422, form=form, older=wrong.fault is ReadingFault.OLDER)
    flash(_("The reading is stored."), "success")
    return _back()


@bp.post("/ask")
def ask() -> Response:
    """Asks the vendor's counter now."""
    try:
        found = operations.ask(meter(), who(), this_instance(), utc_now(), hurry=True)
    except NotAsked as early:
        flash(not_asked_words(early), "warning")
        return _back()
    if isinstance(found, MeterFailure):
        flash(texts.failure_words(found.fault, found.code, found.http_status), "danger")
    else:
        flash(_("The vendor's counter was read."), "success")
    return _back()


@bp.post("/settle")
def settle() -> Answer:
    """Settles all unknown calls as the newest reading explains them."""
    form = SettleAllForm()
    if not form.validate_on_submit():
        return _page(422, settling=form)
    try:
        settled = operations.settle(form.reading.data or 0, Decision(form.decision.data), form.reason.data or "",
                                    who(), this_instance(), utc_now())  # fmt: skip
        flash(ngettext("%(num)s call is settled.", "%(num)s calls are settled.", settled), "success")
    except NamesSomeone:
        form.reason.errors = [_("Leave names and numbers of people out of the reason.")]
        return _page(422, settling=form)
    except Changed:
        flash(_changed(), "warning")
    return _back()


@bp.post("/rebase")
def rebase() -> Answer:
    """Mends the ledger by the drift and compares from the newest reading on."""
    form = RebaseForm()
    if not form.validate_on_submit():
        return _page(422, rebasing=form)
    try:
        operations.rebase(form.reading.data or 0, form.drift.data or 0, form.reason.data or "", who(),
                          this_instance(), utc_now(), sure=bool(form.sure.data))  # fmt: skip
        flash(_("The books are corrected; from this reading on we compare anew."), "success")
    except NotSure:
        form.ask_again()
        return _page(422, rebasing=form)
    except Changed:
        flash(_changed(), "warning")
    return _back()


@bp.get("/access-key")
def key() -> str:
    """The form that sets the AccessKey."""
    return _key_page(KeyForm())


@bp.post("/access-key")
def save_key() -> Answer | tuple[str, int]:
    """Seals and stores the AccessKey, unless the environment fixes it."""
    form, instance, now = KeyForm(), this_instance(), utc_now()
    if {KEY_ID, KEY_SECRET} & instance.settings.given:
        form.access_key_id.errors = [_("The environment fixes this setting: change it there.")]
        return _key_page(form), 409
    if not form.validate_on_submit():
        return _key_page(form), 422
    with transaction():
        for name, text in ((KEY_ID, form.access_key_id.data), (KEY_SECRET, form.access_key_secret.data)):
            if form.forget.data:
                runtime.clear(name)
            else:
                runtime.store(name, text or "", instance.sealer, now)
        append(who(), Action.SETTING_CHANGED, now, setting=KEY_ID, forgotten=bool(form.forget.data))
    flash(_("The setting is stored and in force."), "success")
    return _back()


def meter() -> Meter:
    """The vendor's counter of this application."""
    return cast(Meter, current_app.extensions["meter"])


def not_asked_words(early: NotAsked) -> str:
    """Why the vendor was not asked."""
    if early.again_at is None:
        return _("No AccessKey is set: set one, or enter the console's figures by hand.")
    return _("The vendor is asked once an hour at most; next at %(at)s.", at=when(early.again_at))


def _changed() -> str:
    return _("The figures have changed meanwhile; nothing was done. Look again.")


def _back() -> Response:
    return redirect(url_for("reconciliation.index"), 303)


def _page(status: int = 200, *, form: ReadingForm | None = None, settling: SettleAllForm | None = None,
          rebasing: RebaseForm | None = None, older: bool = False) -> tuple[str, int]:  # fmt: skip
    before = request.args.get("before", "")
    if before and (not before.isascii() or not before.isdigit() or len(before) > 18):
        abort(400)
    shown: dict[str, Any] = page.overview(this_instance(), meter(), int(before) if before else None, utc_now())
    forms = {"form": form or ReadingForm(), "settling": settling, "rebasing": rebasing, "older": older,
             "sure": (rebasing or RebaseForm()).sure}  # fmt: skip
    return render_template("reconciliation/index.html", **shown, **forms), status


def _key_page(form: KeyForm) -> str:
    fixed = bool({KEY_ID, KEY_SECRET} & this_instance().settings.given)
    return render_template("reconciliation/key.html", form=form, fixed=fixed, is_set=meter().is_set(),
                           is_sandbox=meter().is_sandbox)  # fmt: skip
