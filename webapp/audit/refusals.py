"""What the sealer finds that should not be: records without our stamp, and, on SQLite, numbers whose record is gone.

Both are recorded in the trail itself, where they are sealed: what was done stays known when its traces are wiped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import structlog
from sqlalchemy import select

from webapp.audit import stored
from webapp.audit.segments import AuditSegment
from webapp.audit.stamps import is_stamped
from webapp.audit.trail import SYSTEM, Action, AuditRecord, append
from webapp.foundation.database import db
from webapp.foundation.keys import Keys

log = structlog.get_logger("yuliang.audit")


class Span(NamedTuple):
    """Numbers of records: the first, the last, and how many between the two, both included, are meant."""

    first: int
    last: int
    records: int


class Odd(NamedTuple):
    """What was found: refused records, and missing ones."""

    refused: Span | None
    missing: Span | None


def span(numbers: Sequence[int]) -> Span | None:
    """These numbers, ascending; None where there are none."""
    return Span(numbers[0], numbers[-1], len(numbers)) if numbers else None


def gaps(above: int, there: Sequence[int]) -> Span | None:
    """The numbers that are missing above `above`, up to the last of those that are there, ascending."""
    holes = [(one + 1, other - 1) for one, other in pairwise([above, *there]) if other > one + 1]
    return Span(holes[0][0], holes[-1][1], sum(last - first + 1 for first, last in holes)) if holes else None


def record(odd: Odd, now: datetime) -> None:
    """Writes down, in the caller's transaction, what is passed by for good."""
    for action, found in ((Action.RECORDS_REFUSED, odd.refused), (Action.RECORDS_MISSING, odd.missing)):
        if found is not None:
            append(SYSTEM, action, now, success=False, **found._asdict())
            log.error(action.value.replace("_", " "), **found._asdict())


def standing(keys: Keys, most: int) -> Iterator[int]:
    """The numbers of refused records that still stand in the trail, and of those that will be refused; `most` at most
    of either."""
    newest = db.session.scalar(select(AuditSegment.last_id).order_by(AuditSegment.number.desc()).limit(1)) or 0
    told = select(AuditRecord.detail).where(AuditRecord.action == Action.RECORDS_REFUSED).order_by(AuditRecord.id)
    left = most
    for detail in db.session.scalars(told.limit(most)).all():
        first, last = detail.get("first"), detail.get("last")
        if isinstance(first, int) and isinstance(last, int):
            for number in _unstamped(first - 1, min(last, newest), keys, left):
                left -= 1
                yield number
    yield from _unstamped(newest, None, keys, most)


def _unstamped(above: int, upto: int | None, keys: Keys, most: int) -> Iterator[int]:
    for one in stored.records(above, upto):
        if most <= 0:
            return
        if not is_stamped(one, keys):
            most -= 1
            yield one.id
