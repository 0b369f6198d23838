"""What a text in the search box may be. Pure.

A text is tried as everything that it may be: four digits end an ID number, and may be a reference too. References are
the users' own, so nearly any text may be one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from webapp.persons import id_numbers, names
from webapp.receipts import commitment, paper

MOST = 100
"""Longest text, code points: as long as the longest name."""
MOST_REFERENCE = 80
SHORTEST_LATIN = 4
"""Fewer letters or digits stand in any words."""

_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_LAST_FOUR = re.compile(r"[0-9]{3}[0-9X]")
_HAN = f"[{names.HAN}{names.PRIVATE}]"
_REQUEST_ID = re.compile(r"(?=.*[0-9])[!-~]{16,64}")


class Kind(StrEnum):
    """As what a text is looked for."""

    NUMBER = "number"
    NAME = "name"
    """A name that is too long for `BEGINNING`, or how one begins: see `long_names`."""
    BEGINNING = "beginning"
    """A name, or how one begins."""
    LAST_FOUR = "last4"
    RECEIPT = "receipt"
    REQUEST_ID = "request_id"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a text may be; `value` as what was stored is written."""

    kind: Kind
    value: str = field(repr=False)


def readings(text: str) -> tuple[Reading, ...]:
    """All that the text may be, the likeliest first; nothing where it is empty or longer than anything stored."""
    stripped = text.strip()
    if not stripped or len(stripped) > MOST:
        return ()
    found = [_number(stripped), _name(stripped), _last_four(stripped), _receipt(stripped), _request_id(stripped)]
    if len(stripped) <= MOST_REFERENCE:
        found.append(Reading(Kind.REFERENCE, stripped))
    return tuple(one for one in found if one is not None)


def tells(text: str) -> list[str]:
    """What tells whom a search is for: the text and all that it may be, but for what is too short to tell."""
    found = {text.strip(), *(one.value for one in readings(text))}
    return [one for one in found if len(one) >= (SHORTEST_LATIN if one.isascii() else names.BEGINNING_FROM)]


def _number(text: str) -> Reading | None:
    number = id_numbers.normalise(text)
    if _FIFTEEN.fullmatch(number):
        number = id_numbers.from_fifteen(number)
    return Reading(Kind.NUMBER, number) if _NUMBER.fullmatch(number) else None


def _name(text: str) -> Reading | None:
    name = names.normalise(text)
    written = re.search(_HAN, name) or (any(map(str.isalpha, name)) and not any(map(str.isdigit, name)))
    if not written or len(name) < names.BEGINNING_FROM or names.faults(name):
        return None
    return Reading(Kind.BEGINNING if len(name) <= names.BEGINNING_TO else Kind.NAME, name)


def _last_four(text: str) -> Reading | None:
    ending = id_numbers.normalise(text)
    return Reading(Kind.LAST_FOUR, ending) if _LAST_FOUR.fullmatch(ending) else None


def _receipt(text: str) -> Reading | None:
    try:
        return Reading(Kind.RECEIPT, commitment.read_number(text))
    except paper.Mistyped:
        return None


def _request_id(text: str) -> Reading | None:
    return Reading(Kind.REQUEST_ID, text) if _REQUEST_ID.fullmatch(text) else None
