"""How many names and numbers one reader may try out in the search. Pure.

A page masks a person, yet each search says yes or no about one: whoever may try without end learns what the mask hides.
What gives such a reader away is that nearly all tries find nobody, so these have a narrow limit, and texts that find
somebody a wide one: an operator who searches all day for people at the desk finds nearly all of them. The last four of
a number count as if they found nobody: among many people there is always somebody who has them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from math import ceil

from webapp.history.search_readings import Kind

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTED = (Kind.NUMBER, Kind.LAST_FOUR, Kind.NAME, Kind.BEGINNING)
"""What the mask hides; receipt numbers, request ids and references say nothing of a person."""
BLIND = ((HOUR, 120), (DAY, 600))
"""Different texts that found nobody, or are the last four of a number: so many of one reader."""
ALL = ((HOUR, 300), (DAY, 1_500))
"""Different texts of one reader: as many a day as one may verify."""
MANY_IN_A_DAY = 200
"""Different texts that count as `BLIND` of which auditors are told; of a refusal they are told in any case."""

Try = tuple[datetime, bool]
"""When a text was last searched for, and whether it counts as blind."""


def wait(tries: Collection[Try], now: datetime) -> int:
    """Seconds until one more text may be tried, 0: now."""
    blind, every = sorted(at for at, is_blind in tries if is_blind), sorted(at for at, _is_blind in tries)
    waits = [0]
    for made, limits in ((blind, BLIND), (every, ALL)):
        for window, most in limits:
            within = [at for at in made if at > now - window]
            if len(within) >= most:
                waits.append(ceil((within[-most] + window - now).total_seconds()))
    return max(waits)


def blind_within_a_day(tries: Collection[Try], now: datetime) -> int:
    """How many of them count as blind."""
    return sum(is_blind and at > now - DAY for at, is_blind in tries)
