"""Booking uncovered calls on a lot: what the vendor took from it while our books had it not, or had nothing left of it.

What lapsed with a lot can carry calls that were made while it was valid: the vendor had taken them, so fewer lapsed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import must_write
from webapp.foundation.instance import this_instance
from webapp.quota import operations, rules, uncovered, watchers
from webapp.quota.ledger import end_unused, enter, write_off
from webapp.quota.models import EntryKind, Lot
from webapp.quota.rules import Covering


class Offer(NamedTuple):
    """What a lot can carry of the calls that are booked on none."""

    has: int
    """Calls that are left of it; of an expired lot, that lapsed."""
    is_over: bool
    uncovered: int
    while_valid: int
    """Of the uncovered calls, those made from its first to its last valid day."""

    @property
    def most(self) -> int:
        """How many can be booked on it: of an expired lot, no others than it could have given."""
        return min(self.has, self.while_valid if self.is_over else self.uncovered)

    @property
    def usual(self) -> int:
        """How many it most likely gave."""
        return min(self.has, self.while_valid) or self.most

    def outside(self, calls: int) -> int:
        """How many of so many calls were made before its purchase or after its end."""
        return max(0, calls - self.while_valid)


class CannotCarry(Exception):
    """The lot has fewer calls, or fewer are uncovered; nothing was changed."""

    def __init__(self, offer: Offer) -> None:
        super().__init__(f"{offer.most} calls at most")
        self.offer = offer


class NotValidThen(Exception):
    """So many of the calls were made while the lot was not valid, and nobody said that they are meant; nothing was
    changed."""

    def __init__(self, calls: int) -> None:
        super().__init__(f"{calls} calls were made outside the lot's days")
        self.calls = calls


def offer(lot: Lot, today: date) -> Offer:
    """What `lot` can carry on that day, none of it if it is closed."""
    zone = this_instance().settings.zone
    is_over = lot.expires_on < today
    has = lot.available + (lot.lapsed if is_over else 0)
    return Offer(
        0 if lot.closed_at else has, is_over, uncovered.since(uncovered.EARLIEST, today, zone),
        uncovered.since(lot.bought_on, today, zone, last=lot.expires_on),
    )  # fmt: skip


def cover(lot_id: int, calls: int, reason: str, who: Who, now: datetime, *, outside: bool = False) -> int:
    """Books so many uncovered calls on a lot, in the caller's transaction, and returns what is left of it: the oldest
    that were made while it was valid, then the oldest of all, which must be meant (`outside`).

    Raises `LotClosed`, `CannotCarry`, `NotValidThen`.
    """
    operations.one_records_at_a_time()  # of two who book at once the second sees what the first took
    lot, today = operations.open_lot(lot_id), day_of(now, this_instance().settings.zone)
    write_off(lot, today, now)
    offered = offer(lot, today)
    if not 0 < calls <= offered.most:
        raise CannotCarry(offered)
    if offered.outside(calls) and not outside:
        raise NotValidThen(offered.outside(calls))
    days = _days(lot, calls, today)
    if offered.is_over:
        end_unused(lot, EntryKind.REINSTATEMENT, -calls, now, who.user_id, reason)
    lot.available, lot.used_before = lot.available - calls, lot.used_before + calls
    must_write().flush()
    enter(EntryKind.COVERED_LATE, lot_id, -calls, lot.available, now, actor_id=who.user_id, reason=reason)
    append(
        who, Action.LOT_COVERED, now, on=("lot", lot_id), reason=reason, calls=calls, first=min(days).isoformat(),
        last=max(days).isoformat(), outside=offered.outside(calls), reinstated=calls if offered.is_over else 0,
    )  # fmt: skip
    watchers.supply_changed(now)
    return lot.available


def _days(lot: Lot, calls: int, today: date) -> dict[date, int]:
    """On which days the calls were made that are booked next."""
    zone = this_instance().settings.zone
    made = uncovered.made(uncovered.EARLIEST, today, zone)
    asked = Covering(lot.id, lot.bought_on, lot.expires_on, today, calls)
    return rules.covered(made, [*uncovered.coverings(zone), asked])[-1]
