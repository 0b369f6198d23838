"""Pure: what a lot is on a day, and what lots make together."""

from __future__ import annotations

import calendar
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class LotState(StrEnum):
    """A lot as people speak of it."""

    VALID = "valid"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    UPCOMING = "upcoming"
    CLOSED = "closed"


ENDED = frozenset({LotState.EXHAUSTED, LotState.EXPIRED, LotState.CLOSED})
"""States in which nothing is drawn from a lot any more."""


class DrawOrder(StrEnum):
    """From which of several valid lots the next call is taken; ties by the other day, then by number."""

    EXPIRY = "expiry"
    """The lot that expires first (the default: the rule of other clouds)."""
    PURCHASE = "purchase"
    """The lot that was bought first."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What all valid lots make together; `held` is not in `remaining`."""

    remaining: int
    total: int
    held: int
    unknown: int
    uncovered: int
    """Charged calls that stand on no lot, less those that were taken from lots recorded later."""

    @property
    def ratio(self) -> float | None:
        """Remaining of total, 0 to 1; None without a valid lot."""
        return self.remaining / self.total if self.total else None


def lot_name(lot_id: int, order_number: str) -> str:
    """What a lot is called wherever people read of it: its order number, else its own number."""
    return order_number or f"#{lot_id}"


def place(state: LotState, expires_on: date) -> tuple[int, int]:
    """By what lots that stand in the order of drawing are sorted for a list: those that calls are drawn from, those to
    come, then those that ended, the last one first."""
    if state in ENDED:
        return 2, -expires_on.toordinal()
    return int(state is LotState.UPCOMING), 0


def default_expiry(bought_on: date) -> date:
    """The last valid day of a lot bought on that day: one year later (manual section 1; its screenshots show bought
    2022-11-08, expires 2023-11-09). 29 February ends on 28 February."""
    year = bought_on.year + 1
    last = calendar.monthrange(year, bought_on.month)[1]
    return date(year, bought_on.month, min(bought_on.day, last))


def state(
    *, available: int, held: int, bought_on: date, expires_on: date, today: date, closed: bool = False
) -> LotState:
    """The lot's state on `today`, a day of the reporting zone."""
    if closed:
        return LotState.CLOSED
    if today > expires_on:
        return LotState.EXPIRED
    if today < bought_on:
        return LotState.UPCOMING
    return LotState.VALID if available or held else LotState.EXHAUSTED


def still_uncovered(
    calls: Mapping[date, int], taken: Iterable[tuple[date, date, int]], since: date, until: date | None = None
) -> int:
    """How many of the uncovered `calls`, by day, were made from `since` to `until` and taken from no lot yet. `taken`:
    when a lot was bought that took such calls, on which day it did, and how many, in the order of recording.

    The oldest calls since the purchase went first; what is more than there were of them went from before: an opening
    balance takes all that were made until then, and the day of a purchase may have been changed since.
    """
    left = dict(sorted(calls.items()))
    for bought, day_of_it, number in taken:
        to_take = number
        for of_before in (False, True):
            for day in left:
                part = min(left[day], to_take) if day <= day_of_it and (day < bought) == of_before else 0
                left[day] -= part
                to_take -= part
    return sum(number for day, number in left.items() if since <= day and (until is None or day <= until))


def order_key(order_number: str) -> str:
    """What two ways of writing one order number have in common: width, case and blanks do not tell orders apart."""
    return " ".join(unicodedata.normalize("NFKC", order_number).split()).casefold()
