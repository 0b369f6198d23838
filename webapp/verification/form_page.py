"""The page of the desk's form: empty, with what is wrong, or with an earlier question to be mended."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.verification import cards, declarations, queries
from webapp.verification.forms import VerifyForm
from webapp.verification.identities import Person


def fresh() -> VerifyForm:
    """The form of this request."""
    form, now = VerifyForm(), utc_now()
    declared = declarations.standing(current_user.id, now)
    form.offer(queries.active_purposes(), str(get_locale()), day_of(now, this_instance().settings.zone), declared)
    return form


def draw(form: VerifyForm, blocked: cards.Card | None, status: int, *, again: bool = False) -> tuple[str, int]:
    """The page; `blocked`: why the last try was not sent, `again`: a tick may spend a call all the same."""
    can_call = current_app.extensions["vendor"].has_appcode()
    form.keep_only(again=again, user_id=current_user.id)
    return render_template("verification/verify.html", form=form, blocked=blocked, can_call=can_call), status


def mending(person: Person, purpose_id: int, reference: str) -> tuple[str, int]:
    """The page with an earlier question; whoever draws it has made sure that its reader may see it, and recorded it."""
    form = fresh()
    form.take(person.name, person.number, purpose_id, reference)
    return draw(form, None, 200)


def too_late() -> Response:
    """To the empty form, where an earlier question is masked by now."""
    flash(_("Name and number are masked by now: please enter them again."), "warning")
    return redirect(url_for("verification.verify"), 303)
