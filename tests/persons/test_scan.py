"""The scan box: what card readers, spreadsheets and messages put into it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.persons.people import VECTORS, few, numbers, texts
from webapp.persons import masking, scan
from webapp.persons.scan import Person

plain_names = st.sampled_from(["张三", "李四", "欧阳修", "阿凡提·买买提", "\U00020bb7野三"])
patterns = st.sampled_from(
    [
        "{name} {number}",
        "{number} {name}",
        "{name}\t{number}",
        "{name}{number}",
        "{name},{number}",
        "姓名：{name} 身份证号：{number}",
        "身份证号码:{number} 姓名:{name}",
        "姓名\t{name}\t公民身份号码\t{number}",
        "姓 名 {name} 性 别 男 民 族 汉 公民身份号码 {number}",
        "name={name};idNo={number}",
        "3\t{name}\t女\t维吾尔族\t{number}\t13800138000",
    ]
)


@pytest.mark.parametrize("vector", VECTORS["lines"], ids=lambda vector: ascii(vector["text"]))
def test_a_line_is_read_as_listed(vector: dict[str, Any]) -> None:
    expected = Person(vector["name"], vector["number"]) if vector["name"] else None
    assert scan.read_line(vector["text"]) == expected


@given(plain_names, numbers, patterns, st.booleans())
@few
def test_every_pattern_gives_its_person_back(name: str, number: str, pattern: str, grouped: bool) -> None:
    line = pattern.format(name=name, number=masking.group_number(number) if grouped else number)
    assert scan.read_line(line) == Person(name, number)
    full_width = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in line).replace(" ", "\u3000")
    assert scan.read_line(full_width) == Person(name, number)


@given(texts | st.lists(st.sampled_from("张三 1234567890X\t：:姓名身份证号·\n-")).map("".join))
@few
def test_nonsense_is_read_as_nobody_or_as_one_person(text: str) -> None:
    person = scan.read_line(text)
    assert person is None or (person.name and 14 <= len(person.number) <= 21)


@pytest.mark.parametrize("filler", ["1", "1 ", "姓名", "姓名 ", " ", "张·", "\t", "身份证号"])
def test_a_megabyte_is_nobody(filler: str) -> None:
    assert scan.read_line(f"张三 {filler * 500_000} 11010519491231002X") is None
    assert len(scan.lines(filler * 500_000).lines) <= 1


@pytest.mark.parametrize("filler", ["1", "1 ", "姓名", "姓名 ", " ", "张·", "\t", "身份证号", "name"])
def test_the_longest_line_is_answered(filler: str) -> None:
    line = (filler * scan.LONGEST)[: scan.LONGEST - 20] + " 11010519491231002X"
    assert scan.read_line(line) in (None, Person("张" + "·张" * 989, "11010519491231002X"))


def test_pasted_lines_keep_their_places() -> None:
    pasted = scan.lines("姓名\t身份证号\n\n张三\t11010519491231002X\r\n 李四 440524188001010014 \n")
    assert [(line.place, line.person) for line in pasted.lines] == [
        (1, None),
        (3, Person("张三", "11010519491231002X")),
        (4, Person("李四", "440524188001010014")),
    ]
    assert pasted.lines[2].text == "李四 440524188001010014"
    assert pasted.left_over == 0


def test_fifty_lines_are_taken_and_the_rest_is_counted() -> None:
    pasted = scan.lines("张三 11010519491231002X\n" * 53)
    assert len(pasted.lines) == 50
    assert pasted.left_over == 3
    assert scan.lines("a\nb\nc", most=2).left_over == 1


def test_one_person_on_two_lines_is_one_person() -> None:
    pasted = scan.lines("\n姓名：张三\n身份证号：11010519491231002X\n")
    assert [(line.place, line.person) for line in pasted.lines] == [(2, Person("张三", "11010519491231002X"))]


def test_a_name_is_never_taken_from_a_line_beside_an_unclear_one() -> None:
    pasted = scan.lines("李四\n张三 王五 11010519491231002X")
    assert [line.person for line in pasted.lines] == [None, None]


def test_blank_paste_is_nothing() -> None:
    assert scan.lines(" \n\t\n") == scan.Pasted((), 0)
