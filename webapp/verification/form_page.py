"""The page of the desk's form: empty, with what is wrong, or with an earlier question to be mended."""

from __future__ import annotations

from flask import current_app, render_template
from flask_babel import get_locale
from flask_login import current_user

from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.verification import cards, declarations, queries
from webapp.verification.forms import VerifyForm


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
