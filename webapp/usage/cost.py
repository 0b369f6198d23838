"""Pure: what charged calls cost, by the prices of their lots. No I/O; money in fen (CNY 0.01), exact until rounded.

A call costs its lot's price over the lot's calls; one that was booked on a lot later, too. Lots without a price, and
calls that are on no lot, have no cost that anybody knows: they are counted apart, never as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Charged(NamedTuple):
    """Charged calls that nothing here tells apart."""

    month: str
    lot_id: int
    department_id: int
    purpose_id: int
    calls: int


class Cost(NamedTuple):
    """What some calls cost. `calls` have a price, `unpriced` have none."""

    calls: int = 0
    exact: Fraction = Fraction(0)
    unpriced: int = 0

    @property
    def fen(self) -> int:
        """To the nearest fen, halves up."""
        return int(self.exact + Fraction(1, 2))

    @property
    def each(self) -> Fraction | None:
        """Of one call, in fen; None where no call has a price."""
        return self.exact / self.calls if self.calls else None

    def plus(self, calls: int, price: Fraction | None) -> Cost:
        """This and so many calls more."""
        if price is None:
            return Cost(self.calls, self.exact, self.unpriced + calls)
        return Cost(self.calls + calls, self.exact + calls * price, self.unpriced)


def price_of(price_fen: int | None, calls: int) -> Fraction | None:
    """What one call of a lot costs, in fen; None where nobody said."""
    return Fraction(price_fen, calls) if price_fen is not None and calls > 0 else None


def worth(calls: int, price: Fraction | None) -> int | None:
    """What so many calls of a lot cost, in fen; None where it has no price."""
    return None if price is None else Cost(calls, calls * price).fen


def spread(calls: int, over: Mapping[Key, int]) -> dict[Key, int]:
    """So many calls as shares of what there is of each key, never more than that: of whole calls, the largest
    remainders first."""
    together = sum(over.values())
    shares = {key: Fraction(calls * number, together) for key, number in over.items()} if together else {}
    whole = {key: int(share) for key, share in shares.items()}
    for key in sorted(shares, key=lambda one: whole[one] - shares[one])[: calls - sum(whole.values())]:
        whole[key] += 1
    return {key: number for key, number in whole.items() if number}


def booked(
    days: Mapping[tuple[Any, ...], Sequence[int]], first: date, lots: Mapping[date, Mapping[int, int]]
) -> dict[tuple[Any, ...], list[int]]:
    """Charged calls of each day from `first` on, by keys that begin with their lot (0: on none), with those of no lot
    on the lots that they were booked on: so many of a day on each of `lots`. Who made which of them nobody told, so
    each lot has its share of all."""
    lines = {key: list(numbers) for key, numbers in days.items()}
    length = max((len(numbers) for numbers in lines.values()), default=0)
    for day, on in lots.items():
        place = (day - first).days
        for lot, calls in on.items() if 0 <= place < length else ():
            there = {key: numbers[place] for key, numbers in lines.items() if not key[0] and numbers[place]}
            for key, part in spread(min(calls, sum(there.values())), there).items():
                lines[key][place] -= part
                lines.setdefault((lot, *key[1:]), [0] * length)[place] += part
    return lines


def by(
    charged: Iterable[Charged], prices: Mapping[int, Fraction | None], key: Callable[[Charged], Key]
) -> dict[Key, Cost]:
    """The cost of the calls of each key, the dearest first."""
    costs: dict[Key, Cost] = {}
    for one in charged:
        costs[key(one)] = costs.get(key(one), Cost()).plus(one.calls, prices.get(one.lot_id))
    return dict(sorted(costs.items(), key=lambda pair: (-pair[1].exact, -pair[1].unpriced)))


def total(charged: Iterable[Charged], prices: Mapping[int, Fraction | None]) -> Cost:
    """The cost of all of them."""
    return by(charged, prices, lambda _one: None).get(None, Cost())


def per_match(
    charged: Iterable[Charged], prices: Mapping[int, Fraction | None], matches: Mapping[int, int]
) -> Fraction | None:
    """What all priced calls cost over how many of them matched, in fen, by the charged matches of each lot; None
    without a match."""
    matched = sum(calls for lot, calls in matches.items() if prices.get(lot) is not None)
    return total(charged, prices).exact / matched if matched else None
