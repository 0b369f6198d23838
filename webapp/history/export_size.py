"""How many verifications a file will hold, as its approver must know: few are counted, of many the counters tell."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from webapp.foundation.instance import Instance
from webapp.history.export_rows import Set
from webapp.history.filters import Filters

MANY = 1_000
"""Verifications in plaintext, more of which are approved by an express tick; so many are counted row by row."""


class Size(NamedTuple):
    """`rows`: how many there are, of many about; `more`: at least so many. `filtered`: whether there is any filter."""

    rows: int
    more: bool
    filtered: bool

    @property
    def large(self) -> bool:
        """Whether approving it takes a tick."""
        return not self.filtered or self.rows > MANY


def size_of(filters: Filters, owner_id: int, instance: Instance, asked_at: datetime) -> Size:
    """The size of what this owner asked for."""
    asked = Set(filters, owner_id, instance, asked_at)
    rows, filtered = asked.counted(MANY + 1), filters != Filters()
    total = asked.total() if rows > MANY else None
    return Size(rows, rows > MANY, filtered) if total is None else Size(max(rows, total), False, filtered)
