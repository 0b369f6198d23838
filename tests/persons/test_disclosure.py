"""How much of an ID number may stand together: counted out, for every combination of pieces."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import chain, combinations

import pytest

from webapp.persons.disclosure import LEAST, MASKED, Part, candidates, may_stand_together
from webapp.persons.id_numbers import check_character

COMBINATIONS = [frozenset(some) for some in chain.from_iterable(combinations(Part, n) for n in range(len(Part) + 1))]
TODAY = date(2026, 11, 2)
SPARSE = {"71": ["710000"], "11": [f"1101{n:02}" for n in range(1, 20)]}
"""Provinces of this world, with their regions: one of them has a single one."""


def numbers_of(shown: frozenset[Part], number: str) -> int:
    """How many numbers tell the same as `number` in these pieces, counted one by one, whoever is under 100."""
    regions = [one for some in SPARSE.values() for one in some]
    if Part.FIRST in shown:
        regions = [one for one in regions if one[0] == number[0]]
    if {Part.PROVINCE, Part.CITY} & shown:
        regions = [one for one in regions if one[:2] == number[:2]]
    if Part.COUNTY in shown:
        regions = [number[:6]]
    return sum(_in_region(shown, number, region) for region in regions)


def _in_region(shown: frozenset[Part], number: str, region: str) -> int:
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    sequences = range(1000)
    if Part.LAST_FOUR in shown:
        sequences = range(int(number[14:17]), int(number[14:17]) + 1)
    elif Part.SEX in shown:
        sequences = range(int(number[16]) % 2, 1000, 2)
    days = [born + timedelta(days=n) for n in range(-180, 180)] if Part.AGE in shown else [born]
    if Part.BIRTHDAY in shown:
        days = [born]
    bodies = (f"{region}{day:%Y%m%d}{sequence:03}" for day in days for sequence in sequences)
    ends = bool({Part.LAST, Part.LAST_FOUR} & shown)
    return sum(1 for body in bodies if not ends or check_character(body) == number[17])


def test_of_a_known_birthday_no_fewer_numbers_are_left_than_counted() -> None:
    """The bound is one of thousands of regions where no place is told; in this sparse world the first digit is."""
    number = "71000019900308001"
    number += check_character(number)
    for told in (parts | {Part.FIRST} for parts in COMBINATIONS if Part.BIRTHDAY in parts):
        assert candidates(told) <= numbers_of(told, number) + 1000 % 11, sorted(told)
        assert not may_stand_together(told), sorted(told)


def test_of_a_known_age_too_few_are_left_where_the_place_is_known_too() -> None:
    number = "71000019900308001"
    number += check_character(number)
    shown = frozenset({Part.PROVINCE, Part.AGE, Part.SEX, Part.LAST})

    assert candidates(shown) * 0.9 < numbers_of(shown, number) < LEAST
    assert not may_stand_together(shown)


def test_every_piece_more_leaves_no_more_numbers() -> None:
    for parts in COMBINATIONS:
        for part in Part:
            assert candidates(parts | {part}) <= candidates(parts)


def test_all_that_masked_pages_show_may_stand_together_in_any_combination() -> None:
    assert all(may_stand_together(parts) for parts in COMBINATIONS if parts <= MASKED)


@pytest.mark.parametrize("part", sorted(set(Part) - MASKED - {Part.COUNTY}))
def test_nothing_more_may_stand_beside_them(part: Part) -> None:
    assert not may_stand_together(MASKED | {part})


def test_the_last_four_stand_only_where_no_place_and_no_birthday_do() -> None:
    assert may_stand_together({Part.LAST_FOUR})
    for part in (Part.FIRST, Part.PROVINCE, Part.CITY, Part.COUNTY, Part.BIRTHDAY):
        assert not may_stand_together({Part.LAST_FOUR, part})


def test_a_masked_number_beside_birthday_and_county_gives_it_back() -> None:
    assert candidates({Part.FIRST, Part.LAST, Part.BIRTHDAY, Part.COUNTY, Part.SEX}) < 50
