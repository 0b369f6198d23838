"""A desk that is left: locking it, asking whether it is locked, unlocking it, handing it over.

What pages ask by script is answered in JSON: `state` is `open`, `locked` or `out` (no session is there any more).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from webapp.accounts import access
from webapp.accounts.forms import UnlockForm
from webapp.accounts.locking import SessionOver
from webapp.foundation.pages import safe_next

bp = Blueprint("lock", __name__)

Answer = tuple[dict[str, Any], int]


@bp.get("/lock/state")
def state() -> dict[str, Any]:
    """Whether the desk is open, whose it is, and in how many seconds it will be locked. Asking is no activity."""
    if current_user.is_authenticated:
        return {"state": "open", "user": current_user.id, "left": access.seconds_left(), "token": generate_csrf()}
    locked = access.locked_user()
    return {"state": "locked", "user": locked.id, "token": generate_csrf()} if locked else {"state": "out"}


@bp.post("/lock")
def lock() -> Response:
    """Locks the desk; the session's own password opens it again."""
    access.lock()
    place = safe_next(request.form.get("next"), "/").rstrip("?")
    return redirect(url_for("accounts.login", next=place), 303)


@bp.post("/unlock")
def unlock() -> Answer:
    """Takes the password on a locked page that stays open."""
    form = UnlockForm()
    if not form.validate_on_submit():
        return _still_locked(" ".join(map(str, form.password.errors)), 422)
    try:
        result = access.unlock(form.password.data or "")
    except SessionOver:
        return {"state": "out"}, 410
    if result.user is not None:
        return state(), 200
    if result.wait:
        said = ngettext("Too many attempts. Please try again in %(num)s second.",
                        "Too many attempts. Please try again in %(num)s seconds.", result.wait)  # fmt: skip
        return _still_locked(said, 429)
    return _still_locked(_("The password is wrong."), 401)


@bp.post("/hand-over")
def hand_over() -> Response:
    """Ends this operator's session and leads to the next one's log-in, which comes back to the same page, empty."""
    place = access.common_place(request.form.get("next"))
    access.hand_over()
    return redirect(url_for("accounts.login", next=place), 303)


def _still_locked(said: str, status: int) -> Answer:
    return {"state": "locked", "said": said}, status
