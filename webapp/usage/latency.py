"""Pure: answer times as a histogram, and what it tells of them. No I/O; milliseconds."""

from __future__ import annotations

import bisect
from collections.abc import Mapping

BUCKETS = (10, 25, 50, 100, 150, 200, 300, 400, 600, 800, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 60_000)
"""Upper bounds of the latency histogram; what is slower falls into the last."""


def bucket_of(latency_ms: int) -> int:
    """The bound of the histogram bucket that a latency falls into."""
    return BUCKETS[min(bisect.bisect_left(BUCKETS, latency_ms), len(BUCKETS) - 1)]


def quantile(histogram: Mapping[int, int], share: float) -> int | None:
    """The time within which that share of the answers came, estimated: inside its bucket answers are taken to be spread
    evenly. Off by no more than the bucket is wide; None without an answer."""
    rank = share * sum(histogram.values())
    lower, passed = 0, 0
    for bound in BUCKETS:
        calls = histogram.get(bound, 0)
        if calls and passed + calls >= rank:
            return round(lower + (bound - lower) * max(0.0, rank - passed) / calls)
        lower, passed = bound, passed + calls
    return None
