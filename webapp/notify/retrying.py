"""Pure: when a message is tried again. No I/O; chance comes in as a number."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_OUTAGE_PAUSE = timedelta(minutes=10)
LONGEST_REFUSAL_PAUSE = timedelta(minutes=30)
"""A server that refuses a log-in or a sender is asked less often: mail hosts lock accounts that try again and again."""
GIVE_UP_AFTER = timedelta(hours=72)
JITTER = 0.25
"""A pause is up to a quarter longer, so that many messages do not come back at once."""


FARTHEST_TRY = LONGEST_PAUSE * (1 + JITTER)
"""No honest clock lets a message wait longer than this for its next try."""
FARTHEST_HOLD = LONGEST_REFUSAL_PAUSE * (1 + JITTER)
"""As `FARTHEST_TRY`, for all messages while the server is the trouble."""
SERVER = "server"
"""Why a message was given up whose last try failed by the server and not by itself."""


NO_MAILBOX = "no_mailbox"
"""Why a message was refused that no other try will bring there (RFC 3463: no such mailbox, or one that is disabled)."""
_NO_MAILBOX = re.compile(r"5\.(1\.1|1\.10|2\.1)\b")


def refused_why(words: str) -> str:
    """What a server's words say of a refusal: `NO_MAILBOX`, or nothing that is known to be for good."""
    return NO_MAILBOX if _NO_MAILBOX.match(words) else ""


def pause(attempts: int, chance: float) -> timedelta:
    """How long a message waits after so many failed attempts: 30 s doubling to an hour; `chance` is from 0 to 1."""
    return _doubled(attempts, LONGEST_PAUSE, chance)


def hold_pause(failures: int, chance: float, *, refused: bool) -> timedelta:
    """How long all messages wait after the server has failed so often in a row: 30 s doubling to 10 minutes, to half
    an hour where it answered and refused us."""
    return _doubled(failures, LONGEST_REFUSAL_PAUSE if refused else LONGEST_OUTAGE_PAUSE, chance)


def _doubled(times: int, longest: timedelta, chance: float) -> timedelta:
    plain: timedelta = min(FIRST_PAUSE * 2 ** min(times - 1, 20), longest)
    return plain * (1 + JITTER * chance)


def next_try(first: datetime, attempts: int, now: datetime, chance: float) -> datetime | None:
    """When to try again after a failure at `now`; None: 72 hours since the `first` try are over.

    The last try comes when they end, so that a server that was down for all but the last minute still gets it.
    """
    end = first + GIVE_UP_AFTER
    return None if now >= end else min(now + pause(attempts, chance), end)
