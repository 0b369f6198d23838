"""Codes that people read from paper and type: Crockford's base 32 with a check character. Pure.

The letters I, L, O and U are never written; I and L are read as 1, O as 0, small letters and full-width ones as what
they mean, blanks and dashes not at all. The check character is a weighted sum over the field of 32 elements: each
place has a weight of its own (a power of the generator), so that any one mistyped character and any two exchanged
ones are told, for codes of up to 31 characters.
Source of the alphabet: https://www.crockford.com/base32.html
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP = 4
MOST_TYPED = 100
"""Characters that are looked at, blanks and dashes included: more is no code of ours."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_SEPARATORS = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff]+")


class Slip(StrEnum):
    """Why a text is no code, before anything is compared with it."""

    EMPTY = "empty"
    LENGTH = "length"
    CHARACTERS = "characters"
    CHECK = "check"
    """The check character does not fit the others: something was mistyped."""


class Mistyped(Exception):
    """The text is no code; `slip` says why."""

    def __init__(self, slip: Slip) -> None:
        super().__init__(slip.value)
        self.slip = slip


def write(value: int, size: int) -> str:
    """`value` in `size` characters and a check character. Raises ValueError where it does not fit."""
    if not 0 <= value < 32**size or size > 30:
        raise ValueError(f"needs a value that fits into {size} of at most 30 characters")
    digits = [value >> 5 * place & 31 for place in reversed(range(size))]
    return "".join(ALPHABET[digit] for digit in (*digits, _check(digits)))


def read(text: str, size: int) -> int:
    """The value that was written in `size` characters, typed in whichever way. Raises `Mistyped`."""
    plain = _plain(text)
    if not plain:
        raise Mistyped(Slip.EMPTY)
    if any(character not in _VALUES for character in plain):
        raise Mistyped(Slip.CHARACTERS)
    if len(plain) != size + 1:
        raise Mistyped(Slip.LENGTH)
    *digits, check = (_VALUES[character] for character in plain)
    if _check(digits) != check:
        raise Mistyped(Slip.CHECK)
    value = 0
    for digit in digits:
        value = value << 5 | digit
    return value


def grouped(code: str) -> str:
    """'7K3M-9QXT-4H2C': as it is printed."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def _plain(text: str) -> str:
    if len(text) > MOST_TYPED:
        raise Mistyped(Slip.LENGTH)
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def _powers() -> list[int]:
    """The powers of the generator x of GF(32) = GF(2)[x] / (x⁵ + x² + 1), all 31 of them."""
    powers = [1]
    while len(powers) < 31:
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0b100101 if doubled & 32 else doubled)
    return powers


_POWER = _powers()
_LOG = {power: exponent for exponent, power in enumerate(_POWER)}


def _check(digits: list[int]) -> int:
    """What makes the weighted sum of all places nothing; the check character's own weight is 1."""
    total = 0
    for place, digit in enumerate(reversed(digits), start=1):
        if digit:
            total ^= _POWER[(_LOG[digit] + place) % 31]
    return total
