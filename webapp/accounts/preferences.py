"""Language and theme: stored with the user, and in this browser for before the log-in."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts import operations
from webapp.foundation.clock import utc_now
from webapp.foundation.pages import THEMES, safe_next
from webapp.settings import LOCALES

bp = Blueprint("preferences", __name__)


@bp.post("/preferences")
def save() -> Response:
    """Stores what was chosen and goes back; an unknown choice changes nothing."""
    locale = request.form.get("locale")
    theme = request.form.get("theme")
    locale = locale if locale in LOCALES else None
    theme = theme if theme in THEMES else None
    if locale:
        session["locale"] = locale
    if theme:
        session["theme"] = theme
    if current_user.is_authenticated and (locale or theme):
        operations.prefer(current_user.id, utc_now(), locale=locale, theme=theme)
    return redirect(safe_next(request.form.get("next"), url_for("dashboard.index")), 303)
