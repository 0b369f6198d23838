"""Pure: the people of a made-up year, all of the sandbox's register: whoever verifies one again gets the same answer.

They are numbered. Their numbers begin with a region that was never assigned, so nobody can have them; see
`vendor.sandbox.people`.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from webapp.vendor.sandbox import people

BORN_FROM, BORN_DAYS = date(1945, 1, 1), 22_000
"""Everybody is of age, and alive."""
SEQUENCES = tuple(sequence for sequence in range(1, 1000) if sequence % 100)
"""Without those that a number may end in 000 with, as if a spreadsheet had cut it."""
SIZE = BORN_DAYS * len(SEQUENCES)
STRIDE = 9_999_991
"""A prime: neighbours in the numbering have nothing else in common."""
REFUSED_NAME = "演练特殊字符"
"""The name that the sandbox refuses for its spelling."""


NAMES = tuple(surname + given for surname in people.TOUR_SURNAMES for given in people.TOUR_GIVEN_NAMES)
CHECK = "10X98765432"


class Way(IntEnum):
    """How somebody is asked about; it decides what the register answers."""

    RIGHT = 0
    MISTYPED = 1
    """Another name than the number's."""
    NOBODY = 2
    """A number that nobody has."""
    REFUSED = 3


REGIONS = (people.TOUR_PEOPLE, people.TOUR_PEOPLE, people.TOUR_NOBODY, people.TOUR_PEOPLE)
"""By way."""


@cache
def _weighed(digits: str, place: int) -> int:
    """The part of the check sum that digits at that place make (ISO 7064 MOD 11-2: weights are powers of two)."""
    return sum(int(digit) * pow(2, 17 - place - index, 11) for index, digit in enumerate(digits))


MISTYPED = tuple(name.replace("小", "晓") for name in NAMES)
WRITTEN = (*NAMES, *MISTYPED, REFUSED_NAME)
"""Every name that anybody is asked about by."""


class Known(NamedTuple):
    """Somebody as asked about; `spelled`: the place of the name in `WRITTEN`, `ends`: which last four characters."""

    name: str
    number: str
    spelled: int
    ends: int


class Register:
    """Everybody, by number."""

    def __init__(self) -> None:
        born = [f"{BORN_FROM + timedelta(days=ahead):%Y%m%d}" for ahead in range(BORN_DAYS)]
        self._born = [(day, _weighed(day[:4], 6) + _weighed(day[4:], 10), int(day) * 1000 % len(NAMES)) for day in born]
        self._sequences = [(f"{number:03}", _weighed(f"{number:03}", 14), number) for number in SEQUENCES]
        self._regions = [(region, _weighed(region, 0)) for region in REGIONS]

    def person(self, index: int, way: int) -> Known:
        """Who is asked about in that way; no two of the first `SIZE` have one number."""
        day, place = divmod(index * STRIDE % SIZE, len(self._sequences))
        (region, region_sum), (born, born_sum, called) = self._regions[way], self._born[day]
        sequence, sequence_sum, number = self._sequences[place]
        check = (region_sum + born_sum + sequence_sum) % 11
        spelled = (called + number) % len(NAMES)
        if way == Way.MISTYPED:
            spelled += len(NAMES)
        elif way == Way.REFUSED:
            spelled = len(WRITTEN) - 1
        return Known(WRITTEN[spelled], f"{region}{born}{sequence}{CHECK[check]}", spelled, number * 11 + check)
