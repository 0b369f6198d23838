"""Pure: when admins are reminded (manual section 3). No I/O; days are days of the reporting zone.

Two rules: the remaining calls of all valid lots together are at most 20 % of their total; a lot that has calls left
enters the 7th day before its last valid day. Each is told once per event; what is found late is told late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.foundation.clock import day_of, end_of, start_of

LOW_PERCENT = 20
DAYS_AHEAD = 7
LATE_AFTER = timedelta(hours=1)
"""What is told later than this after the event, and of an end on another day, says that it is late."""
TOO_LATE = timedelta(days=30)
"""A lot that lapsed longer ago is recorded, and mailed about no more."""


class Rule(StrEnum):
    """What admins are reminded of."""

    LOW = "low"
    EXPIRY = "expiry"


KINDS = {Rule.LOW: "reminder.low", Rule.EXPIRY: "reminder.expiry"}
"""The kind of message that tells each rule."""


class Closed(StrEnum):
    """Why an episode is over."""

    RENEWED = "renewed"
    LOTS_CHANGED = "lots_changed"
    EMPTIED = "emptied"
    LOT_CLOSED = "lot_closed"
    """A person closed its lots, or gave them back."""
    MOVED = "moved"
    EXPIRED = "expired"
    TOO_LATE = "too_late"
    NOT_YET = "not_yet"
    """A clock that was ahead opened it: its day has not come."""


BY_THE_CLOCK = (Closed.NOT_YET, Closed.TOO_LATE)
"""Reasons that the day alone gives: where the clock was wrong, so were they."""
POINTLESS = frozenset(set(Closed) - {Closed.EXPIRED})
"""Reasons for which messages that still wait are dropped; an expiry is told even after the day."""


class Supply(NamedTuple):
    """What all valid lots make together, and a mark that only purchases and corrections move: those of a lot that was
    bought ahead move it when that lot begins. So one lot after another of the same size is seen too."""

    remaining: int
    total: int
    mark: int
    """How many purchases and corrections the ledger holds of lots that have begun."""

    @property
    def is_low(self) -> bool:
        """At most 20 % remain. Nothing valid at all is not low: there is nothing to take a share of."""
        return self.total > 0 and self.remaining * 100 <= self.total * LOW_PERCENT

    @property
    def is_above(self) -> bool:
        """More than 20 % remain."""
        return self.total > 0 and not self.is_low


class Standing(NamedTuple):
    """The low episode that is open: the supply as it was when it was last seen low."""

    total: int
    mark: int


class Step(StrEnum):
    """What a check does about the low balance."""

    NOTHING = "nothing"
    OPEN = "open"
    FOLLOW = "follow"
    """Still low, but more was bought or a lot ended: only a lift from here on counts as one."""
    CLOSE = "close"


def low_step(supply: Supply, standing: Standing | None) -> Step:
    """One reminder per fall to 20 %. Only a purchase, a correction or another set of valid lots re-arms it: calls
    that are released again may lift the ratio over the line and let it fall back a hundred times a day."""
    if standing is None:
        return Step.OPEN if supply.is_low else Step.NOTHING
    changed = (supply.total, supply.mark) != (standing.total, standing.mark)
    if supply.is_above and changed:
        return Step.CLOSE
    return Step.FOLLOW if supply.is_low and changed else Step.NOTHING


STRAY = timedelta(minutes=10)
"""The clocks of two machines lie less apart, and a look that has waited for others begins less late."""


def not_before(now: datetime, decided_at: datetime | None) -> datetime:
    """The moment to look from: not one before the newest decision. A call that was settled at midnight and waited for
    another, or on a machine whose clock is behind, would see yesterday's lots: it would end what today's have just
    begun, and the next call would begin it again. A decision that lies further ahead was a wrong clock's."""
    return decided_at if decided_at is not None and now < decided_at <= now + STRAY else now


def why_closed(supply: Supply, standing: Standing) -> Closed:
    """What lifted the ratio: something bought or corrected, or else a lot that ended or began."""
    return Closed.RENEWED if supply.mark != standing.mark else Closed.LOTS_CHANGED


def low_since(newest_change: datetime | None, last_days: Iterable[date], now: datetime, zone: ZoneInfo) -> datetime:
    """Since when at the latest the balance has been as it is: the newest change by a call or a person, or the newest
    end of a lot."""
    ends = (end_of(day, zone) for day in last_days)
    known = [at for at in (newest_change, *ends) if at is not None and at <= now]
    return max(known, default=now)


def is_late(rule: Rule, due: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether what was due, or written, is told so late that the mail says so: an hour for calls, and another day for
    days."""
    if now - due <= LATE_AFTER:
        return False
    return rule == Rule.LOW or day_of(now, zone) > day_of(due, zone)


@dataclass(frozen=True, slots=True)
class ExpiringLot:
    """A lot with calls that end with `expires_on`: `left` are available, or were when it lapsed."""

    id: int
    expires_on: date
    left: int
    recorded_at: datetime
    held: int = 0
    """Calls on their way, which may come back."""
    closed: bool = False
    """Whether a person closed it, or gave it back: nothing of it is left to end."""
    changed_at: datetime | None = None
    """When a person changed, closed or reopened it last."""

    @property
    def known_at(self) -> datetime:
        """Since when at the latest it has been what it is."""
        return max(self.recorded_at, self.changed_at or self.recorded_at)


class Ending(NamedTuple):
    """Lots that end on one day and were not told yet: one reminder for all of them."""

    expires_on: date
    lots: tuple[ExpiringLot, ...]
    due: datetime
    closed: Closed | None
    """None while the lots are valid; else why the episode is over as it begins."""


def first_day(expires_on: date) -> date:
    """The day on which the reminder is due: the 7th before the last valid day."""
    return expires_on - timedelta(days=DAYS_AHEAD)


def endings(untold: Sequence[ExpiringLot], now: datetime, zone: ZoneInfo) -> list[Ending]:
    """The reminders due now, by day. `untold`: lots with calls left, or lapsed with calls, of which nobody was told.

    A lot that had ended before it was recorded is old news and not among them.
    """
    today = day_of(now, zone)
    days: dict[date, list[ExpiringLot]] = {}
    for lot in untold:
        if lot.left > 0 and first_day(lot.expires_on) <= today and day_of(lot.recorded_at, zone) <= lot.expires_on:
            days.setdefault(lot.expires_on, []).append(lot)
    return [_ending(day, tuple(sorted(lots, key=lambda lot: lot.id)), now, zone) for day, lots in sorted(days.items())]


def _ending(day: date, lots: tuple[ExpiringLot, ...], now: datetime, zone: ZoneInfo) -> Ending:
    due = max(start_of(first_day(day), zone), min(lot.known_at for lot in lots))
    return Ending(day, lots, due, expiry_closed(day, lots, day_of(now, zone)))


def expiry_closed(told_day: date, lots: Sequence[ExpiringLot], today: date) -> Closed | None:
    """Why an expiry episode is over; None while it stands. `lots` are its lots as they are now, also where it was over
    before: people, or a clock that was ahead and is right again, may take its end back."""
    ending = [lot for lot in lots if lot.expires_on == told_day]
    if not ending:
        return Closed.MOVED
    if not any(lot.left or lot.held for lot in ending):
        return Closed.LOT_CLOSED if any(lot.closed for lot in ending) else Closed.EMPTIED
    if today < first_day(told_day):
        return Closed.NOT_YET
    if today > told_day:
        return Closed.TOO_LATE if today - told_day > TOO_LATE else Closed.EXPIRED
    return None
