"""One person in plaintext, for a minute: the form that asks why, and the page that shows it once."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.permissions import may
from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.instance import this_instance
from webapp.history import reveal_operations
from webapp.history.reveal_forms import RevealForm
from webapp.history.reveal_operations import IdentityGone, NamesSomeone, RevealedAlready, TooMany, Wanted
from webapp.history.reveal_rules import SHOWN_SECONDS, Reason
from webapp.verification import cards, queries
from webapp.verification.models import Verification

bp = Blueprint("reveal", __name__)

Page = tuple[str, int] | Response


@bp.app_template_global()
def may_reveal() -> bool:
    """Whether the reader of a masked result is offered to reveal it."""
    return may(current_user.role, "reveal.ask")


@bp.get("/verifications/<int:id>/reveal")
def ask(id: int) -> Page:
    """The form: why this person is to be shown."""
    row = queries.visible(id, current_user) or abort(404)
    return _form(row, RevealForm(utc_now()), 200)


@bp.post("/verifications/<int:id>/reveal")
def reveal(id: int) -> Page:
    """Records the reason, then shows the person; the same form again leads to the masked result."""
    row, now = queries.visible(id, current_user) or abort(404), utc_now()
    form = RevealForm(now)
    if not form.validate_on_submit() or not form.proven():
        return _form(row, form, 422)
    wanted = Wanted(row.id, Reason(form.reason.data), form.words.data or "", form.nonce.data or "")
    try:
        person = reveal_operations.reveal(wanted, who(), this_instance(), now)
    except RevealedAlready:
        return _masked(row.id, _("Shown once already, and masked again. To see it again, say why again."))
    except IdentityGone:
        return _masked(row.id, _("This person was erased: there is nothing to reveal."))
    except NamesSomeone:
        form.begin_again()
        form.words.errors = [_("Leave names and numbers of people out of the reason.")]
        return _form(row, form, 422)
    except TooMany as many:
        form.form_errors = [_too_many(many.wait)]
        return _form(row, form, 429)
    card = cards.card(row, person, full=True, locale=str(get_locale()))
    return render_template("history/reveal_shown.html", card=card, row=row, seconds=SHOWN_SECONDS), 200


def _form(row: Verification, form: RevealForm, status: int) -> Page:
    return render_template("history/reveal_form.html", form=form, row=row), status


def _masked(verification_id: int, said: str) -> Response:
    flash(said, "warning")
    return redirect(url_for("verification.result", id=verification_id), 303)


def _too_many(wait: int) -> str:
    return ngettext("You have revealed as many people as one may in an hour. Go on in %(num)s minute.",
                    "You have revealed as many people as one may in an hour. Go on in %(num)s minutes.",
                    max(1, round(wait / 60)))  # fmt: skip
