"""What two counts of the same calls say of each other, for any figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.reconciliation.rules import (
    Books,
    Comparison,
    ReadingFault,
    Verdict,
    is_over,
    is_told,
    reading_fault,
    shares,
)

calls = st.integers(0, 10_000)
all_books = st.builds(Books, calls, calls, calls)
comparisons = st.builds(Comparison, calls, all_books)


def found(vendor: int, charged: int, unknown: int = 0, under_way: int = 0) -> Comparison:
    return Comparison(vendor, Books(charged, unknown, under_way))


@pytest.mark.parametrize(
    ("comparison", "verdict", "drift", "explained", "all_unknown"),
    [
        (found(0, 0), Verdict.AGREED, 0, 0, None),
        (found(40, 40), Verdict.AGREED, 0, 0, None),
        (found(57, 40), Verdict.MORE, 17, 0, None),
        (found(38, 40), Verdict.FEWER, -2, 0, None),
        (found(40, 40, 3), Verdict.OPEN, 0, 0, "not_charged"),
        (found(43, 40, 3), Verdict.OPEN, 0, 3, "charged"),
        (found(42, 40, 3), Verdict.OPEN, 0, 2, None),
        (found(60, 40, 3), Verdict.MORE, 17, 3, None),
        (found(39, 40, 3), Verdict.FEWER, -1, 0, None),
        (found(40, 40, 3, 1), Verdict.OPEN, 0, 0, None),
        (found(41, 40, 0, 1), Verdict.OPEN, 0, 1, None),
        (found(-5, 0), Verdict.FEWER, -5, 0, None),
    ],
)
def test_the_verdict_in_figures(
    comparison: Comparison, verdict: Verdict, drift: int, explained: int, all_unknown: str | None
) -> None:
    assert (comparison.verdict, comparison.drift) == (verdict, drift)
    assert (comparison.explained, comparison.all_unknown) == (explained, all_unknown)


@given(comparisons)
def test_what_is_charged_explained_and_drifting_makes_the_vendors_figure(comparison: Comparison) -> None:
    assert comparison.books.charged + comparison.explained + comparison.drift == comparison.vendor


@given(comparisons)
def test_there_is_drift_exactly_outside_the_range(comparison: Comparison) -> None:
    inside = comparison.books.charged <= comparison.vendor <= comparison.books.most

    assert (comparison.drift == 0) is inside
    assert (comparison.verdict in (Verdict.MORE, Verdict.FEWER)) is not inside


@given(comparisons)
def test_settling_all_that_is_offered_makes_the_two_agree(comparison: Comparison) -> None:
    books = comparison.books
    offered = comparison.all_unknown
    if offered is None:
        return
    settled = Books(books.charged + (books.unknown if offered == "charged" else 0), 0, books.under_way)

    assert Comparison(comparison.vendor, settled).verdict is Verdict.AGREED


@given(comparisons, st.integers(1, 1000))
def test_a_call_made_elsewhere_never_makes_the_drift_smaller(comparison: Comparison, more: int) -> None:
    assert Comparison(comparison.vendor + more, comparison.books).drift >= comparison.drift


@pytest.mark.parametrize(
    ("comparison", "over"),
    [
        (found(45, 40), False), (found(46, 40), True), (found(34, 40), True), (found(35, 40), False),
        (found(1000, 990), False), (found(1000, 989), True), (found(100_000, 99_000), False),
        (found(100_000, 98_999), True),
    ],
)  # fmt: skip
def test_what_is_worth_a_notice_is_more_than_five_calls_and_one_percent(comparison: Comparison, over: bool) -> None:
    assert is_over(comparison.drift, comparison.vendor) is over


def test_a_notice_needs_two_readings_off_on_the_same_side() -> None:
    more, fewer, fine = 17, -17, 0

    assert is_told(more, more)
    assert is_told(fewer, fewer)
    assert not is_told(more, fine)
    assert not is_told(fine, more)
    assert not is_told(more, fewer)


@pytest.mark.parametrize(
    ("used", "total", "last", "fault"),
    [
        (6700, 9115, None, None), (0, 1, None, None), (9115, 9115, 6700, None), (6700, 9115, 6700, None),
        (9116, 9115, None, ReadingFault.USED_OVER_TOTAL), (6699, 9115, 6700, ReadingFault.OLDER),
    ],
)  # fmt: skip
def test_what_is_no_reading(used: int, total: int, last: int | None, fault: ReadingFault | None) -> None:
    assert reading_fault(used, total, last) is fault


@given(st.integers(-500, 500), st.lists(st.integers(0, 200), max_size=5))
def test_a_correction_never_takes_more_than_a_lot_has(drift: int, available: list[int]) -> None:
    changes = shares(drift, available)

    assert len(changes) == len(available)
    assert all(left + change >= 0 for left, change in zip(available, changes, strict=True))
    if drift >= 0:
        assert -sum(changes) == min(drift, sum(available))
        assert all(change <= 0 for change in changes)
    else:
        assert sum(changes) == (-drift if available else 0)


@pytest.mark.parametrize(
    ("drift", "available", "changes"),
    [(17, [100, 50], [-17, 0]), (17, [10, 50], [-10, -7]), (17, [10], [-10]), (17, [], [])],
)
def test_a_correction_goes_where_the_next_calls_are_drawn(drift: int, available: list[int], changes: list[int]) -> None:
    assert shares(drift, available) == changes


@pytest.mark.parametrize(
    ("drift", "charged", "changes"),
    [
        (-3, [0, 5], [0, 3]), (-3, [5, 4], [3, 0]), (-7, [4, 5], [2, 5]), (-7, [2, 0, 3], [2, 0, 5]),
        (-3, [0, 0], [0, 3]), (-3, [], []),
    ],
)  # fmt: skip
def test_calls_that_the_vendor_lacks_go_back_to_where_they_were_charged(
    drift: int, charged: list[int], changes: list[int]
) -> None:
    assert shares(drift, [9] * len(charged), charged) == changes
