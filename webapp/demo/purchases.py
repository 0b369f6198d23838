"""When a made-up year buys calls, and how many, so that some lapse and none are missing. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from webapp.demo.rows import Bought
from webapp.quota.catalogue import CATALOGUE
from webapp.quota.rules import default_expiry

OPENING_DAYS, LASTS_DAYS = 45, 75
"""For how long the calls at the beginning, and those of an ordinary purchase, are meant to last."""
LEAST_DAYS = 12
"""An admin who sees fewer days left buys."""
PROMOTION_DAYS = 30
"""How long the vendor's promotion is valid, which is bought near the end: too much of it."""


class Need(NamedTuple):
    """The calls of each day of the year, and what they sum up to from any of them on."""

    first: date
    calls: Sequence[int]

    def of(self, index: int, days: int) -> int:
        """The calls of `days` days from that one on; after the last day as in the days before it."""
        known = list(self.calls[index : index + days])
        recent = self.calls[-28:]
        return sum(known) + (days - len(known)) * sum(recent) // len(recent)


def bought(need: Need, index: int, remaining: int) -> list[Bought]:
    """What is bought on the morning of that day, when so many calls are left."""
    today = need.first + timedelta(days=index)
    if index == 0:
        return [_opening(need)]
    if index == len(need.calls) - LEAST_DAYS:
        return [_purchase(need.of(index, PROMOTION_DAYS + 10), today, today + timedelta(days=PROMOTION_DAYS))]
    if remaining < need.of(index, LEAST_DAYS) + 20:
        return [_purchase(need.of(index, LASTS_DAYS), today, default_expiry(today))]
    return []


def _opening(need: Need) -> Bought:
    """The lot that the books begin with: bought long before, mostly used, and a little too large."""
    days = min(OPENING_DAYS, max(len(need.calls) // 3, 1))
    left = need.of(0, days) * 104 // 100 + 20
    calls = left * 9115 // 2415  # the console shows [6700/9115]
    ends = need.first + timedelta(days=days - 1)
    return Bought(calls, ends - timedelta(days=365), ends, None, "MK-0", used_before=calls - left)


def _purchase(wanted: int, today: date, expires_on: date) -> Bought:
    """The smallest package of at least `wanted` calls, or the largest that there is."""
    paid = sorted(one for one in CATALOGUE if one[1])
    calls, price = next((one for one in paid if one[0] >= wanted), paid[-1])
    return Bought(calls, today, expires_on, price, f"MK{today:%Y%m%d}")
