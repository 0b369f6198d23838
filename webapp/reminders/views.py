"""The page /reminders: what is watched, what will be told, what was sent, and a test."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import choose_locale
from webapp.notify import outbox, sending
from webapp.notify import queries as notify
from webapp.notify.channels import mail
from webapp.notify.messages import Verdict
from webapp.reminders import operations, page, texts
from webapp.reminders.forms import EmailForm
from webapp.reminders.recipient_views import bp as recipients
from webapp.reminders.server_views import bp as server
from webapp.reminders.trial import draft, reply_text

bp = Blueprint("reminders", __name__, url_prefix="/reminders")
bp.register_blueprint(recipients)
bp.register_blueprint(server)

Page = str | tuple[str, int] | Response


@bp.get("")
def index() -> Page:
    """Everything about the reminders."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**63:
        abort(404)
    view = page.overview(this_instance(), utc_now(), before)
    subscribed = any(row["address"] == current_user.email and row["confirmed"] for row in view["recipients"])
    test = EmailForm(email=current_user.email)
    return render_template("reminders/index.html", **view, add=EmailForm(), test=test, subscribed=subscribed)


@bp.get("/messages/<int:id>")
def message(id: int) -> Page:
    """One message: its words as sent, every attempt, and what the server said."""
    chain = notify.chain(id) or abort(404)
    return render_template("reminders/message.html", row=page.one_message(chain, utc_now()))


@bp.post("/messages/<int:id>/retry")
def retry(id: int) -> Response:
    """Tries a message again now."""
    now = utc_now()
    with transaction():
        found = outbox.retry(id, now)
        if found:
            append(who(), Action.MESSAGE_RETRIED, now, on=("message", id))
    if not found:
        flash(_("This message is being sent at this moment, is done with, or has become pointless."), "warning")
    else:
        flash(_("The message will be tried again within seconds."), "success")
    return redirect(url_for("reminders.message", id=id), 303)


@bp.post("/messages/retry")
def retry_all() -> Response:
    """Tries at once all that waits, and again what could not be delivered of what stands."""
    now = utc_now()
    with transaction():
        operations.one_at_a_time()
        again = operations.retry_standing(now)
        append(who(), Action.MESSAGE_RETRIED, now, messages=again)
    flash(_("All that waits, or could not be delivered, will be tried within seconds."), "success")
    return redirect(url_for("reminders.index", _anchor="messages"), 303)


@bp.post("/test-mail")
def send_test_mail() -> Page:
    """Sends a test mail here and now, and shows what the server said."""
    form = EmailForm()
    if not form.validate_on_submit():
        flash(form.first_error(), "danger")
        return redirect(url_for("reminders.index"), 303)
    address = form.email.data or ""
    try:
        reply = sending.send_now(draft(address, choose_locale()))
    except sending.NoMailServer:
        flash(_("No mail server is set: nothing was sent."), "danger")
        return redirect(url_for("reminders.server.edit"), 303)
    except mail.Unreadable:
        flash(str(texts.UNREADABLE), "danger")
        return redirect(url_for("reminders.server.edit"), 303)
    with transaction():
        append(who(), Action.TEST_MAIL_SENT, utc_now(), success=reply.verdict == Verdict.ACCEPTED, reply=reply.code)
    flash(reply_text(reply), "success" if reply.verdict == Verdict.ACCEPTED else "danger")
    return redirect(url_for("reminders.index"), 303)
