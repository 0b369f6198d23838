"""Pure: what a lot is on a day, and what lots make together."""

from __future__ import annotations

import calendar
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple


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


class Balance(NamedTuple):
    """What all valid lots make together; `held` is not in `remaining`."""

    remaining: int
    total: int
    held: int
    unknown: int
    uncovered: int
    """Charged calls that stand on no lot, less those that were booked on a lot since."""

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


class Covering(NamedTuple):
    """So many uncovered calls that were booked on a lot on a day; the lot was valid from `first` to `last`."""

    lot_id: int
    first: date
    last: date
    day: date
    calls: int


def covered(calls: Mapping[date, int], coverings: Iterable[Covering]) -> list[dict[date, int]]:
    """Of which days each covering took its calls, in the order of recording; `calls`: the uncovered ones, by day.

    The oldest that were made while the lot was valid are first; what is more than there were of them, the oldest of
    all: an opening balance takes what was made until then, and the days of a lot may have been changed since.
    """
    left = dict(sorted(calls.items()))
    found = []
    for one in coverings:
        days, to_take = dict[date, int](), one.calls
        for while_valid in (True, False):
            for day in left:
                fits = day <= one.day and (one.first <= day <= one.last) == while_valid
                if part := min(left[day], to_take) if fits else 0:
                    left[day] -= part
                    to_take -= part
                    days[day] = part
        found.append(days)
    return found


def still_uncovered(
    calls: Mapping[date, int], coverings: Iterable[Covering], since: date, until: date | None = None
) -> int:
    """How many of the uncovered `calls`, by day, were made from `since` to `until` and are booked on no lot yet."""
    left = Counter(calls)
    for days in covered(calls, coverings):
        left.subtract(days)
    return sum(number for day, number in left.items() if since <= day and (until is None or day <= until))


def order_key(order_number: str) -> str:
    """What two ways of writing one order number have in common: width, case and blanks do not tell orders apart."""
    return " ".join(unicodedata.normalize("NFKC", order_number).split()).casefold()
