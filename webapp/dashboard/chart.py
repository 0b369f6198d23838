"""Pure: the 30-day chart's figures from counted calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 30
ORDER = (
    "match",
    "mismatch",
    "no_such_number",
    "invalid_input",
    "maintenance",
    "refused",
    "unknown",
    "unexpected",
    "sending",
)


@dataclass(frozen=True, slots=True)
class Series:
    """Calls a day of one outcome, oldest day first."""

    key: str
    values: list[int]


def days_until(today: date) -> list[date]:
    """The chart's days, oldest first, `today` last."""
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def stacked(counts: Mapping[tuple[date, str, str], int], days: Iterable[date]) -> list[Series]:
    """One series for each outcome that occurs, in a fixed order; counts are by (day, outcome, billed)."""
    by: dict[tuple[str, date], int] = {}
    for (day, outcome, _billed), calls in counts.items():
        by[outcome, day] = by.get((outcome, day), 0) + calls
    days = list(days)
    series = [Series(outcome, [by.get((outcome, day), 0) for day in days]) for outcome in ORDER]
    return [one for one in series if any(one.values)]
