"""Masks show the first and last character of a number, the first of a name, and nothing else."""

import pytest
from hypothesis import given

from tests.persons.people import few, numbers, texts
from webapp.persons import id_numbers, masking


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("欧阳修", "欧**"),
        ("阿凡提·买买提", "阿**·***"),
        ("\U00020bb7野三", "\U00020bb7**"),
        ("张", "*"),
        ("·张三", "·**"),
        ("<b>", "<**"),
        ("", ""),
    ],
)
def test_a_masked_name_shows_its_first_character(name: str, shown: str) -> None:
    assert masking.mask_name(name) == shown


@given(texts)
@few
def test_a_masked_name_never_shows_more(name: str) -> None:
    shown = masking.mask_name(name)
    assert len(shown) == len(name)
    assert set(shown[1:]) <= {"*", "·"}
    assert len(name) != 1 or shown in ("*", "·")


def test_a_masked_number_shows_first_and_last() -> None:
    assert masking.mask_number("11010519491231002X") == "1****************X"
    assert masking.mask_number("110105491231002") == "1*************2"
    assert masking.mask_number("12345678901234") == "*" * 14


@given(texts)
@few
def test_a_masked_number_never_shows_more(number: str) -> None:
    shown = masking.mask_number(number)
    assert len(shown) == len(number)
    assert set(shown[1:-1]) <= {"*"}
    assert len(number) >= 15 or set(shown) <= {"*"}


@given(numbers)
@few
def test_a_grouped_number_is_read_back(number: str) -> None:
    grouped = masking.group_number(number)
    assert [len(group) for group in grouped.split(" ")] == [6, 8, 4]
    assert id_numbers.normalise(grouped) == number


def test_another_length_is_not_grouped() -> None:
    assert masking.group_number("110105491231002") == "110105491231002"
