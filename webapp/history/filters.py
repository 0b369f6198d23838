"""What of the history is asked for, and places in its order. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadCursor(Exception):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None: not filtered. Dates are days of the reporting zone, both included."""

    outcome: str | None = None
    operator: int | None = None
    department: int | None = None
    source: str | None = None
    purpose: int | None = None
    first: date | None = None
    last: date | None = None
    billed: str | None = None
    province: str | None = None
    city: str | None = None
    search: str | None = field(default=None, repr=False)
    """What was typed into the search box; `recognising` says what it may be."""


class Cursor(NamedTuple):
    """The place between two rows: after (older than) or before (newer than) this one."""

    older: bool
    micros: int
    id: int

    def encode(self) -> str:
        """The opaque text for the address."""
        packed = json.dumps([int(self.older), self.micros, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @staticmethod
    def decode(text: str) -> Cursor:
        """The place an opaque text names. Raises `BadCursor`."""
        try:
            older, micros, row_id = json.loads(base64.urlsafe_b64decode(text[:200] + "=" * (-len(text) % 4)))
            if not (isinstance(micros, int) and isinstance(row_id, int) and 0 <= row_id < 2**62 and 0 < micros < 2**52):
                raise BadCursor
            return Cursor(bool(older), micros, row_id)
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise BadCursor from error

    @staticmethod
    def beside(at: datetime, row_id: int, *, older: bool) -> Cursor:
        """The place beside a row."""
        since = at - EPOCH
        return Cursor(older, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, row_id)

    @property
    def at(self) -> datetime:
        """The row's instant."""
        return datetime.fromtimestamp(self.micros // 1_000_000, UTC).replace(microsecond=self.micros % 1_000_000)


OLDEST = Cursor(older=False, micros=1, id=0)
"""Before all rows: the page that begins here shows the oldest."""
