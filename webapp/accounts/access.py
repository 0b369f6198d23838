"""Who is asking, and whether they may: Flask-Login, the permission table at the door, desks that are left locked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from webapp.accounts import locking, operations, sessions
from webapp.accounts.locking import SessionOver
from webapp.accounts.models import User
from webapp.accounts.operations import LoginResult
from webapp.accounts.permissions import ALLOWED, PUBLIC, may, sees_money
from webapp.audit.actor import who
from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import is_busy, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.pages import forget_reader, safe_next

SEEN_EVERY = timedelta(minutes=1)
"""How often a request stores that its user is about."""
UNASKED = {None, "static", "watching.healthz", "watching.readyz"}
"""Endpoints that answer without asking the database who reads."""


def start_session(user: User) -> None:
    """Logs `user` in under a fresh session, so that nothing of an earlier one is carried over; ends that one."""
    now, token, left_by = utc_now(), _token(), session.get("left_by")
    if token or left_by:
        locking.take_over(token, left_by, replace(who(), user_id=user.id, label=user.name), now)
    _clear_browser()
    session.permanent = True
    _open(user, sessions.begin(user.id, now), now)


def end_session() -> None:
    """Ends the session on the server and in the browser, but keeps the language and theme chosen there."""
    sessions.log_out(current_user.id, _token(), who(), utc_now())
    _clear_browser()


def lock() -> None:
    """Locks the desk, as its operator wishes."""
    sessions.lock(_token(), current_user.id, "asked", who(), utc_now())
    forget_reader()


def unlock(password: str) -> LoginResult:
    """Opens the locked session again; its CSRF secret stays, so that the forms of its pages can still be sent.

    Raises `SessionOver`.
    """
    now = utc_now()
    unlocked = locking.unlock(_token(), password, who(), this_instance().sealer, now)
    if unlocked.user is not None:
        _open(unlocked.user, unlocked.token, now)
    return LoginResult(unlocked.user, unlocked.wait)


def come_in(email: str, password: str) -> LoginResult:
    """Mail address and password on the log-in page: unlocks one's own desk, else starts a session."""
    locked = locked_user()
    if locked is not None and email.strip().lower() == locked.email:
        with suppress(SessionOver):  # ended this very moment: then it is a log-in
            return unlock(password)
    result = operations.log_in(email, password, who(), this_instance().sealer, utc_now())
    if result.user is not None:
        start_session(result.user)
    return result


def hand_over() -> None:
    """Ends the session for the next operator, whose log-in will tell from whom the desk came."""
    former = locking.hand_over(_token(), who(), utc_now())
    _clear_browser()
    if former is not None:
        session["left_by"] = former


def locked_user() -> User | None:
    """Whose desk this is while it is locked."""
    return sessions.locked_user(_token(), utc_now()) if "token" in session else None


def seconds_left() -> int:
    """Seconds until this session is locked if nothing more is asked."""
    gone = int(utc_now().timestamp()) - int(session.get("active_at", 0))
    return max(0, int(sessions.IDLE.total_seconds()) - gone)


def landing(user: User, target: str | None) -> str:
    """Where `user` comes to after the log-in: the page asked for, unless the role may not open it."""
    home = url_for("dashboard.index")
    place = safe_next(target, home)
    rule = _page_at(place.partition("?")[0])
    return home if rule and rule.endpoint in ALLOWED and not may(user.role, rule.endpoint) else place


def common_place(path: str | None) -> str:
    """The page at `path` without what in its address is one operator's; the desk where nothing else is there."""
    bare = safe_next(path, "/").partition("?")[0]
    rule = _page_at(bare)
    return bare if rule and rule.endpoint in ALLOWED and not rule.arguments else url_for("verification.verify")


def install(app: Flask) -> None:
    """Puts the guard before every request."""
    app.permanent_session_lifetime = sessions.SHIFT
    # A request that does not count (a page that asks whether it is locked) must not bring an older cookie back.
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    login_manager = LoginManager()
    login_manager.session_protection = None  # addresses change under people's hands; sessions end on the server
    login_manager.init_app(app)
    login_manager.user_loader(_load)
    app.before_request(_guard)

    @app.context_processor
    def shared() -> dict[str, object]:
        return {"seconds_left": seconds_left, "sees_money": sees_money(getattr(current_user, "role", None))}


def _load(_user_id: str) -> User | None:
    """Whose session this is, unless it is locked; one that was left idle is locked by being asked for."""
    now, token = utc_now(), _token()
    user = sessions.user_of(token, now)
    if user is None or not sessions.is_idle(int(session.get("active_at", 0)), now):
        return user
    product = Who(None, "yuliang", (request.remote_addr or "")[:64], g.get("request_id", ""))
    try:
        sessions.lock(token, user.id, "idle", product, now)
    except SQLAlchemyError as error:
        if not is_busy(error):
            raise
        # It opens nothing all the same; the next request stores it.
    return None


def _guard() -> Response | None:
    endpoint = request.endpoint
    # Asked first, outside of any transaction, also on pages for everyone: see `_load`.
    known = endpoint not in UNASKED and current_user.is_authenticated
    if endpoint is None or endpoint in PUBLIC:
        return None
    if not known:
        if request.method == "POST" and "token" in session:
            flash(_("What you sent last was not stored, and no call was sent."), "warning")
        return _to_login()
    if endpoint not in ALLOWED:
        abort(404)
    if not may(current_user.role, endpoint):
        with transaction():
            append(who(), Action.ACCESS_REFUSED, utc_now(), success=False, page=endpoint)
        abort(403)
    if not _asked_by_the_page_itself():
        _be_seen(utc_now())
    return None


def _asked_by_the_page_itself() -> bool:
    """Whether no person asked: a page that waits for its answer looks again, which keeps no desk open."""
    return "X-Background" in request.headers or request.args.get("background") == "yes"


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


def _token() -> str:
    return str(session.get("token", ""))


def _open(user: User, token: str, now: datetime) -> None:
    session["active_at"] = int(now.timestamp())
    session["token"] = token
    login_user(user)


def _clear_browser() -> None:
    kept = {key: session[key] for key in ("locale", "theme") if key in session}
    logout_user()
    session.clear()
    session.update(kept)


def _page_at(path: str) -> Rule | None:
    """The page that a GET of `path` opens."""
    try:
        rule, _values = current_app.url_map.bind("").match(path, "GET", return_rule=True)
    except HTTPException:
        return None
    return rule


def _to_login() -> Response:
    if not operations.has_users():
        return redirect(url_for("accounts.first_run"), 303)
    # A search text in an address is none of ours (it is POSTed): what stands there is not handed on.
    whole = request.method == "GET" and "q" not in request.args
    target: str | None = request.full_path.rstrip("?") if whole else request.path
    if _page_at(request.path) is None:
        target = None  # nothing to come back to
    return redirect(url_for("accounts.login", next=None if target == "/" else target), 303)
