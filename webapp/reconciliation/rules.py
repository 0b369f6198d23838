"""What two counts of the same calls say of each other. Pure: figures in, a verdict out.

The vendor counts what it charged; we count what we know it charged, and what it may have charged: calls whose outcome
nobody knows, and calls that were under way at the very moment of a reading. So ours is a range, and the vendor's
figure lies in it or beside it. Source: vendor.md section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How the two counts stand to each other."""

    AGREED = "agreed"
    OPEN = "open"
    """The vendor's figure lies in our range: what is open can explain it."""
    MORE = "more"
    FEWER = "fewer"


class ReadingFault(StrEnum):
    """Why a reading cannot be one."""

    USED_OVER_TOTAL = "used_over_total"
    OLDER = "older"


class Taken(NamedTuple):
    """Between which two instants the vendor took a figure: `asked` is when it was asked, `at` when its answer came."""

    asked: datetime
    at: datetime


class Books(NamedTuple):
    """Our count of the calls made between two readings."""

    charged: int = 0
    unknown: int = 0
    under_way: int = 0

    @property
    def most(self) -> int:
        """If all that is open was charged."""
        return self.charged + self.unknown + self.under_way


class Comparison(NamedTuple):
    """The vendor's count of an interval beside ours."""

    vendor: int
    books: Books

    @property
    def drift(self) -> int:
        """Calls that nothing of ours explains: the vendor's beyond our range, negative: those it lacks."""
        return max(0, self.vendor - self.books.most) - max(0, self.books.charged - self.vendor)

    @property
    def explained(self) -> int:
        """How many of the open calls must have been charged for the two to agree, as far as they can."""
        return min(max(0, self.vendor - self.books.charged), self.books.unknown + self.books.under_way)

    @property
    def verdict(self) -> Verdict:
        if self.drift:
            return Verdict.MORE if self.drift > 0 else Verdict.FEWER
        return Verdict.OPEN if self.books.unknown or self.books.under_way else Verdict.AGREED

    @property
    def all_unknown(self) -> str | None:
        """`charged` or `not_charged` where all unknown calls together explain the figure exactly, else None."""
        books = self.books
        if not books.unknown or books.under_way or self.drift:
            return None
        return {0: "not_charged", books.unknown: "charged"}.get(self.explained)


def reading_fault(used: int, total: int, last_used: int | None) -> ReadingFault | None:
    """Why these figures are no reading after one with `last_used`; None: they are."""
    if used > total:
        return ReadingFault.USED_OVER_TOTAL
    return ReadingFault.OLDER if last_used is not None and used < last_used else None


def is_over(calls: int, of: int) -> bool:
    """Whether so many calls are more than 5 and more than 1 %: worth a notice when the next reading says so too."""
    return abs(calls) * 100 > max(500, of)


def is_told(now: int, before: int) -> bool:
    """Whether admins are told: this reading and the one before, since the same baseline, both lie too far off, on the
    same side. 0: not too far."""
    return now * before > 0


def elsewhere(change: int, used_before: int) -> int:
    """The part of a lot's share that is used elsewhere: all that is taken; of what is given back, as many as were used
    past our books. The size of the lot stays by it; it moves by the rest."""
    return min(change, used_before)


def shares(drift: int, available: Sequence[int], charged: Sequence[int] = ()) -> list[int]:
    """By how much what is left of each lot moves, in the order in which calls are drawn: calls the vendor counted
    beyond ours are taken where the next ones would have been taken; calls it lacks go back to where they were `charged`
    since the baseline, first to the lot that was charged most.

    Never more is taken from a lot than it has; what no lot has is taken from none. Calls that were charged to none of
    these lots, whose own have ended, go back to the last to be drawn from: there they last longest.
    """
    changes = [0] * len(available)
    places = range(len(available)) if drift > 0 else sorted(range(len(charged)), key=lambda place: -charged[place])
    left = abs(drift)
    for place in places:
        calls = min(left, available[place] if drift > 0 else charged[place])
        changes[place] = -calls if drift > 0 else calls
        left -= calls
    if drift < 0 and changes:
        changes[-1] += left
    return changes
