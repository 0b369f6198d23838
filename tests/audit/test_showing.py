"""Which verifications a page held: few bytes, and exactly those."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.audit.showing import block, blocks_of, holds, pack, runs

NUMBERS = st.sets(st.integers(1, 2**40) | st.integers(1, 60), max_size=40)


@given(NUMBERS)
def test_what_was_packed_is_unpacked(numbers: set[int]) -> None:
    unpacked = [number for first, last in runs(pack(numbers)) for number in range(first, last + 1)]

    assert unpacked == sorted(numbers)


@given(NUMBERS, NUMBERS)
def test_it_is_known_whether_any_of_some_was_packed(numbers: set[int], wanted: set[int]) -> None:
    assert holds(pack(numbers), sorted(wanted)) == bool(numbers & wanted)


@given(NUMBERS.filter(bool))
def test_the_block_of_many_is_among_those_of_each(numbers: set[int]) -> None:
    found = block(sorted(numbers))

    assert found is not None
    assert found < 2**63
    assert all(found in blocks_of(number) for number in numbers)


def test_the_blocks_of_one_number_are_few_and_nothing_lies_in_none() -> None:
    assert len(set(blocks_of(5_000_000))) == 48
    assert block([]) is None


def test_a_page_takes_few_bytes_and_a_run_hardly_any() -> None:
    assert pack(range(1_000_000, 1_005_000)) == "1000000+4999"
    assert len(pack(range(1_000_000, 1_010_000, 50))) < 3 * 200 + 10
