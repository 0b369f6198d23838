"""Pure: the sizes and prices the vendor sells (manual section 1, product page), in calls and fen (CNY 0.01)."""

from __future__ import annotations

CATALOGUE: tuple[tuple[int, int], ...] = (
    (500, 0),
    (100, 310),
    (1_000, 3_000),
    (5_000, 14_900),
    (10_000, 28_900),
    (30_000, 84_000),
    (50_000, 135_000),
    (100_000, 260_000),
    (200_000, 500_000),
    (300_000, 720_000),
    (600_000, 1_300_000),
    (1_000_000, 2_099_900),
    (2_000_000, 3_799_900),
    (5_000_000, 8_499_900),
)
