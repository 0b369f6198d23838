"""The list of recipients, and the two public pages that links in mails lead to.

Those links show a page with a button and change nothing by themselves: mail programs and virus scanners open links.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts import queries as accounts
from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.pages import choose_locale
from webapp.reminders import links, queries, recipients
from webapp.reminders.forms import ChoiceForm, EmailForm

bp = Blueprint("recipients", __name__)

Page = str | tuple[str, int] | Response


def _back() -> Response:
    return redirect(url_for("reminders.index", _anchor="recipients"), 303)


@bp.post("/recipients/me")
def subscribe() -> Response:
    """Puts the admin who asks on the list."""
    user = accounts.user(current_user.id) or abort(404)
    try:
        with transaction():
            recipients.subscribe(user, choose_locale(), who(), utc_now())
        flash(_("You will be told."), "success")
    except recipients.AlreadyListed:
        flash(_("This address is on the list already."), "warning")
    return _back()


@bp.post("/recipients")
def add() -> Response:
    """Puts any address on the list; it is told once it has confirmed."""
    form = EmailForm()
    if not form.validate_on_submit():
        flash(form.first_error(), "danger")
        return _back()
    try:
        with transaction():
            recipients.add(form.email.data or "", form.locale.data or choose_locale(), who(), utc_now())
        flash(_("A link to confirm is on its way to this address. Until then it is told nothing."), "success")
    except recipients.AlreadyListed:
        flash(_("This address is on the list already."), "warning")
    return _back()


@bp.post("/recipients/<int:id>")
def choose(id: int) -> Response:
    """Says of what a recipient is told, in which language."""
    form = ChoiceForm()
    if not form.validate_on_submit():
        abort(400)
    with transaction():
        found = recipients.choose(id, low=form.low.data, expiry=form.expiry.data, locale=form.locale.data, who=who(),
                                  now=utc_now())  # fmt: skip
    if not found:
        abort(404)
    flash(_("The changes are stored."), "success")
    return _back()


@bp.post("/recipients/<int:id>/remove")
def remove(id: int) -> Response:
    """Takes a recipient off the list."""
    with transaction():
        found = recipients.remove(id, who(), utc_now())
    if not found:
        abort(404)
    flash(_("The recipient was removed; what waited for them was dropped."), "success")
    return _back()


@bp.post("/recipients/<int:id>/ask")
def ask(id: int) -> Response:
    """Mails a fresh link to confirm."""
    with transaction():
        asked = recipients.ask_again(id, who(), utc_now())
    if asked:
        flash(_("A fresh link is on its way; earlier ones are void."), "success")
    else:
        flash(_("A link went out a moment ago, or none is needed."), "warning")
    return _back()


@bp.get("/confirm/<token>")
def confirm(token: str) -> Page:
    """Asks the reader of an address whether they agree."""
    told = links.read_token(links.CONFIRM, token)
    waiting = recipients.waiting_to_confirm(*told) if told else None
    if waiting is None:
        return render_template("reminders/answer.html", state="void"), 410
    return render_template("reminders/answer.html", state="confirm", address=queries.address_of(waiting))


@bp.post("/confirm/<token>")
def agree(token: str) -> Page:
    """They agree."""
    told = links.read_token(links.CONFIRM, token)
    with transaction():
        agreed = told is not None and recipients.confirm(*told, who(), utc_now())
    if not agreed:
        return render_template("reminders/answer.html", state="void"), 410
    return render_template("reminders/answer.html", state="confirmed")


@bp.get("/stop/<token>")
def stop(token: str) -> Page:
    """Asks whether the mails should end."""
    told = links.read_token(links.STOP, token)
    if told is None:
        return render_template("reminders/answer.html", state="void"), 410
    recipient = queries.recipient_by_mark(told[0])
    if recipient is None:
        return render_template("reminders/answer.html", state="over")
    return render_template("reminders/answer.html", state="stop", address=queries.address_of(recipient))


@bp.post("/stop/<token>")
def end(token: str) -> Page:
    """Ends them; doing it twice does no harm."""
    told = links.read_token(links.STOP, token)
    if told is None:
        return render_template("reminders/answer.html", state="void"), 410
    with transaction():
        ended = recipients.stop(told[0], who(), utc_now())
    return render_template("reminders/answer.html", state="stopped" if ended else "over")


@bp.get("/leave/<token>")
def leave(token: str) -> Response:
    """What a mail program's own button opens where it does not post."""
    return redirect(url_for("reminders.recipients.stop", token=token), 303)


@bp.post("/leave/<token>")
def leave_at_once(token: str) -> Page:
    """What a mail program's own button posts to (RFC 8058): from no page of ours and without a cookie, so without
    our token against forged forms. The signed link is the proof."""
    return end(token)
