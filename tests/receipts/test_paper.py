"""Codes on paper: written without letters that look alike, read in whichever way they are typed, slips told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.receipts import paper
from webapp.receipts.paper import ALPHABET, Mistyped, Slip

NUMBER, SALT = 11, 26
values = st.integers(0, 32**SALT - 1)


def slip(text: str, size: int = NUMBER) -> Slip:
    with pytest.raises(Mistyped) as raised:
        paper.read(text, size)
    return raised.value.slip


@pytest.mark.parametrize(
    ("value", "size", "code"),
    [
        (0, 11, "000000000000"),
        (1, 11, "000000000012"),
        (2**55 - 1, 11, "ZZZZZZZZZZZK"),
        (0x48D159E242AA0, 11, "14D2PF28AN03"),
        (2**128 - 1, 26, "7ZZZZZZZZZZZZZZZZZZZZZZZZZC"),
    ],
)
def test_a_value_is_written_as_it_always_was(value: int, size: int, code: str) -> None:
    assert paper.write(value, size) == code
    assert paper.read(code, size) == value


@given(values)
def test_what_is_written_is_read_again(value: int) -> None:
    code = paper.write(value, SALT)

    assert len(code) == SALT + 1
    assert set(code) <= set(ALPHABET)
    assert not set(code) & set("ILOU")
    assert paper.read(paper.grouped(code), SALT) == value


@given(values, st.integers(0, SALT), st.sampled_from(ALPHABET))
def test_any_one_mistyped_character_is_told(value: int, place: int, other: str) -> None:
    code = paper.write(value, SALT)
    mistyped = code[:place] + other + code[place + 1 :]

    assert mistyped == code or slip(mistyped, SALT) == Slip.CHECK


@given(values, st.integers(0, SALT), st.integers(0, SALT))
def test_any_two_exchanged_characters_are_told(value: int, one: int, other: int) -> None:
    code = list(paper.write(value, SALT))
    exchanged = code.copy()
    exchanged[one], exchanged[other] = code[other], code[one]

    assert exchanged == code or slip("".join(exchanged), SALT) == Slip.CHECK


@pytest.mark.parametrize(
    "typed",
    ["14D2-PF28-AN03", "14d2pf28an03", " 14D2 PF28 AN03 ", "I4D2-PF28-ANO3", "l4d2–pf28—ano3",
     "１４Ｄ２ＰＦ２８ＡＮ０３", "14D2\u200b-PF28\u3000AN03"],
)  # fmt: skip
def test_small_full_width_and_look_alike_letters_blanks_and_dashes_are_read(typed: str) -> None:
    assert paper.read(typed, NUMBER) == 0x48D159E242AA0


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", Slip.EMPTY),
        (" - ", Slip.EMPTY),
        ("14D2-PF28-ANW", Slip.LENGTH),
        ("14D2-PF28-AN030", Slip.LENGTH),
        ("1" * 10_000, Slip.LENGTH),
        (" " * 10_000, Slip.LENGTH),
        ("14D2-PF28-ANW\0", Slip.CHARACTERS),
        ("14D2-PF28-ANWU", Slip.CHARACTERS),
        ("14D2-PF28-ANW😀", Slip.CHARACTERS),
        ("14D2-PF28-ANW\ud800", Slip.CHARACTERS),
        ("14D2-PF28-ANW٣", Slip.CHARACTERS),
        ("核验凭证", Slip.CHARACTERS),
        ("14D2-PF28-ANW1", Slip.CHECK),
    ],
)
def test_what_is_no_code_says_why(typed: str, why: Slip) -> None:
    assert slip(typed) == why


@given(st.text(max_size=200))
def test_no_text_makes_reading_fail_otherwise(text: str) -> None:
    try:
        value = paper.read(text, NUMBER)
    except Mistyped:
        return
    assert 0 <= value < 32**NUMBER


@pytest.mark.parametrize(("value", "size"), [(-1, 11), (32**11, 11), (0, 31)])
def test_what_does_not_fit_is_refused(value: int, size: int) -> None:
    with pytest.raises(ValueError, match="fits"):
        paper.write(value, size)
