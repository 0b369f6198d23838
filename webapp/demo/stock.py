"""Pure: lots as a made-up year draws on them, call by call, with what is left of each after every movement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Stocked:
    """A lot and its figures at this moment."""

    id: int
    bought_on: date
    expires_on: date
    available: int
    held: int = 0
    charged: int = 0


@dataclass(slots=True)
class Stock:
    """All lots; `turn` sorts them as calls are drawn from them."""

    turn: Callable[[Stocked], tuple[object, ...]]
    lots: dict[int, Stocked] = field(default_factory=dict)
    _queue: list[Stocked] = field(default_factory=list)

    def begin(self, today: date) -> None:
        """Puts the lots that are valid today in line."""
        valid = [lot for lot in self.lots.values() if lot.bought_on <= today <= lot.expires_on]
        self._queue = sorted(valid, key=self.turn)

    def add(self, lot: Stocked) -> None:
        """A purchase, before the day begins."""
        self.lots[lot.id] = lot

    def remaining(self) -> int:
        """Of all lots in line."""
        return sum(lot.available for lot in self._queue)

    def hold(self) -> tuple[int | None, int]:
        """Holds a call; the lot it is held on (None: no lot has one) and what is left there."""
        for lot in self._queue:
            if lot.available:
                lot.available -= 1
                lot.held += 1
                return lot.id, lot.available
        return None, 0

    def charge(self, lot_id: int | None) -> int:
        """Charges a held call; what is left of its lot."""
        if lot_id is None:
            return 0
        lot = self.lots[lot_id]
        lot.held -= 1
        lot.charged += 1
        return lot.available

    def release(self, lot_id: int | None) -> int:
        """Gives a held call back; what is left of its lot then."""
        if lot_id is None:
            return 0
        lot = self.lots[lot_id]
        lot.held -= 1
        lot.available += 1
        return lot.available

    def lapse(self, today: date) -> bool:
        """Writes off what is left of expired lots, before the day begins; False: nothing was."""
        gone = [lot for lot in self.lots.values() if lot.expires_on < today and lot.available]
        for lot in gone:
            lot.available = 0
        return bool(gone)
