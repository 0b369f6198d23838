"""Pure: what charged calls cost, by the prices of their lots. No I/O; money in fen (CNY 0.01), exact until rounded.

A call costs its lot's price over the lot's calls. Lots without a price, and calls that no lot covered, have no cost
that anybody knows: they are counted apart, never as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Charged:
    """Charged calls that nothing here tells apart."""

    month: str
    lot_id: int
    department_id: int
    purpose_id: int
    calls: int


@dataclass(frozen=True, slots=True)
class Cost:
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
