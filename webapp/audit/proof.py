"""Which of the oldest segments are as they were sealed, and what lies between them that is not. Reads only.

A segment is proven by its own seal, by those before and behind it where they are ours, and by its records. Where two
that we sealed do not follow each other nobody knows which is of another chain: neither is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from webapp.audit import chain, stored
from webapp.audit.gaps import Gap, Point
from webapp.audit.stored import Segment

MOST_PASSED = 2_000
"""Segments in a row that are looked at for one that is proven."""


class NotSound(Exception):
    """Nothing can be dropped behind this: it is kept as evidence, and `yuliang verify-audit` names it."""


def proven(
    at: Point, limit: str, secrets: Mapping[str, bytes], last: int | None = None
) -> Iterator[tuple[Gap, Segment]]:
    """Each proven segment behind `at` that was sealed before `limit`, with what lies before it that is not proven: a
    gap of no segments where nothing does. The newest segment is left out; `last`: none behind this number is meant.

    Raises `NotSound` where too many in a row are not proven.
    """
    before: Segment | None = None
    passed = 0
    for segment, behind in pairwise(stored.segments(at.number)):
        ours = _is_ours(segment, secrets)
        if (ours and segment.sealed_at >= limit) or (last is not None and segment.number > last):
            return
        if not (ours and _follows(segment, at, before, secrets) and _is_followed(segment, behind, secrets)
                and _holds(segment, at, secrets)):  # fmt: skip
            before, passed = segment, passed + 1
            if passed > MOST_PASSED:
                raise NotSound(f"the segments from {at.number + 1} on are not as they were sealed")
            continue
        yield (
            Gap(at.number + 1, segment.number - 1, at.last_id, segment.first_id - 1, at.seal, segment.previous),
            segment,
        )
        at, before, passed = Point(segment.number, segment.last_id, segment.seal), segment, 0


def _is_ours(segment: Segment, secrets: Mapping[str, bytes]) -> bool:
    secret = secrets.get(segment.key_id) if isinstance(segment.key_id, str) else None
    return secret is not None and chain.is_sealed(secret, chain.SEGMENT, segment)


def _follows(segment: Segment, at: Point, before: Segment | None, secrets: Mapping[str, bytes]) -> bool:
    """Whether it follows the segment before it, where that one is known or was sealed by us."""
    if segment.number == at.number + 1:
        return segment.previous == at.seal
    if before is None or before.number + 1 != segment.number or not _is_ours(before, secrets):
        return True
    return segment.previous == before.seal


def _is_followed(segment: Segment, behind: Segment, secrets: Mapping[str, bytes]) -> bool:
    """Whether the segment behind it follows it, where that one was sealed by us."""
    return behind.number != segment.number + 1 or not _is_ours(behind, secrets) or behind.previous == segment.seal


def _holds(segment: Segment, at: Point, secrets: Mapping[str, bytes]) -> bool:
    """Whether its records are those that were sealed, and no others stand among them."""
    if segment.first_id <= at.last_id:
        return False
    above = at.last_id if segment.number == at.number + 1 else segment.first_id - 1
    rows = (one.row for one in stored.records(above, segment.last_id))
    return chain.content(secrets[segment.key_id], rows) == segment.content
