"""What a reading says of the calls left, and when correcting by it may do harm."""

from __future__ import annotations

import pytest

from webapp.reconciliation.judging import Risk, left_gap, risks


@pytest.mark.parametrize(
    ("total_grew", "changes", "available", "expected"),
    [
        (0, [-5, 0], [10, 10], []),
        (0, [7, 0], [10, 10], []),
        (0, [], [], []),
        (0, [0, 0], [0, 0], []),
        (0, [-10, -10], [10, 10], [Risk.EMPTIES]),
        (-990_885, [-5], [10], [Risk.TOTAL_MOVED]),
        (1, [7], [10], [Risk.TOTAL_MOVED]),
        (-1, [-10], [10], [Risk.TOTAL_MOVED, Risk.EMPTIES]),
    ],
)
def test_a_moved_total_and_an_emptied_stock_are_risks(
    total_grew: int, changes: list[int], available: list[int], expected: list[Risk]
) -> None:
    assert risks(total_grew, changes, available) == expected


@pytest.mark.parametrize(
    ("vendor", "least", "most", "drift", "grew", "gap"),
    [
        (100, 100, 100, 0, 0, 0),
        (103, 100, 105, 0, 0, 0),  # open calls explain it
        (1_000_000, 12_266, 12_266, 0, 0, 987_734),
        (2_415, 2_645, 2_645, 0, 0, -230),
        (95, 100, 100, 5, 0, 0),  # the drift explains it
        (107, 100, 105, -2, 0, 0),
        (95, 100, 100, 3, 0, -2),
        (1_100, 100, 100, 0, 1_000, 0),  # a purchase that is not recorded yet: said of the total
        (100, 600, 600, 0, -500, 0),
    ],
)
def test_the_gap_in_what_is_left_is_what_nothing_else_explains(
    vendor: int, least: int, most: int, drift: int, grew: int, gap: int
) -> None:
    assert left_gap(vendor, least, most, drift, grew) == gap
