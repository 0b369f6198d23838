"""Who is asking, and whether they may: Flask-Login, the permission table at the door, idle sessions ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from flask import Flask, abort, flash, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.accounts import operations
from webapp.accounts.models import User
from webapp.accounts.permissions import ALLOWED, PUBLIC, may
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction

IDLE = timedelta(minutes=30)
"""A session ends after so long without a request."""
SEEN_EVERY = timedelta(minutes=1)
"""How often a request stores that its user is about."""


def start_session(user: User) -> None:
    """Logs `user` in under a fresh session, so that nothing of an earlier one is carried over."""
    kept = {key: session[key] for key in ("locale", "theme") if key in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    session["active_at"] = int(utc_now().timestamp())
    login_user(user)


def end_session() -> None:
    """Logs out and forgets the session."""
    logout_user()
    session.clear()


def install(app: Flask) -> None:
    """Puts the guard before every request."""
    app.permanent_session_lifetime = timedelta(hours=16)
    login_manager = LoginManager()
    login_manager.session_protection = None  # addresses change under people's hands; the epoch ends sessions
    login_manager.init_app(app)

    @login_manager.user_loader  # type: ignore[untyped-decorator]
    def load(session_id: str) -> User | None:
        user_id, _dot, epoch = session_id.partition(".")
        if not (user_id.isascii() and user_id.isdigit()):
            return None
        user = db.session.get(User, int(user_id))
        return user if user and user.active and str(user.session_epoch) == epoch else None

    app.before_request(_guard)


def _guard() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC:
        return None
    now = utc_now()
    if current_user.is_authenticated and _idle_too_long(now):
        end_session()
        flash(_("You were logged out after 30 minutes without activity."), "warning")
        return _to_login()
    if not current_user.is_authenticated:
        return _to_login()
    if endpoint not in ALLOWED:
        abort(404)
    if not may(current_user.role, endpoint):
        with transaction():
            append(who(), Action.ACCESS_REFUSED, now, success=False, page=endpoint)
        abort(403)
    _be_seen(now)
    return None


def _idle_too_long(now: datetime) -> bool:
    return int(now.timestamp()) - int(session.get("active_at", 0)) > IDLE.total_seconds()


def _be_seen(now: datetime) -> None:
    session["active_at"] = int(now.timestamp())
    user = cast(User, current_user)
    if user.last_seen_at is None or now - user.last_seen_at >= SEEN_EVERY:
        operations.seen(user.id, now)


def _to_login() -> Response:
    if not operations.has_users():
        return redirect(url_for("accounts.first_run"), 303)
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("accounts.login", next=None if target == "/" else target), 303)
