"""The register: nobody real, everything in it right, every kind of person there."""

from __future__ import annotations

from datetime import date

import pytest

from webapp.vendor.sandbox.people import (
    MANUAL_PEOPLE,
    PEOPLE,
    TOUR_NOBODY,
    TOUR_PEOPLE,
    UNKNOWN_NUMBERS,
    Person,
    age,
    birthday,
    lookup,
    of_tour,
    sex,
    tour_name,
    tour_number,
    well_formed,
)
from webapp.vendor.sandbox.scenarios import BY_NAME

TODAY = date(2026, 3, 1)
STANDARDS_EXAMPLES = {"11010519491231002X": "张三", "440524188001010014": "李四"}
PROVINCES = {
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65"),
    *("71", "81", "82", "83"),
}
"""Every beginning GB/T 2260 ever gave to a province, and those of residence permits."""


def passes_mod_11_2(number: str) -> bool:
    """ISO 7064 in its own words: the sum of value x 2^(place from the right) is 1 modulo 11."""
    values = [10 if character == "X" else int(character) for character in number]
    return sum(value << place for place, value in enumerate(reversed(values))) % 11 == 1


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.number)
def test_the_check_character_is_right(person: Person) -> None:
    assert len(person.number) == 18
    assert passes_mod_11_2(person.number)
    assert well_formed(person.number, TODAY)


def test_no_number_can_be_a_real_persons() -> None:
    for person in PEOPLE:
        if STANDARDS_EXAMPLES.get(person.number) != person.name:
            assert person.number[:2] not in PROVINCES
            assert person.number[0] != "9"
    assert STANDARDS_EXAMPLES.keys() <= {person.number for person in PEOPLE}


def test_places_of_invented_regions_are_invented() -> None:
    real = ("北京", "广东", "汕头", "朝阳", "潮阳")
    for person in PEOPLE:
        if person.number not in STANDARDS_EXAMPLES:
            assert len(person.place) == 3
            assert not any(name in place for place in person.place for name in real)


def test_the_register_has_every_kind_of_person() -> None:
    names, numbers = [person.name for person in PEOPLE], [person.number for person in PEOPLE]
    assert len(PEOPLE) == 24
    assert len(set(numbers)) == 24
    assert {person.sex for person in PEOPLE} == {"M", "F"}
    assert {len(name) for name in names} >= {2, 3, 4, 50}
    assert max(len(name) for name in names) == 50
    assert any("·" in name for name in names)
    assert any("\u3400" <= character <= "\u4dbf" for name in names for character in name), "rare"
    assert any(character > "\uffff" for name in names for character in name), "outside the BMP"
    assert any(number.endswith("X") for number in numbers)
    assert any(number.endswith("000") for number in numbers)
    assert any(int(age(number, TODAY)) < 14 for number in numbers)
    assert any(int(age(number, TODAY)) > 100 for number in numbers)
    assert len(set(names)) < len(names), "two people of one name"
    assert any(number[10:14] == "0229" for number in numbers)


def test_nobodys_name_calls_a_situation() -> None:
    assert not {person.name for person in PEOPLE + MANUAL_PEOPLE} & BY_NAME.keys()


def test_every_person_is_explained_in_both_languages() -> None:
    assert all(person.zh and person.en for person in PEOPLE + MANUAL_PEOPLE)


def test_the_manuals_numbers_fail_the_check_digit_and_are_known_all_the_same() -> None:
    for person in MANUAL_PEOPLE:
        assert not passes_mod_11_2(person.number)
        assert lookup(person.name, person.number) == "0000"


@pytest.mark.parametrize("person", PEOPLE + MANUAL_PEOPLE, ids=lambda person: person.number)
def test_right_name_matches_and_another_does_not(person: Person) -> None:
    assert lookup(person.name, person.number) == "0000"
    assert lookup("赵钱孙", person.number) == "0008"


@pytest.mark.parametrize("born", [date(1960, 1, 1), date(1999, 12, 31), date(1984, 2, 29)])
@pytest.mark.parametrize("sequence", [1, 12, 999])
def test_everybody_of_the_tours_region_is_registered_and_nobody_of_the_next(born: date, sequence: int) -> None:
    number, nobodys = (tour_number(region, born, sequence) for region in (TOUR_PEOPLE, TOUR_NOBODY))
    for one in (number, nobodys):
        assert passes_mod_11_2(one)
        assert well_formed(one, TODAY)
        assert of_tour(one)
        assert one[:2] not in PROVINCES
    assert lookup(tour_name(number), number) == "0000"
    assert lookup("赵钱孙", number) == "0008"
    assert lookup(tour_name(nobodys), nobodys) == "0007"


def test_the_tours_people_are_no_one_of_the_table_and_call_no_situation() -> None:
    assert not any(of_tour(person.number) for person in PEOPLE + MANUAL_PEOPLE)
    names = {tour_name(tour_number(TOUR_PEOPLE, date(1990, 1, 1), sequence)) for sequence in range(1, 1000)}
    assert len(names) > 50
    assert not names & BY_NAME.keys()


@pytest.mark.parametrize("number", UNKNOWN_NUMBERS)
def test_the_documented_unknown_numbers_are_well_formed_and_nobodys(number: str) -> None:
    assert well_formed(number, TODAY)
    assert passes_mod_11_2(number)
    assert number[:2] not in PROVINCES
    assert lookup("张三", number) == "0007"


@pytest.mark.parametrize(
    ("number", "today", "expected"),
    [
        ("100101199003080023", date(2026, 3, 7), "35"),
        ("100101199003080023", date(2026, 3, 8), "36"),
        ("700701200002290176", date(2025, 2, 28), "24"),
        ("700701200002290176", date(2025, 3, 1), "25"),
        ("70070120240229049X", date(2024, 2, 29), "0"),
        ("70070120240229049X", date(2024, 2, 28), ""),
        ("100101199013080023", date(2026, 3, 8), ""),
        ("19900308", date(2026, 3, 8), ""),
    ],
)
def test_age_is_completed_years_as_a_string(number: str, today: date, expected: str) -> None:
    assert age(number, today) == expected


def test_sex_and_birthday_are_read_from_the_number() -> None:
    assert (sex("100101199003080023"), birthday("100101199003080023")) == ("F", "19900308")
    assert (sex("100101198512240115"), birthday("100101198512240115")) == ("M", "19851224")
    assert (sex("一二三"), birthday("100101198502300115")) == ("", "")


@pytest.mark.parametrize(
    "number",
    [
        "100101199003080024",
        "100101199013080023",
        "10010119900308002",
        "1001011990030800233",
        "10010119900308002x",
        "１００１０１１９９００３０８００２３",
        "100101900308002",
        "700701203002290177",
        "",
    ],
)
def test_what_is_not_a_number_is_told_apart(number: str) -> None:
    assert not well_formed(number, TODAY)
