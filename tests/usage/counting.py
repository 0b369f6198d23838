"""Counts of the usage tests, written and read through the real counters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from tests.support.cast import NOW, OPERATOR
from webapp.foundation.database import Base, db, transaction
from webapp.usage import counters, daily, queries, series
from webapp.usage.dimensions import Dimensions
from webapp.usage.models import UsageDelta
from webapp.usage.spans import Span

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAIN = Dimensions("match", "yes", "desk", OPERATOR.id, 1, 1, 1)


def plain(outcome: str = "match", billed: str = "yes", **more: int) -> Dimensions:
    """The usual call, with another outcome."""
    return replace(PLAIN, outcome=outcome, billed=billed, **more)  # type: ignore[arg-type]


def count(dimensions: Dimensions = PLAIN, at: datetime = NOW, calls: int = 1, latency_ms: int | None = None) -> None:
    """Counts in a transaction of its own."""
    with transaction():
        counters.count(dimensions, at, calls, latency_ms)


def count_many(calls: int, at: datetime = NOW) -> None:
    """That many calls, each with its own delta, quickly."""
    row = {"at": at, "outcome": "match", "billed": "yes", "source": "desk", "operator_id": 1, "department_id": 0,
           "purpose_id": 1, "lot_id": 1, "cause": "", "calls": 1}  # fmt: skip
    with transaction() as session:
        session.execute(insert(UsageDelta), [row] * calls)


def fold(zone: ZoneInfo = SHANGHAI) -> None:
    """Folds all that waits."""
    while counters.fold(zone):
        pass


def per_day(first: date, last: date, zone: ZoneInfo = SHANGHAI, operator: int | None = None) -> dict[str, int]:
    """Calls of each day, whatever came of them."""
    db.session.rollback()
    counted = series.added(daily.calls("outcome", Span(first, last), zone, operator_id=operator).values())
    return {f"{first + timedelta(days=ahead):%m-%d}": calls for ahead, calls in enumerate(counted) if calls}


def totals() -> dict[tuple[str, str], int]:
    """All calls by (outcome, billed)."""
    db.session.rollback()
    sums: dict[tuple[str, str], int] = {}
    for (outcome, billed, *_others), calls in queries.totals().items():
        sums[outcome, billed] = sums.get((outcome, billed), 0) + calls
    return sums


def rows(model: type[Base]) -> int:
    """How many rows a table has."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0
