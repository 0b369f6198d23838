"""Which verifications a page, or a piece of a file, held: kept in its record in few bytes, and found by each. Pure.

A record keeps the numbers themselves, packed, and the *block* that they lie in: the smallest stretch of 2^n numbers,
from a multiple of 2^n on, that holds them all. Whoever looks for one number asks an index for the blocks that it lies
in, one of each size, and unpacks what is found: exact, at the price of some records too many, and of one entry in the
index for a page of any size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

SIZES = 48
"""Of blocks: numbers stay below 2^47."""


def block(numbers: Sequence[int]) -> int | None:
    """The block that holds all of these numbers; None where there are none."""
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    size = (low ^ high).bit_length()
    return _named(low, size)


def blocks_of(number: int) -> list[int]:
    """Every block that the number lies in."""
    return [_named(number, size) for size in range(SIZES)]


def _named(number: int, size: int) -> int:
    return (number >> size) << 6 | size


def pack(numbers: Iterable[int]) -> str:
    """The numbers as text: the distance from one run to the next, and how many follow its first (`17+3 5`)."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    before, words = 0, []
    for first, last in runs:
        words.append(f"{first - before}+{last - first}" if last > first else f"{first - before}")
        before = last
    return " ".join(words)


def runs(packed: str) -> Iterator[tuple[int, int]]:
    """First and last number of each run. Raises `ValueError` where `pack` did not write this."""
    at = 0
    for word in packed.split():
        gap, _plus, more = word.partition("+")
        first = at + int(gap)
        at = first + int(more or 0)
        yield first, at


def holds(packed: str, wanted: Sequence[int]) -> bool:
    """Whether any of these numbers, ascending, was packed."""
    left = iter(wanted)
    number = next(left, None)
    for first, last in runs(packed):
        while number is not None and number < first:
            number = next(left, None)
        if number is None:
            return False
        if number <= last:
            return True
    return False
