"""Whose spelling is to be compared with the card."""

from __future__ import annotations

import pytest

from webapp.persons.spelling import worth_comparing


@pytest.mark.parametrize(
    "name",
    ["古丽娜尔·演练", "马㛃", "王䶮", "李𬱖", "赵𠮷", "陶喆", "何〇", "Anna", "张3", "张 三", "\ue000三", "\ud800"],
)
def test_separators_rare_characters_letters_and_signs_are(name: str) -> None:
    assert worth_comparing(name)


@pytest.mark.parametrize("name", ["张三", "欧阳思远", "林知远"])
def test_common_characters_are_not(name: str) -> None:
    assert not worth_comparing(name)
