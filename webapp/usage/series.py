"""Pure: counted calls as the series that charts draw. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)

CONCLUSIVE = ("match", "mismatch", "no_such_number")
"""Outcomes that answer the question."""
OUTCOMES = (*CONCLUSIVE, "invalid_input", "maintenance", "refused", "unknown", "unexpected", "sending")
"""In the order of drawing."""
OTHERS = "others"
MOST = 9
"""Series told apart by colour and pattern; what is smaller stands under `OTHERS`."""


class Series(NamedTuple):
    """Calls of one kind in each slot, the oldest first."""

    key: str
    values: list[int]

    @property
    def total(self) -> int:
        """Of all slots."""
        return sum(self.values)


def added(lines: Iterable[Sequence[int]]) -> list[int]:
    """The sum of lines of numbers, place by place; empty where there is none."""
    return [sum(numbers) for numbers in zip(*lines, strict=True)]


def together(lines: Mapping[Key, Sequence[int]], key: Callable[[Key], Other]) -> dict[Other, list[int]]:
    """Lines whose keys come to the same are one, their sum."""
    groups: dict[Other, list[Sequence[int]]] = {}
    for one, numbers in lines.items():
        groups.setdefault(key(one), []).append(numbers)
    return {one: list(some[0]) if len(some) == 1 else added(some) for one, some in groups.items()}


def stack(lines: Mapping[str, list[int]], order: Iterable[str] = ()) -> list[Series]:
    """One series for each key that occurs: in `order`, then the largest first."""
    ranks = {key: rank for rank, key in enumerate(order)}
    series = [Series(key, found) for key, found in lines.items() if any(found)]
    return sorted(series, key=lambda one: (ranks.get(one.key, len(ranks)), -one.total, one.key))


def largest(series: Sequence[Series], most: int = MOST) -> list[Series]:
    """The series as they are, or where they are too many the largest and the sum of all others."""
    if len(series) <= most:
        return list(series)
    kept = sorted(series, key=lambda one: -one.total)[: most - 1]
    rest = [one.values for one in series if one not in kept]
    return [*(one for one in series if one in kept), Series(OTHERS, [sum(calls) for calls in zip(*rest, strict=True)])]


def week(
    clock: Mapping[int, Sequence[int]], first: date, lead: int, ends: Sequence[int]
) -> dict[int, list[float | None]]:
    """What a weekday's hour of the clock brings on average (None: there was none yet), by weekday (0: Monday), those
    that occur only.

    `clock`: calls of each day from `first` on, by hour of the clock. `ends`: for each of the 24 hours the number of
    days from `first` on that had it; the first `lead` of them do not count.
    """
    cells: dict[int, list[float | None]] = {}
    for begin in range(min(7, max(ends))):
        start = begin if begin >= lead else begin - (begin - lead) // 7 * 7
        counts = [len(range(start, end, 7)) for end in ends]
        found = [sum(clock.get(hour, ())[start:end:7]) for hour, end in enumerate(ends)]
        cells[(first.weekday() + begin) % 7] = [
            number / many if many else None for number, many in zip(found, counts, strict=True)
        ]
    return dict(sorted(cells.items()))


def success(by_outcome: Mapping[str, int]) -> float | None:
    """The share of the finished calls that were answered; None where none is finished."""
    finished = sum(calls for outcome, calls in by_outcome.items() if outcome != "sending")
    answered = sum(by_outcome.get(outcome, 0) for outcome in CONCLUSIVE)
    return answered / finished if finished else None


def change(now: int, then: int) -> float | None:
    """How much more than then, as a share of it; None where then was nothing."""
    return (now - then) / then if then else None
