"""Which size is worth buying."""

from __future__ import annotations

from webapp.quota.catalogue import CATALOGUE
from webapp.reminders.buying import advice


def test_the_size_advised_is_the_largest_that_is_used_up_before_it_lapses() -> None:
    small, middle, large = advice(CATALOGUE, 0.1), advice(CATALOGUE, 100), advice(CATALOGUE, 10**6)

    assert small is not None
    assert (small.calls, small.price_fen) == (100, 310)
    assert middle is not None
    assert (middle.calls, middle.days) == (30_000, 300)
    assert large is not None
    assert large.calls == 5_000_000
    assert advice(CATALOGUE, 0) is None
