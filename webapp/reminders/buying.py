"""Pure: which size to buy, by the recent rate: the largest that is used up before it lapses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

VALID_DAYS = 365
CONSOLE = "https://market.console.aliyun.com/imageconsole/index.htm"
"""Where subscribers buy again."""
PRODUCT = "https://market.aliyun.com/products/57000002/cmapi025518.html"
"""Sizes and prices."""


class Advice(NamedTuple):
    """A size of the catalogue: calls, price in CNY 0.01, and how many days it lasts at the recent rate."""

    calls: int
    price_fen: int
    days: int


def advice(catalogue: Sequence[tuple[int, int]], calls_a_day: float) -> Advice | None:
    """The largest size that lasts no longer than it is valid, else the smallest; None without a rate.

    Sizes that cost nothing are for trying the service out once, and no advice.
    """
    sizes = sorted((calls, price) for calls, price in catalogue if price)
    if calls_a_day <= 0 or not sizes:
        return None
    fitting = [size for size in sizes if size[0] / calls_a_day <= VALID_DAYS] or sizes[:1]
    calls, price = fitting[-1]
    return Advice(calls, price, int(calls / calls_a_day))
