"""Dismissing a notice."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.pages import safe_next
from webapp.notify import notices

bp = Blueprint("notices", __name__)


@bp.post("/notices/<int:id>/dismiss")
def dismiss(id: int) -> Response:
    """Hides a notice from this user."""
    with transaction():
        found = notices.dismiss(id, current_user.id, current_user.role, utc_now())
    if not found:
        abort(404)
    return redirect(safe_next(request.form.get("next"), url_for("dashboard.index")), 303)
