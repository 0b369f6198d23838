"""Pure: what a cap and a floor are, and when they refuse.

A cap is the most calls that an operator, a department or a source may use in one day of the reporting zone; a floor is
how many calls of all valid lots are kept for the desk. Only calls that were or may have been charged use them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class CapKind(StrEnum):
    """Whose calls are counted; `FLOOR` counts what is left instead."""

    OPERATOR = "operator"
    DEPARTMENT = "department"
    SOURCE = "source"
    FLOOR = "floor"


class Caller(NamedTuple):
    """Whom one more call would be counted for; `department_id` None: no department."""

    operator_id: int
    department_id: int | None
    source: str


@dataclass(frozen=True, slots=True, order=True)
class Whom:
    """What a cap stands for: `of` is a user's or department's row number or a source, as text."""

    kind: CapKind
    of: str


def heeded(caller: Caller, desk: str) -> list[Whom]:
    """What a call of this caller must heed; the floor is kept for calls from `desk`, so those do not."""
    whom = [Whom(CapKind.OPERATOR, str(caller.operator_id)), Whom(CapKind.SOURCE, caller.source)]
    if caller.department_id is not None:
        whom.append(Whom(CapKind.DEPARTMENT, str(caller.department_id)))
    if caller.source != desk:
        whom.append(Whom(CapKind.FLOOR, desk))
    return whom


def refuses(kind: CapKind, calls: int, *, used: int, remaining: int) -> bool:
    """Whether one more call would pass the cap of so many `calls` a day, or take one of those kept back."""
    return remaining - 1 < calls if kind is CapKind.FLOOR else used + 1 > calls
