"""When the calls run out and what of them will lapse, as the first page and the page of the lots say it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.quota import queries as quota
from webapp.quota.models import Lot
from webapp.usage import cost, queries
from webapp.usage import forecast as forecasting
from webapp.usage.demand import Demand
from webapp.usage.forecast import Forecast, Stock


class Lapse(NamedTuple):
    """Calls of a lot that will likely lapse unused, and what they cost in fen; None where nobody told its price."""

    lot: Lot
    calls: int
    fen: int | None


class RunOut(NamedTuple):
    """What is left of the lots that have not ended, in the order of drawing, and what is foretold of it."""

    lots: Sequence[Lot]
    stock: Sequence[Stock]
    demand: Demand | None
    forecast: Forecast | None
    earliest: date | None
    latest: date | None
    lapses: Sequence[Lapse]

    @property
    def left(self) -> int:
        """Calls of all these lots, also of those that begin later."""
        return sum(one.left for one in self.stock)


def run_out(today: date, zone: ZoneInfo) -> RunOut:
    """The run-out day, the ends of its range, and what will lapse of which lot, from today on."""
    lots = quota.open_lots(today)
    stock = [
        Stock(lot.id, lot.expires_on, lot.available, lot.name, lot.bought_on, turn) for turn, lot in enumerate(lots)
    ]
    demand = queries.expected(today, zone)[1]
    found = forecasting.forecast(stock, demand)
    return RunOut(
        lots, stock, demand, found,
        _in_days(today, found.least if found else None), _in_days(today, found.most if found else None),
        [_lapse(lot, found.lapses[lot.id]) for lot in lots if found and found.lapses.get(lot.id)],
    )  # fmt: skip


def _lapse(lot: Lot, calls: int) -> Lapse:
    return Lapse(lot, calls, cost.worth(calls, cost.price_of(lot.price_fen, lot.calls)))


def _in_days(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)
