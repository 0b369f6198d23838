"""Who is asking, and whether they may: Flask-Login, the permission table at the door, idle sessions ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from webapp.accounts import operations
from webapp.accounts.models import User
from webapp.accounts.permissions import ALLOWED, PUBLIC, may
from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import is_busy, transaction

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
    now = utc_now()
    session["active_at"] = int(now.timestamp())
    session["token"] = operations.begin_session(user.id, now)
    login_user(user)


def end_session() -> None:
    """Ends the session on the server and in the browser, but keeps the language and theme chosen there."""
    operations.log_out(current_user.id, str(session.get("token", "")), who(), utc_now())
    kept = {key: session[key] for key in ("locale", "theme") if key in session}
    logout_user()
    session.clear()
    session.update(kept)


def install(app: Flask) -> None:
    """Puts the guard before every request."""
    app.permanent_session_lifetime = operations.SHIFT
    login_manager = LoginManager()
    login_manager.session_protection = None  # addresses change under people's hands; sessions end on the server
    login_manager.init_app(app)

    @login_manager.user_loader  # type: ignore[untyped-decorator]
    def load(_user_id: str) -> User | None:
        return operations.user_of(str(session.get("token", "")), utc_now())

    app.before_request(_guard)


def _guard() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC:
        return None
    now = utc_now()
    if current_user.is_authenticated and _idle_too_long(now):
        end_session()
        flash(_("You were logged out after 30 minutes without activity."), "warning")
        if request.method == "POST":
            flash(_("What you sent last was not stored, and no call was sent."), "warning")
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
        try:
            operations.seen(user.id, now)
        except SQLAlchemyError as error:
            if not is_busy(error):
                raise
            # Whoever only reads must not wait for, or fail by, a writer: the next request says it.


def _to_login() -> Response:
    if not operations.has_users():
        return redirect(url_for("accounts.first_run"), 303)
    # A search text in an address is none of ours (it is POSTed): what stands there is not handed on.
    whole = request.method == "GET" and "q" not in request.args
    target: str | None = request.full_path.rstrip("?") if whole else request.path
    if not current_app.url_map.bind("").test(request.path, "GET"):
        target = None  # nothing to come back to
    return redirect(url_for("accounts.login", next=None if target == "/" else target), 303)
