"""What moved the supply by day: entries of no verification, which are few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from webapp.foundation.clock import day_of
from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.usage import past_supply
from webapp.usage.past_supply import Life, Movement


def movements(lots: Sequence[Lot], zone: ZoneInfo, due: Iterable[Movement] = ()) -> list[Movement]:
    """What was bought and lost of these lots, on the days from which on it counted; `due`: what is not entered yet."""
    lives = {lot.id: Life(lot.bought_on, lot.expires_on) for lot in lots}
    entries = [
        Movement(day_of(one.at, zone), one.kind, one.lot_id or 0, one.change)
        for one in quota.supply_entries()
        if one.lot_id in lives
    ]  # not of a lot recorded since they were read
    return past_supply.in_force([*entries, *due], lives)
