"""How long each class of what is stored is kept, and when a purge is due. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.foundation.clock import day_of, start_of

NIGHT = 2
"""Hour of the reporting zone from which on the day's purge may begin."""
FOR_EVER = 0
"""Days that stand for no end."""


class Kind(StrEnum):
    """A class of what is stored, in the order of purging."""

    IDENTITY = "identity"
    """Whom a verification was about: name, number, reference, place, the vendor's own answer, every blind index."""
    FACTS = "facts"
    """That there was a verification: when, by whom, what for, what came of it, its ledger entries."""
    OUTBOX = "outbox"
    """Messages that left the house, or could not, with every attempt."""
    VIEWS = "views"
    """Saved views that nobody opened for so long: name, filters and the search in them."""
    AUDIT = "audit"
    """Who did what. Last: what the purge itself records is then sealed like the rest."""


class Period(NamedTuple):
    """Days that a class is kept, at least; `days` may be `FOR_EVER`."""

    kind: Kind
    days: int

    @property
    def ends(self) -> bool:
        """Whether anything of the class ever goes."""
        return self.days != FOR_EVER

    def before(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """What is older than this instant goes; None: nothing does.

        Whole days of the reporting zone go together, in the night after their last full day; however clocks were set
        meanwhile, nothing goes before `days` times 24 hours are over.
        """
        if not self.ends:
            return None
        return min(start_of(day_of(now, zone) - timedelta(days=self.days), zone), now - timedelta(days=self.days))


def is_due(last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the night's purge is to begin; `last`: when the last one did. One that a clock dated far ahead does not
    count."""
    if now.astimezone(zone).hour < NIGHT:
        return False
    return last is None or last > now + timedelta(days=2) or day_of(last, zone) < day_of(now, zone)
