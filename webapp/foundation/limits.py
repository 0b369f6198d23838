"""Pure: how limits on paid calls are written (`YULIANG_LIMITS`)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class Subject(StrEnum):
    """What a limit counts calls of; for `NAME` it counts distinct numbers."""

    OPERATOR = "operator"
    NUMBER = "number"
    NAME = "name"


class Limit(NamedTuple):
    """At most `most` in `seconds` per subject."""

    subject: Subject
    most: int
    seconds: int


def limits_text(limits: tuple[Limit, ...]) -> str:
    """Limits as `parse_limits` reads them."""
    units = {seconds: unit for unit, seconds in SECONDS.items()}
    return ";".join(f"{limit.subject}={limit.most}/{units[limit.seconds]}" for limit in limits)


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Reads `operator=60/minute;number=10/day`; empty means no limit. Raises `ValueError`."""
    limits = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        match = re.fullmatch(r"(operator|number|name)=([1-9]\d{0,8})/(minute|hour|day)", part, re.ASCII)
        if match is None:
            raise ValueError(f"«{part[:40]}» is not of the form operator|number|name=N/minute|hour|day.")
        limits.append(Limit(Subject(match[1]), int(match[2]), SECONDS[match[3]]))
    return tuple(limits)
