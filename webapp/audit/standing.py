"""What proves that a record was written by this product: its stamp, the seal that found it, or nothing.

Readers of the trail see this beside each record: the verifier says it of the whole trail, but a page is believed too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum

from sqlalchemy import func, select

from webapp.audit import chain, stored
from webapp.audit.sealer import secrets_of
from webapp.audit.segments import AuditSegment
from webapp.audit.stamps import is_stamped
from webapp.audit.stored import Record, Segment
from webapp.foundation.database import db
from webapp.foundation.keys import Keys


class Standing(StrEnum):
    """How much a record proves."""

    OURS = "ours"
    """It carries our stamp."""
    AS_FOUND = "as_found"
    """From before there were stamps, or loaded in bulk: it is as it was when it was sealed, of before nobody knows."""
    NOT_OURS = "not_ours"
    """It carries neither: it was inserted, copied, or changed."""


def standings(numbers: Collection[int], keys: Keys) -> dict[int, Standing]:
    """How much each of these records proves, as they lie in the database now."""
    return standings_of(stored.some(numbers), keys)


def standings_of(records: Iterable[Record], keys: Keys) -> dict[int, Standing]:
    """As `standings`, of records that were read already."""
    found, left = {}, []
    for record in records:
        if is_stamped(record, keys):
            found[record.id] = Standing.OURS
        else:
            left.append(record)
    return found | dict(_unstamped(sorted(left, key=lambda record: record.id), keys))


def _unstamped(records: list[Record], keys: Keys) -> Iterator[tuple[int, Standing]]:
    secrets = secrets_of(keys)
    segment: Segment | None = None
    marks: dict[int, bytes] = {}
    for record in records:
        if segment is None or record.id > segment.last_id:  # one segment holds thousands
            segment = _around(record.id)
            secret = secrets.get(segment.key_id) if segment else None
            is_found = secret is not None and segment and chain.is_sealed(secret, (chain.FOUND,), segment)
            marks = dict(chain.unpack_marks(segment.marks)) if segment and is_found else {}
        known = segment is not None and record.id in marks
        same = known and segment and marks[record.id] == chain.mark(secrets[segment.key_id], record.row)
        yield record.id, Standing.AS_FOUND if same else Standing.NOT_OURS


def _around(number: int) -> Segment | None:
    """The first segment that ends at this record or behind it: twenty looks among a million."""
    column = AuditSegment.number
    low, high = db.session.execute(select(func.min(column), func.max(column))).one()
    if high is None:
        return None
    while low < high:
        middle = (low + high) // 2
        last = db.session.scalar(select(AuditSegment.last_id).where(column >= middle).order_by(column).limit(1))
        low, high = (low, middle) if last is not None and last >= number else (middle + 1, high)
    segment = next(stored.segments(low - 1, most=1), None)
    return segment if segment is not None and segment.first_id <= number <= segment.last_id else None
