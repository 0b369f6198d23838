"""What the checkpoint says was left where all around it was dropped, for it is not as it was sealed. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from webapp.audit.chain import GENESIS

LOWEST = -(2**63)
"""No record has a lower number."""


class Point(NamedTuple):
    """Behind which segment: its number, its last record, its seal."""

    number: int
    last_id: int
    seal: bytes


BEGINNING = Point(0, LOWEST, GENESIS)


class Gap(NamedTuple):
    """Segments `first` to `last`, all records above `above` up to `upto`; those that were sealed in it or that should
    stand there. `before`: the seal of the segment before it; `after`: the one that the segment behind it follows."""

    first: int
    last: int
    above: int
    upto: int
    before: bytes
    after: bytes

    @property
    def start(self) -> Point:
        """Where it begins."""
        return Point(self.first - 1, self.above, self.before)

    def behind(self, at: Point) -> Gap:
        """What is left of it behind a point in it."""
        return self._replace(first=at.number + 1, above=at.last_id, before=at.seal)


def pack(gaps: Iterable[Gap]) -> str:
    """As they stand in the checkpoint, by number; nothing of none."""
    rows = [[*gap[:4], gap.before.hex(), gap.after.hex()] for gap in gaps]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def unpack(packed: str) -> list[Gap]:
    """What `pack` packed and the checkpoint's seal covers."""
    rows = json.loads(packed) if packed else []
    return [
        Gap(first, last, above, upto, bytes.fromhex(before), bytes.fromhex(after))
        for first, last, above, upto, before, after in rows
    ]


def numbers(gaps: Iterable[Gap]) -> str:
    """The numbers of their segments: `2, 5–7`."""
    return ", ".join(f"{gap.first}" if gap.first == gap.last else f"{gap.first}–{gap.last}" for gap in gaps)
