"""`yuliang verify-audit`: whether the trail is as it was sealed."""

from __future__ import annotations

import re
from collections.abc import Callable

from webapp.audit.gaps import Gap
from webapp.audit.verifier import AsFound, Verdict, verify
from webapp.foundation.keys import Keys

MOST_NAMED = 1_000
"""Faults that are told one by one."""


class WrongHead(Exception):
    """What was given as a head is none; the message says what one is."""


def verify_trail(keys: Keys, expected_head: str | None, tell: Callable[[str], None]) -> Verdict:
    """Verifies the whole trail and tells its faults as they are found. Raises `WrongHead`."""
    head = (expected_head or "").strip().lower()
    if expected_head is not None and not re.fullmatch(r"[0-9a-f]{64}", head):
        raise WrongHead("HEX must be a head as this command prints it: 64 hexadecimal digits")
    named = iter(range(MOST_NAMED))
    return verify(keys, lambda fault: tell(fault) if next(named, None) is not None else None, head)


def told(verdict: Verdict) -> list[str]:
    """The verdict in words."""
    lines = [f"{verdict.records} records in {verdict.segments} segments were compared with their seals."]
    lines += map(_as_found, verdict.as_found)
    lines += map(_left, verdict.left)
    if verdict.unsealed:
        since = f"{verdict.unsealed} records since {verdict.unsealed_since[:19]} UTC"
        lines.append(f"{since} are not sealed yet, and prove nothing: a worker seals them within seconds.")
    if verdict.head:
        lines.append(f"Head: {verdict.head}")
    if verdict.faults > MOST_NAMED:
        lines.append(f"Only the first {MOST_NAMED} faults are named.")
    sound = "Nothing was changed, removed, inserted or reordered."
    return [*lines, f"{verdict.faults} faults." if verdict.faults else sound]


def _left(gap: Gap) -> str:
    segments = f"Segment {gap.first}" if gap.first == gap.last else f"Segments {gap.first} to {gap.last}"
    return f"{segments} stayed when all around was dropped, for the purge found what is not as it was sealed."


def _as_found(some: AsFound) -> str:
    since, until = some.since[:19], some.until[:19]
    when = f"at {until} UTC" if since == until else f"from {since} to {until} UTC"
    which = f"Records {some.first_id} to {some.last_id} were sealed as they were found {when}"
    return f"{which}: nothing is proven of the time before."
