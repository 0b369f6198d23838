"""Trying out numbers for a name, or names for a number, is how people are spied on: auditors are told of it.

Once for each name or number and day, by a keyed fingerprint of its own kind: it names nobody, and it cannot be
compared with the indexes that a person is found by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from webapp.foundation.clock import day_of
from webapp.foundation.database import must_write
from webapp.foundation.sealing import Sealer
from webapp.notify import notices
from webapp.verification.models import IdentityIndex, IndexKind, Verification

WINDOW = timedelta(hours=24)
MANY_NUMBERS = 10
"""Different numbers under one name: a common name at a busy desk stays below."""
MANY_NAMES = 4
"""Different names for one number: two misspellings are honest."""


def watch(name: str, number: str, sealer: Sealer, zone: ZoneInfo, now: datetime) -> None:
    """Tells auditors where this intent makes too many, in its transaction."""
    numbers = _distinct(IndexKind.NUMBER, sealer.indexes("name", name), now)
    if numbers >= MANY_NUMBERS:
        _tell("many_numbers", sealer.index("privacy name", name), numbers, zone, now)
    names = _distinct(IndexKind.NAME, sealer.indexes("number", number), now)
    if names >= MANY_NAMES:
        _tell("many_names", sealer.index("privacy number", number), names, zone, now)


def report_limit(name: str, most: int, sealer: Sealer, zone: ZoneInfo, now: datetime) -> None:
    """Tells auditors, in the caller's transaction, that the limit of numbers under one name stopped somebody."""
    _tell("many_numbers", sealer.index("privacy name", name), most, zone, now)


def _distinct(kind: IndexKind, under: list[bytes], now: datetime) -> int:
    """How many different values of `kind` were asked about together with the one of these blind indexes."""
    fixed, other = aliased(IdentityIndex), aliased(IdentityIndex)
    query = (
        select(func.count(other.blind.distinct()))
        .join(fixed, fixed.verification_id == other.verification_id)
        .join(Verification, Verification.id == other.verification_id)
        .where(fixed.blind.in_(under), other.kind == kind, Verification.created_at > now - WINDOW)
    )
    return must_write().scalar(query) or 0


def _tell(kind: str, fingerprint: bytes, count: int, zone: ZoneInfo, now: datetime) -> None:
    mark, day = fingerprint.hex(), day_of(now, zone)
    notices.tell("auditor", kind, f"{kind}:{mark}:{day}", now, count=count, mark=mark[:8], day=day.isoformat())
