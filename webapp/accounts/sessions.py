"""Log-in sessions as the server knows them: begun, locked, given a new token, ended.

A session's row stands under a digest of its cookie's token: one digest while it is open, another while it is locked.
Locking moves the row from the one to the other, so that the same cookie, and every copy of
it, opens nothing any more and still tells whose desk is locked. Unlocking moves it on to a new token: what was copied
before stays worthless.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from webapp.accounts.models import LoginSession, User
from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, insert_rows, must_write, transaction

SHIFT = timedelta(hours=16)
"""The longest a session lasts, however busy it is, locked or not."""
IDLE = timedelta(minutes=30)
"""A session is locked after so long without a request of its user."""


def is_idle(active_at: int, now: datetime) -> bool:
    """Whether the last request, in seconds since 1970, lies too far back."""
    return int(now.timestamp()) - active_at > IDLE.total_seconds()


def begin(user_id: int, now: datetime) -> str:
    """Starts a session and returns its token, for the browser's signed cookie."""
    token = secrets.token_urlsafe(24)
    with transaction() as session:
        epoch = session.get_one(User, user_id).session_epoch
        insert_rows(LoginSession, {"token": _open(token), "user_id": user_id, "epoch": epoch, "started_at": now})
    return token


def user_of(token: str, now: datetime) -> User | None:
    """Whose session the token opens: if it is not locked, was not ended, and has not outlived a shift."""
    return _user_under(_open(token), now)


def locked_user(token: str, now: datetime) -> User | None:
    """Whose session is locked under the token, if a password may still unlock it. It gives no permission."""
    return _user_under(_locked(token), now)


def lock(token: str, user_id: int, why: str, who: Who, now: datetime) -> None:
    """Locks an open session; one that is locked already, or over, is left as it is. `why`: idle or asked."""
    with transaction() as session:
        here = update(LoginSession).where(LoginSession.token == _open(token))
        moved = session.execute(
            here.values(token=_locked(token)), execution_options={"synchronize_session": False}
        ).rowcount  # type: ignore[attr-defined]
        if moved:
            append(who, Action.SESSION_LOCKED, now, on=("user", user_id), why=why)


def renew(token: str) -> str | None:
    """A new token for a session, locked or not, in the caller's transaction; None where there is none any more."""
    fresh = secrets.token_urlsafe(24)
    here = update(LoginSession).where(LoginSession.token.in_(_either(token)))
    moved = must_write().execute(here.values(token=_open(fresh)), execution_options={"synchronize_session": False})
    return fresh if moved.rowcount else None  # type: ignore[attr-defined]


def end(token: str) -> int | None:
    """Ends a session, locked or not, in the caller's transaction; returns whose it was (None: there was none)."""
    ended = delete(LoginSession).where(LoginSession.token.in_(_either(token))).returning(LoginSession.user_id)
    return must_write().scalar(ended, execution_options={"synchronize_session": False})


def log_out(user_id: int, token: str, who: Who, now: datetime) -> None:
    """Ends a session and records that its user left."""
    with transaction():
        end(token)
        append(who, Action.LOGOUT, now, on=("user", user_id))


def forget_outlived(now: datetime) -> None:
    """Drops sessions that have outlived a shift, in the caller's transaction."""
    must_write().execute(delete(LoginSession).where(LoginSession.started_at < now - SHIFT))


def _user_under(digest: bytes, now: datetime) -> User | None:
    return db.session.scalar(
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(
            LoginSession.token == digest,
            LoginSession.epoch == User.session_epoch,
            LoginSession.started_at > now - SHIFT,
            User.active,
        )
    )


def _open(token: str) -> bytes:
    return _digest(b"", token)


def _locked(token: str) -> bytes:
    return _digest(b"\xff", token)  # which no text begins with: no token is open under this digest


def _digest(kind: bytes, token: str) -> bytes:
    return hashlib.sha256(kind + token.encode("utf-8", "surrogatepass")).digest()


def _either(token: str) -> tuple[bytes, bytes]:
    return _open(token), _locked(token)
