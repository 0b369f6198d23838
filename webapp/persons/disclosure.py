"""How much of an ID number may stand together: what is shown must leave too many numbers to be tried out. Pure.

A number is a region (6 digits), a birthday (8), a sequence number (3, odd for men) and a check character.
Places, birthday, age and sex are pieces of it as much as its own characters are.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Part(StrEnum):
    """A piece of a number that a page, a sheet of paper or a file shows."""

    FIRST = "first"
    LAST = "last"
    LAST_FOUR = "last_four"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    BIRTHDAY = "birthday"
    AGE = "age"
    SEX = "sex"


MASKED = frozenset({Part.FIRST, Part.LAST, Part.PROVINCE, Part.CITY, Part.SEX})
"""All that may be shown of one masked person, on whichever pages: they are read side by side."""
LEAST = 100_000
"""Numbers that must be left by what is shown. At twenty paid calls a day for one name, trying them out takes longer
than a career; the search, which says yes or no too, has limits of its own (`webapp/history/search_rules.py`)."""

_PLACES = frozenset({Part.FIRST, Part.PROVINCE, Part.CITY, Part.COUNTY})
_REGIONS, _DAYS, _DAYS_OF_AN_AGE, _SEQUENCES, _CHECKS = 3000, 36_500, 365, 1000, 11


def candidates(shown: Collection[Part]) -> int:
    """At least how many numbers fit what is shown, whoever it is: a first digit or a province may have one region only
    (71, 81, 82), a century of birthdays is possible, and the check character divides what is left by eleven."""
    regions = 1 if _PLACES & set(shown) else _REGIONS
    days = 1 if Part.BIRTHDAY in shown else _DAYS_OF_AN_AGE if Part.AGE in shown else _DAYS
    sequences = 1 if Part.LAST_FOUR in shown else _SEQUENCES // 2 if Part.SEX in shown else _SEQUENCES
    checks = _CHECKS if {Part.LAST, Part.LAST_FOUR} & set(shown) else 1
    return regions * days * sequences // checks


def may_stand_together(shown: Collection[Part]) -> bool:
    """Whether these pieces of one number, seen together, are still far from giving it back."""
    return candidates(shown) >= LEAST
