"""Names as the register of citizens writes them. Pure.

A name is never NFKC- or NFC-normalised: both replace characters (U+FA0C would become U+5140) and the vendor
compares characters. Lengths are code points; Han outside the BMP (GB 18030-2022) is as good as any.
"""

import re
import unicodedata
from enum import StrEnum

MOST = 100
"""Longest name, code points; the vendor's own limit is unknown, 50 must fit."""
BEGINNING_FROM, BEGINNING_TO = 2, 10
"""Shortest and longest beginning that is indexed, code points: one would give surnames away by frequency."""

SEPARATOR = "\u00b7"
"""The official dot between the parts of a name."""

# What people type instead, first the keys: . ． ﹒ and what a Chinese input method makes of them: 。 ｡; then
# Japanese and Korean middle dots, bullets and mathematical dots; then what looks the same in most fonts: ano
# teleia, dot leader, hyphenation point, word separator, raised dot, sinological dot.
LOOK_ALIKES = (
    "\u00b7.\uff0e\ufe52\u3002\uff61\u30fb\uff65\u318d\u2022\u25cf\u2219\u22c5\u0387\u2024\u2027\u2e31\u2e33\ua78f"
)

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
"""Inside a character class: Han characters, 〇 and all of planes 2 and 3, assigned yet or not."""
# Systems older than GB 18030-2022 keep rare characters in private-use areas: good neighbours of a dot.
PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010fffd"
_BLANK = " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
# Patterns, not compiled: a class so large takes milliseconds, of which a start has none to spare. `re` keeps them.
_BETWEEN = f"(?<=[{HAN}{PRIVATE}])[{_BLANK}{re.escape(LOOK_ALIKES)}]+(?=[{HAN}{PRIVATE}])"
_INVISIBLE = "[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+"
_NOT_HAN = f"[^{HAN}]"
# What pictures and bytes that were no text leave: emoji and other signs, those of Unicode's later versions too, U+FFFD
# among them, and %FF as a form's parser leaves it. Radicals, strokes and what describes a character may pass.
_DRAWN = "\u2e80-\u2fff\u303e\u31c0-\u31ef"
_PICTURE = f"[^{HAN}{_DRAWN}]"
_PICTURED = "[\U0001f000-\U0001fbff]|%[0-9A-Fa-f]{2}"
_PLACED = f"(?<=[{HAN}{PRIVATE}]){SEPARATOR}(?=[{HAN}{PRIVATE}])"


class NameFault(StrEnum):
    """Why a call must not be spent on this name."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL = "control"
    """Control characters, line breaks or halves of surrogate pairs: no name holds them."""
    UNREADABLE = "unreadable"
    """Emoji and other pictures, or traces of bytes that were no text."""


class NameWarning(StrEnum):
    """What may make the vendor answer 0002 or 0008; never a reason to block."""

    DIGITS = "digits"
    LETTERS = "letters"
    """Letters that are not Han: Latin, Cyrillic, kana …"""
    PUNCTUATION = "punctuation"
    """Also blanks, and a `·` that does not stand between two Han characters."""
    SYMBOLS = "symbols"
    """Signs, variation selectors, private-use characters."""


def normalise(text: str) -> str:
    """The name as it is sent: trimmed, no invisible marks, `·` for every look-alike between Han characters.

    Blanks between Han characters go too: forms pad ('张　三') and people set blanks around the dot, but the
    register has none. Line breaks and tabs inside stay, so that two pasted names never become one (`faults`
    finds them). Idempotent; the time is linear in the length.
    """
    trimmed = re.sub(_INVISIBLE, "", text).strip()
    return re.sub(_BETWEEN, lambda found: "" if found[0].isspace() else SEPARATOR, trimmed)


def faults(name: str) -> NameFault | None:
    """The first thing wrong with a normalised name, None when a call may be spent. HTML is text."""
    if not name.strip():
        return NameFault.EMPTY
    if len(name) > MOST:
        return NameFault.TOO_LONG
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        return NameFault.CONTROL
    return NameFault.UNREADABLE if _unreadable(name) else None


def warnings(name: str) -> tuple[NameWarning, ...]:
    """What to ask about a normalised name, each at most once, in the order of `NameWarning`."""
    strange = re.findall(_NOT_HAN, re.sub(_PLACED, "", name))
    present = {_kind(character) for character in strange}
    return tuple(warning for warning in NameWarning if warning in present)


def beginnings(name: str) -> tuple[str, ...]:
    """What a search by beginning finds: the prefixes of 2 to 10 code points, a name so short included."""
    return tuple(name[:size] for size in range(BEGINNING_FROM, min(len(name), BEGINNING_TO) + 1))


def _unreadable(name: str) -> bool:
    pictures = any(unicodedata.category(one) == "So" for one in re.findall(_PICTURE, name))
    return pictures or re.search(_PICTURED, name) is not None


def _kind(character: str) -> NameWarning:
    by_class = {
        "N": NameWarning.DIGITS,
        "L": NameWarning.LETTERS,
        "P": NameWarning.PUNCTUATION,
        "Z": NameWarning.PUNCTUATION,
    }
    return by_class.get(unicodedata.category(character)[0], NameWarning.SYMBOLS)
