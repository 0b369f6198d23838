"""Pure: when a message is tried again. No I/O; chance comes in as a number."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)
JITTER = 0.25
"""A pause is up to a quarter longer, so that many messages do not come back at once."""


def pause(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many failed attempts: 30 s doubling to an hour; `chance` is from 0 to 1."""
    plain: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return plain * (1 + JITTER * chance)


def next_try(first: datetime, attempts: int, now: datetime, chance: float) -> datetime | None:
    """When to try again after a failure at `now`; None: 72 hours since the `first` try are over.

    The last try comes when they end, so that a server that was down for all but the last minute still gets it.
    """
    end = first + GIVE_UP_AFTER
    return None if now >= end else min(now + pause(attempts, chance), end)
