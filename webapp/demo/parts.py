"""Pure: what of a person is shared by many calls: a number, a name, its last four characters, the place that was told.

Each such part has a number, from which it can be made again: so a call is kept beside four numbers, and every blind
index is made once, however many calls it finds.
"""

from __future__ import annotations

from enum import IntEnum

from webapp.demo.outcomes import CITY, PROVINCE, Kind
from webapp.demo.register import CHECK, NAMES, REFUSED_NAME, Register, Way


class Part(IntEnum):
    """What a part is of a person: the lowest digit of its number."""

    NUMBER = 0
    NAME = 1
    LAST_FOUR = 2
    PLACE = 3


def parts(index: int, kind: Kind, number: str) -> tuple[int, int, int, int | None]:
    """The parts of whom a call was about: person `index` of the register, with that ID number."""
    name = len(NAMES) * 2 if kind.way == Way.REFUSED else int(number[6:17]) % len(NAMES)
    if kind.way == Way.MISTYPED:
        name += len(NAMES)
    last_four = int(number[14:17]) * 11 + CHECK.index(number[17])
    return (
        (index * 2 + (kind.way == Way.NOBODY)) * len(Part) + Part.NUMBER,
        name * len(Part) + Part.NAME,
        last_four * len(Part) + Part.LAST_FOUR,
        Part.PLACE.value if kind.derived else None,
    )


def person_with(part: int, register: Register) -> dict[str, str]:
    """The fields of a person who has that part, and nothing else that anybody is found by, but for a number: its
    person is found by the last four characters too."""
    which, of = Part(part % len(Part)), part // len(Part)
    match which:
        case Part.NUMBER:
            return {"name": "", "number": register.person(of // 2, Way.NOBODY if of % 2 else Way.RIGHT)[1]}
        case Part.NAME:
            names = [*NAMES, *(name.replace("小", "晓") for name in NAMES), REFUSED_NAME]
            return {"name": names[of], "number": ""}
        case Part.LAST_FOUR:
            return {"name": "", "number": f"{of // 11:03}{CHECK[of % 11]}"}
        case Part.PLACE:
            return {"name": "", "number": "", "province": PROVINCE, "city": CITY}
