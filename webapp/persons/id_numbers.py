"""Citizen ID numbers: what can be said about one without asking anybody. Pure.

Source: GB 11643-1999 (6 region, 8 birth date, 3 sequence, 1 check character by ISO 7064 MOD 11-2).
Use: `number = normalise(typed)`, then `faults(number, today)` blocks, `warnings(number)` asks and
`read(number)` shows.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import NamedTuple

LENGTH = 18
SHOWN = 64
"""Code points that `normalise` keeps at most: enough to show what was typed, never enough to hurt."""
EARLIEST = date(1800, 1, 1)
"""Nobody born before can hold a number: the first were given out in 1984."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")

# Spaces (Unicode Z* and the blank controls), dashes (Pd, minus, soft hyphen), and what has no width:
# joiners, direction marks, variation selectors, fillers. Written out: asking unicodedata costs a second.
_IGNORED = re.compile(
    "["
    "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u2800"
    "\\-\xad\u058a\u05be\u1400\u1806\u2010-\u2015\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0"
    "\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead"
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
    "]+"
)


class NumberFault(StrEnum):
    """Why a call must not be spent on this number."""

    EMPTY = "empty"
    FIFTEEN = "fifteen"
    """A sound number of the first-generation card: offer `from_fifteen` for confirmation."""
    LENGTH = "length"
    CHARACTERS = "characters"
    BIRTH_DATE = "birth_date"
    FUTURE = "future"
    CHECK_CHARACTER = "check_character"


class NumberWarning(StrEnum):
    """What to ask about before a call is spent; never a reason to block."""

    RESIDENCE_PERMIT = "residence_permit"
    """Region 81, 82 or 83: residence permit for Hong Kong, Macao or Taiwan."""
    FOREIGNER = "foreigner"
    """Starts with 9: foreigner's permanent residence card."""
    LOST_DIGITS = "lost_digits"
    """Ends in 000: a spreadsheet keeps 15 digits of a number and writes zeros for the rest."""


class Sex(StrEnum):
    """As the vendor writes it."""

    MALE = "M"
    FEMALE = "F"


class Reading(NamedTuple):
    """What a number says about its holder: a hint, confirmed by nobody."""

    region: str
    """Six digits of GB/T 2260 at the time of coding; retired codes stay valid for ever."""
    birth_date: date
    sex: Sex


def normalise(text: str) -> str:
    """The number as it is sent: no spaces, dashes or invisible marks, half-width, `X` upper-case.

    Idempotent, at most `SHOWN` code points long; cutting never turns a faulty text into a good number.
    """
    kept = unicodedata.normalize("NFKC", _IGNORED.sub("", text)[:SHOWN])
    # NFKC writes "¨" as a space and a mark; without the space the mark may join its neighbour: compose again.
    return unicodedata.normalize("NFC", _IGNORED.sub("", kept)).replace("x", "X")[:SHOWN]


def faults(number: str, today: date) -> NumberFault | None:
    """The first thing wrong with a normalised number, None when a call may be spent. Regions never block."""
    if not number:
        return NumberFault.EMPTY
    if _FIFTEEN.fullmatch(number):
        return faults(from_fifteen(number), today) or NumberFault.FIFTEEN
    if len(number) != LENGTH:
        return NumberFault.LENGTH
    if not _SHAPE.fullmatch(number):
        return NumberFault.CHARACTERS
    born = _birth_date(number)
    if born is None or born < EARLIEST:
        return NumberFault.BIRTH_DATE
    if born > today:
        return NumberFault.FUTURE
    return None if check_character(number[:17]) == number[17] else NumberFault.CHECK_CHARACTER


def warnings(number: str) -> tuple[NumberWarning, ...]:
    """What to ask about a normalised number of 18 characters, faulty or not; empty for other lengths."""
    if not _SHAPE.fullmatch(number):
        return ()
    found = {
        NumberWarning.RESIDENCE_PERMIT: number[:2] in ("81", "82", "83"),
        NumberWarning.FOREIGNER: number[0] == "9",
        NumberWarning.LOST_DIGITS: number.endswith("000"),
    }
    return tuple(warning for warning, present in found.items() if present)


def read(number: str) -> Reading:
    """What the number itself says. The check character is not looked at.

    Raises ValueError unless it has 18 characters with a possible birth date: ask `faults` first.
    """
    born = _birth_date(number) if _SHAPE.fullmatch(number) else None
    if born is None:
        raise ValueError("not a normalised ID number of 18 characters with a possible birth date")
    return Reading(number[:6], born, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def age(birth_date: date, today: date) -> int:
    """Completed years. Who was born on 29 February grows older on 1 March in common years."""
    before_birthday = (today.month, today.day) < (birth_date.month, birth_date.day)
    return today.year - birth_date.year - before_birthday


def check_character(first17: str) -> str:
    """The 18th character for the first 17 (ISO 7064 MOD 11-2). Raises ValueError unless given 17 digits."""
    if not re.fullmatch(r"[0-9]{17}", first17):
        raise ValueError("the check character is computed over 17 digits")
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def from_fifteen(number: str) -> str:
    """The 18 characters for a first-generation number: 19 inserted, check character appended.

    A proposal for the operator to confirm: sequences 996 to 999 once marked people born before 1900, of whom
    nobody lives. Raises ValueError unless there are 15 digits.
    """
    if not _FIFTEEN.fullmatch(number):
        raise ValueError("a first-generation number has 15 digits")
    first17 = f"{number[:6]}19{number[6:]}"
    return first17 + check_character(first17)


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
