"""Names: characters are kept, dots are mended, doubts are told, next to nothing blocks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.persons.people import VECTORS, few, texts
from webapp.persons import names
from webapp.persons.names import NameFault, NameWarning

han = st.sampled_from("张三李四阿凡提买〇㐀龦\ufa0c\U00020bb7\U0002a6df\U00030000\U000323af")
some_han = st.lists(han, min_size=1, max_size=5).map("".join)


@pytest.mark.parametrize("vector", VECTORS["names"], ids=lambda vector: ascii(vector["text"]))
def test_a_name_gets_its_verdict(vector: dict[str, Any]) -> None:
    name = names.normalise(vector["text"])
    assert name == vector["name"]
    assert names.faults(name) == vector["fault"]
    assert list(names.warnings(name)) == vector["warnings"]


def test_every_warning_and_every_fault_but_length_has_a_vector() -> None:
    assert {warning for vector in VECTORS["names"] for warning in vector["warnings"]} == set(NameWarning)
    assert {vector["fault"] for vector in VECTORS["names"]} == {None, *NameFault} - {NameFault.TOO_LONG}


@given(st.lists(han, min_size=1, max_size=names.MOST).map("".join))
@few
def test_a_name_of_han_characters_stays_as_it_is_and_passes(name: str) -> None:
    assert names.normalise(name) == name
    assert names.faults(name) is None
    assert names.warnings(name) == ()


@pytest.mark.parametrize("dot", names.LOOK_ALIKES, ids=lambda dot: f"U+{ord(dot):04X}")
def test_every_look_alike_between_han_characters_becomes_the_official_dot(dot: str) -> None:
    assert names.normalise(f"阿凡提{dot}买买提") == "阿凡提·买买提"
    assert names.normalise(f"阿凡提 {dot}{dot}\u3000买买提") == "阿凡提·买买提"
    assert names.normalise(f"{dot}A{dot}B{dot}") == f"{dot}A{dot}B{dot}"


@given(texts | st.lists(han | st.sampled_from(" \u3000.•·\u200bA\n")).map("".join))
@few
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = names.normalise(text)
    assert names.normalise(once) == once


@given(some_han, some_han, st.sampled_from("\n\t\r"))
@few
def test_two_names_on_two_lines_never_become_one(first: str, second: str, end: str) -> None:
    assert names.faults(names.normalise(first + end + second)) is not None


def test_length_counts_code_points() -> None:
    assert names.faults("\U00020bb7" * names.MOST) is None
    assert names.faults("张" * (names.MOST + 1)) is NameFault.TOO_LONG


def test_a_huge_name_is_answered_at_once() -> None:
    for filler in ("张", " ", "·", "张 ", "."):
        name = names.normalise("张" + filler * 100_000 + "三")
        assert names.faults(name) in (None, NameFault.TOO_LONG)
        assert filler in (" ", "·", ".") or names.faults(name) is NameFault.TOO_LONG


@pytest.mark.parametrize("mark", ["\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_what_no_name_holds_blocks(mark: str) -> None:
    assert names.faults(f"张{mark}三") is NameFault.CONTROL


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "'; DROP TABLE", "张三%", "+", "1", "-"])
def test_strange_text_is_only_asked_about(name: str) -> None:
    assert names.faults(name) is None
    assert names.warnings(name)


def test_beginnings_start_at_two_characters_and_end_at_ten() -> None:
    assert names.beginnings("张") == ()
    assert names.beginnings("张三") == ("张三",)
    assert names.beginnings("\U00020bb7野三") == ("\U00020bb7野", "\U00020bb7野三")
    assert [len(beginning) for beginning in names.beginnings("张" * 100)] == list(range(2, 11))
