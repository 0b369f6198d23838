"""The mail server's page: presets, and a test before anything is stored."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import choose_locale
from webapp.foundation.smtp_url import MailServer
from webapp.notify import sending
from webapp.notify.channels import mail
from webapp.notify.channels.mail import SENDER, SERVER, Route
from webapp.notify.messages import Verdict
from webapp.reminders import operations, trial
from webapp.reminders.forms import MailServerForm
from webapp.reminders.presets import PRESETS, preset

bp = Blueprint("server", __name__)

Page = str | tuple[str, int] | Response


@bp.get("/mail")
def edit() -> Page:
    """The server in force, or one of the presets, to be changed."""
    stored, chosen = _stored(), preset(request.args.get("preset"))
    form = MailServerForm(obj=chosen or stored, test_to=current_user.email)
    if chosen is None:
        form.sender.data = _sender()
    return _page(form, 200)


@bp.post("/mail")
def save() -> Page:
    """Sends a test mail by these settings; stores them once the server has taken it."""
    form = MailServerForm()
    if _fixed():
        flash(_("The environment fixes this setting: change it there."), "danger")
        return _page(form, 409)
    if not form.validate_on_submit():
        return _page(form, 422)
    server = form.server(_stored())
    fixed = SENDER in this_instance().settings.given
    sender = (_sender() if fixed else form.sender.data) or server.user
    draft = trial.draft(form.test_to.data or "", choose_locale())
    reply = sending.send_now(draft, Route(server, sender, this_instance().settings.ca_bundle))
    if reply.verdict != Verdict.ACCEPTED:
        flash(_("Nothing was stored.") + " " + trial.reply_text(reply), "danger")
        return _page(form, 422)
    _store(server, None if fixed else form.sender.data or None)
    flash(_("Stored and in force.") + " " + trial.reply_text(reply), "success")
    return redirect(url_for("reminders.index"), 303)


@bp.post("/mail/forget")
def forget() -> Response:
    """Forgets the stored server: mails are kept from now on."""
    with transaction():
        runtime.clear(SERVER)
        runtime.clear(SENDER)
        append(who(), Action.SETTING_CHANGED, utc_now(), setting=SERVER, forgotten=True)
    flash(_("The mail server was forgotten. Mails are kept here and reach nobody."), "warning")
    return redirect(url_for("reminders.server.edit"), 303)


def _store(server: MailServer, sender: str | None) -> None:
    sealer, now = this_instance().sealer, utc_now()
    with transaction():
        operations.one_at_a_time()
        runtime.store(SERVER, server.url(), sealer, now)
        if sender:
            runtime.store(SENDER, sender, sealer, now)
        else:
            runtime.clear(SENDER)
        operations.retry_standing(now)  # what was refused may have been so by the former settings
        append(who(), Action.SETTING_CHANGED, now, setting=SERVER)


def _stored() -> MailServer | None:
    """The server in force; None also where what is stored cannot be read any more: here it is set anew."""
    try:
        return mail.stored_server(this_instance())
    except mail.Unreadable:
        return None


def _sender() -> str | None:
    try:
        return mail.stored_sender(this_instance())
    except mail.Unreadable:
        return None


def _fixed() -> bool:
    return SERVER in this_instance().settings.given


def _page(form: MailServerForm, status: int) -> tuple[str, int]:
    return render_template("reminders/mail.html", form=form, presets=PRESETS, fixed=_fixed(), stored=_stored(),
                           sender=_sender()), status  # fmt: skip
