"""Pure: what of a person is shared by many calls: a number, a name, its last four characters, the place that was told.

Each such part has a number: so a call is kept beside four numbers, and every blind index is made once, however many
calls it finds. What people are found by is what `verification.identities.found_by` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum

from webapp.demo.outcomes import CITY, PROVINCE
from webapp.demo.rows import Row
from webapp.persons.names import beginnings
from webapp.persons.places import plain_city, plain_province


class Part(IntEnum):
    """What a part is of a person: the lowest digit of its number."""

    NUMBER = 0
    NAME = 1
    LAST_FOUR = 2
    PLACE = 3


def found_by(part: Part, text: str) -> list[tuple[str, str]]:
    """What leads to who has that part, as kinds and values of blind indexes."""
    match part:
        case Part.NUMBER:
            return [("number", text)]
        case Part.NAME:
            return [("name", text), *(("beginning", beginning) for beginning in beginnings(text))]
        case Part.LAST_FOUR:
            return [("last4", text[-4:])]
        case Part.PLACE:
            province = plain_province(PROVINCE)
            return [("province", province), ("city", f"{province}\0{plain_city(CITY)}")]


class Parts:
    """Makes the blind indexes of each part when it is met first."""

    def __init__(self, index: Callable[[str, str], bytes]) -> None:
        self._index = index
        self._met = {part: bytearray() for part in Part}

    def new(self, part: Part, numbers: Iterable[int], texts: Iterable[str]) -> Iterator[Row]:
        """Rows of `staging.PART`, for those of these that were not met before: their numbers, and what they say."""
        met = self._met[part]
        for number, text in dict(zip(numbers, texts, strict=True)).items():
            if number >= len(met):
                met.extend(bytes(number + 1 - len(met)))
            if not met[number]:
                met[number] = 1
                for kind, value in found_by(part, text):
                    yield self._index(kind, value), number * len(Part) + part, kind
