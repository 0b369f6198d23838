"""Words that name a person are known however they are written."""

import pytest

from webapp.persons.mentions import mentions, names_someone


@pytest.mark.parametrize(
    "words", ["for 张三", "张 三", "张·三", "no. 11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_a_name_or_number_is_known_spaced_or_wide(words: str) -> None:
    assert names_someone(words, "张三", "11010519491231002X")


@pytest.mark.parametrize("secret", ["\uff21\uff22\uff23", "\ufa0c", "A·b-c", "\u2f83"])
def test_a_secret_is_normalised_as_the_words_are(secret: str) -> None:
    assert mentions(f"wanted {secret} today", secret)


def test_other_words_name_nobody() -> None:
    assert not names_someone("letter 17/2026", "张三", "11010519491231002X", "")
    assert names_someone("1949 1231 0021 45"), "looks like a number"
