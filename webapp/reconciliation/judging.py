"""Pure: what a reading says beyond the calls that were made: whether as many are left at the vendor as in our lots, and
when correcting by it may do harm."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Risk(StrEnum):
    """Why correcting the books by a reading may do harm."""

    TOTAL_MOVED = "total_moved"
    """The vendor's total is not what our lots make of it: it may be of another package or account."""
    EMPTIES = "empties"
    """It would take every call there is."""


def risks(total_grew: int, changes: Sequence[int], available: Sequence[int]) -> list[Risk]:
    """What a person has to consent to before the lots are corrected by `changes`; none: nothing but a reason."""
    taken, left = -sum(changes), sum(available)
    found = {Risk.TOTAL_MOVED: bool(total_grew), Risk.EMPTIES: bool(left) and taken == left}
    return [risk for risk, holds in found.items() if holds]


def left_gap(vendor: int, least: int, most: int, drift: int, total_grew: int) -> int:
    """Calls that the vendor has left beyond our lots, negative: that it lacks; only those that neither the drift nor a
    moved total explains. Ours are from `least` to `most`."""
    beyond = max(0, vendor - most) - max(0, least - vendor)
    return beyond + drift - total_grew
