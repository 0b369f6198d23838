"""ID numbers: the standard's arithmetic, the shared vectors, and what typing and copying do to a number."""

import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.persons.people import TODAY, VECTORS, blots, few, numbers, texts
from webapp.persons import id_numbers
from webapp.persons.id_numbers import NumberFault, NumberWarning, Sex

every_number = pytest.mark.parametrize("vector", VECTORS["numbers"], ids=lambda vector: ascii(vector["text"]))


@every_number
def test_a_published_number_gets_its_verdict(vector: dict[str, Any]) -> None:
    number = id_numbers.normalise(vector["text"])
    assert number == vector["number"]
    assert id_numbers.faults(number, TODAY) == vector["fault"]
    assert list(id_numbers.warnings(number)) == vector["warnings"]


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS["numbers"] if "sex" in v], ids=lambda vector: ascii(vector["text"])
)
def test_a_sound_number_tells_region_birthday_sex_and_age(vector: dict[str, Any]) -> None:
    reading = id_numbers.read(vector["number"])
    assert reading.region == vector["region"]
    assert reading.birth_date == date.fromisoformat(vector["birth_date"])
    assert reading.sex == vector["sex"]
    assert id_numbers.age(reading.birth_date, TODAY) == vector["age"]


def test_vectors_come_from_the_standard_and_three_libraries() -> None:
    told = " ".join(vector["source"] for vector in VECTORS["numbers"])
    assert all(source in told for source in ("GB 11643-1999", "python-stdnum", "id-validator", "hutool"))


def test_every_fault_and_warning_has_a_vector() -> None:
    assert {vector["fault"] for vector in VECTORS["numbers"]} == {None, *NumberFault}
    assert {warning for vector in VECTORS["numbers"] for warning in vector["warnings"]} == set(NumberWarning)


@given(numbers)
@few
def test_a_number_made_by_the_rules_passes(number: str) -> None:
    assert id_numbers.faults(number, TODAY) is None
    reading = id_numbers.read(number)
    assert number.startswith(f"{reading.region}{reading.birth_date:%Y%m%d}")
    assert (reading.sex is Sex.FEMALE) == (number[16] in "02468")


@given(numbers)
@few
def test_the_check_character_finds_every_changed_digit(number: str) -> None:
    # MOD 11-2 has no exceptions here: no weight and no digit difference is a multiple of the prime 11.
    for place in range(17):
        for digit in set("0123456789") - {number[place]}:
            changed = number[:place] + digit + number[place + 1 :]
            assert id_numbers.check_character(changed[:17]) != changed[17]
    for last in set("0123456789X") - {number[17]}:
        assert id_numbers.faults(number[:17] + last, TODAY) is NumberFault.CHECK_CHARACTER


@given(numbers)
@few
def test_every_swap_of_neighbours_is_found(number: str) -> None:
    # Each weight is twice the next one, so a swap changes the sum. An X swapped forward is no digit any more.
    for place in range(17):
        left, right = number[place], number[place + 1]
        swapped = number[:place] + right + left + number[place + 2 :]
        assert left == right or id_numbers.faults(swapped, TODAY) is not None
        if left != right and swapped[16] != "X":
            assert id_numbers.check_character(swapped[:17]) != swapped[17]


@given(numbers, st.lists(st.tuples(st.integers(0, 18), blots), max_size=12), st.booleans())
@few
def test_copied_dirt_and_full_width_digits_do_not_change_a_number(
    number: str, dirt: list[tuple[int, str]], wide: bool
) -> None:
    typed = [chr(ord(c) + 0xFEE0) for c in number.lower()] if wide else list(number.lower())
    for place, blot in dirt:
        typed.insert(place, blot)
    assert id_numbers.normalise("".join(typed)) == number


@given(texts | st.lists(blots | st.sampled_from("¨ﷺǆ1xＸ①")).map("".join))
@few
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = id_numbers.normalise(text)
    assert id_numbers.normalise(once) == once
    assert len(once) <= id_numbers.SHOWN


def test_every_space_and_dash_of_unicode_is_dropped() -> None:
    dropped = ("Zs", "Zl", "Zp", "Pd")
    every = [chr(point) for point in range(0x10000) if unicodedata.category(chr(point)) in dropped]
    assert id_numbers.normalise("".join(every)) == ""


@pytest.mark.parametrize("filler", ["1", " ", "张", "\ufdfa", "x\u0300"])
def test_a_megabyte_is_cut_and_never_becomes_a_good_number(filler: str) -> None:
    number = id_numbers.normalise("11010519491231002X" + filler * 1_000_000 + "5")
    assert len(number) <= id_numbers.SHOWN
    assert id_numbers.faults(number, TODAY) is NumberFault.LENGTH


@pytest.mark.parametrize("vector", VECTORS["fifteen"], ids=lambda vector: vector["number"])
def test_a_first_generation_number_converts_as_published(vector: dict[str, str]) -> None:
    assert id_numbers.from_fifteen(vector["number"]) == vector["eighteen"]


@given(numbers.filter(lambda number: number[6:8] == "19"))
@few
def test_a_converted_number_passes_and_is_offered(number: str) -> None:
    fifteen = number[:6] + number[8:17]
    assert id_numbers.from_fifteen(fifteen) == number
    assert id_numbers.faults(fifteen, TODAY) is NumberFault.FIFTEEN


@pytest.mark.parametrize("vector", VECTORS["ages"], ids=lambda vector: f"{vector['born']}-{vector['today']}")
def test_age_counts_completed_years(vector: dict[str, Any]) -> None:
    born, today = date.fromisoformat(vector["born"]), date.fromisoformat(vector["today"])
    assert id_numbers.age(born, today) == vector["age"]


@pytest.mark.parametrize("number", ["", "1101051949123100", "110105194913310027", "11010519491231002x"])
def test_nothing_is_read_from_what_is_no_number(number: str) -> None:
    with pytest.raises(ValueError, match="ID number"):
        id_numbers.read(number)


@pytest.mark.parametrize("first17", ["", "1101051949123100X", "١" * 17, "1" * 18])
def test_a_check_character_needs_seventeen_digits(first17: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        id_numbers.check_character(first17)


def test_only_fifteen_digits_convert() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        id_numbers.from_fifteen("11010549123100X")
