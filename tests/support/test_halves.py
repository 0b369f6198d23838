"""The two halves of the tests' combinations: each is run by one command, and none by neither."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import LONGEST
from tests.support.halves import by_turns, chessboard, other_half

ROOT = Path(__file__).parents[2]
MARKERS = ("long", "half", "browser", "both_databases")


def chosen(expression: str, markers: dict[str, bool]) -> bool:
    """What `-m expression` makes of a test with these markers."""
    return bool(eval(expression, {"__builtins__": {}}, markers))  # noqa: S307  # from our own Makefile


def test_each_test_is_run_by_one_of_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    runs = {re.split("[ :]", rule)[0]: re.findall(r'-m pytest -m "?([a-z ]+?)"? -n', rule)
            for rule in re.findall(r"^test.*?:(?:.*\n)(?:\t.*\n)*", makefile, re.MULTILINE)}  # fmt: skip
    [short], [other] = runs["test"], runs["test-long"]
    for values in product((False, True), repeat=len(MARKERS)):
        markers = dict(zip(MARKERS, values, strict=True))
        assert chosen(short, markers) != chosen(other, markers), markers


@pytest.mark.parametrize("values", range(2, 7))
def test_half_of_a_board_is_left_and_no_value_and_no_database_with_it(values: int) -> None:
    board = list(product(range(values), (0, 1)))
    left = other_half(board)
    kept = [field for field, is_left in zip(board, left, strict=True) if not is_left]
    assert len(kept) == values
    assert {value for value, _ in kept} == set(range(values))
    assert {database for _, database in kept} == {0, 1}


def test_what_has_one_value_or_one_database_is_not_halved() -> None:
    assert other_half([("only", 0), ("only", 1)]) == [False, False]
    assert other_half([("a", 1), ("b", 1), ("c", 1)]) == [False] * 3


def test_every_second_value_is_left() -> None:
    left = [bool(one.marks) for one in by_turns("zh-CN", "en", "fr")]
    assert left == [False, True, False]
    assert [bool(one.marks) for one in by_turns("zh-CN", "en", "fr", kept=1)] == [True, False, True]


def test_what_is_kept_of_the_ways_to_look_holds_every_pair() -> None:
    ways = chessboard({"phone": 390, "wide": 1280}, ("zh-CN", "en"), ("light", "dark"))
    kept = [way.values[0] for way in ways if not way.marks]
    assert (len(ways), len(kept)) == (8, 4)
    for one, other in (("viewport", "locale"), ("viewport", "color_scheme"), ("locale", "color_scheme")):
        assert len({(way[one], way[other]) for way in kept if isinstance(way, dict)}) == 4


def test_collection_marks_the_half_and_loses_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmarkers =\n  half: the other half\n  both_databases: on both\n  long: minutes\n")
    pytester.makeconftest("""
        import pytest
        pytest_plugins = ["tests.support.halves"]
        @pytest.fixture(params=["sqlite", "postgresql"])
        def database(request): return request.param
    """)
    pytester.makepyfile("""
        import pytest
        VALUES = pytest.mark.parametrize("value", [[1], [2], [1]])
        @VALUES
        def test_values(database, value): pass
        @VALUES
        @pytest.mark.both_databases
        def test_both(database, value): pass
        def test_alone(database): pass
    """)
    for expression, count in (("half", 3), ("not half", 3 + 6 + 2)):
        pytester.runpytest_inprocess("-p", "no:cacheprovider", "-m", expression).assert_outcomes(
            passed=count, deselected=11 + 3 - count
        )


def test_the_files_that_are_to_begin_with_exist() -> None:
    there = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(LONGEST) - there == set()
