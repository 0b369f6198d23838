"""Letting a trial call through while calls are stopped."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.pages import safe_next
from webapp.verification import stopping

bp = Blueprint("calls", __name__)


@bp.post("/calls/probe")
def let_through() -> Response:
    """Lets the next operator's submission through as a trial."""
    if stopping.ask_for_probe(who(), utc_now()):
        flash(_("The next verification is sent as a trial. Its answer decides whether calls go on."), "success")
    else:
        flash(_("Calls are not stopped."), "info")
    return redirect(safe_next(request.form.get("next"), url_for("verification.verify")), 303)
