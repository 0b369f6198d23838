"""A desk that is left: unlocked by its operator's password, or handed over to the next one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from webapp.accounts import operations, sessions, watchers
from webapp.accounts.models import User
from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import transaction
from webapp.foundation.sealing import Sealer


class SessionOver(Exception):
    """The session was ended meanwhile: no password unlocks it, only a new log-in helps."""


class Unlocked(NamedTuple):
    """Either the user and the session's new token, or how many seconds to wait before the next try (0: just wrong)."""

    user: User | None
    token: str = ""
    wait: int = 0


def unlock(token: str, password: str, who: Who, sealer: Sealer, now: datetime) -> Unlocked:
    """Opens a session again by its user's password, throttled as the log-in is. Its start, and so the end of its
    shift, stay. Raises `SessionOver`."""
    user = sessions.locked_user(token, now) or sessions.user_of(token, now)
    if user is None:
        raise SessionOver
    heard = operations.hear(user.email, password, who, sealer, now, Action.UNLOCK_FAILED)
    if heard.user is None:
        return Unlocked(None, wait=heard.wait)
    with transaction():
        fresh = sessions.renew(token)
        if fresh is None:
            raise SessionOver
        return Unlocked(operations.let_in(heard.user.id, who, Action.SESSION_UNLOCKED, sealer, now), fresh)


def hand_over(token: str, who: Who, now: datetime) -> int | None:
    """Ends the session, locked or not, and its operator's shift; returns who that was (None: there was none).

    From a locked desk nobody's password was asked, so that `who` is nobody then.
    """
    with transaction():
        former = sessions.end(token)
        if former is not None:
            watchers.shift_ended(former, who, now)
            append(who, Action.HANDED_OVER, now, on=("user", former))
        return former


def take_over(token: str, left_by: int | None, who: Who, now: datetime) -> None:
    """Records that whoever logs in follows another at this desk; ends what that other left there.

    `token` is of the session that the browser had, `left_by` who handed the desk over before.
    """
    with transaction():
        ended = sessions.end(token)
        former = ended or left_by
        if former is None or former == who.user_id:
            return
        if ended is not None:
            watchers.shift_ended(ended, who, now)
        append(who, Action.TAKEN_OVER, now, on=("user", former))
