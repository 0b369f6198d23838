"""Searches and filters beside the first page: what many people ask for, and the worst that can be asked for."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from benchmarks.history_desk import Reader
from benchmarks.history_peers import Record
from benchmarks.report import Report, median, percentile
from benchmarks.turns import Work, in_turns
from webapp.demo.outcomes import CITY, PROVINCE
from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.history.scans import V
from webapp.vendor.contract import Outcome

TURNS, SIFTING, WORST = 100, 3, 5
COLUMNS = {"outcome": "outcome", "billed": "billed", "operator": "operator_id", "department": "department_id",
           "source": "source", "purpose": "purpose_id"}  # fmt: skip

Asked = dict[str, str]


def measure(report: Report, name: str, reader: Reader, rows: int) -> None:
    """All of it in one history."""
    report.title(f"History, on {name}: searches and filters in {rows:,} rows")
    often, seldom = _values(reader)
    _usual(report, reader, often)
    _worst_pair(report, reader, often, seldom)


def _usual(report: Report, reader: Reader, often: dict[str, Asked]) -> None:
    asked = {
        "a name": {"s": reader.handle(_somebody(reader))},
        "the beginning of a name": {"s": reader.handle(_somebody(reader)[:2])},
        "a whole number": {"s": reader.handle(reader.numbers(1)[0])},
        "days and a usual outcome": often["days"] | often["outcome"],
        "days and a rare outcome": often["days"] | {"outcome": Outcome.UNKNOWN},
    }
    times = in_turns({"first": reader.first} | {what: _page(reader, one) for what, one in asked.items()}, TURNS)
    first = median(times.pop("first"))
    for what, found in times.items():
        report.line(f"{what}, against the first page, p50", median(found) / first, "×", most=1.5)


def _worst_pair(report: Report, reader: Reader, often: dict[str, Asked], seldom: dict[str, Asked]) -> None:
    """Every pair of filters, each with what many and with what few rows have; the dearest ones then more closely."""
    pairs = {
        f"{one} ({'often' if a is often else 'seldom'}), {other} ({'often' if b is often else 'seldom'})":
            a[one] | b[other]
        for one, other in itertools.combinations(often, 2) for a, b in itertools.product((often, seldom), repeat=2)
    }  # fmt: skip
    sifted = in_turns({what: _page(reader, asked) for what, asked in pairs.items()}, SIFTING)
    dearest = sorted(sifted, key=lambda what: median(sifted[what]))[-WORST:]
    times = in_turns({"first": reader.first} | {what: _page(reader, pairs[what]) for what in dearest}, TURNS)
    first = median(times.pop("first"))
    worst = max(times, key=lambda what: percentile(times[what], 95))
    report.line(f"worst of {len(pairs)} pairs, p50: {worst}", median(times[worst]), " ms")
    report.line("… its p95 against the first page", percentile(times[worst], 95) / first, "×", most=5)


def _page(reader: Reader, asked: Asked) -> Work:
    return lambda: reader.get("/history", **asked)


def _values(reader: Reader) -> tuple[dict[str, Asked], dict[str, Asked]]:
    """Of each filter what many rows have, and what few have."""
    often, seldom = {}, {}
    with reader.app.app_context():
        for name, column in COLUMNS.items():
            most, least = _most_and_least(V.c[column])
            often[name] = {name: most}
            seldom[name] = {name: least}
        middle, first = _days()
    often |= {
        "days": {"from": middle[0], "to": middle[1]}, "province": {"province": PROVINCE},
        "city": {"province": PROVINCE, "city": CITY}, "search": {"s": reader.handle(_somebody(reader)[:2])},
    }  # fmt: skip
    seldom |= {
        "days": {"from": first, "to": first}, "province": {"province": "北京市"},
        "city": {"province": "广东省", "city": "广州市"}, "search": {"s": reader.handle(reader.numbers(1)[0])},
    }  # fmt: skip
    return often, seldom


def _most_and_least(column: ColumnElement[Any]) -> tuple[str, str]:
    counted = select(column).where(column.is_not(None)).group_by(column).order_by(func.count().desc())
    found = list(db.session.scalars(counted))
    return str(found[0]), str(found[-1])


def _days() -> tuple[tuple[str, str], str]:
    """A month in the middle of the history, and its first day."""
    zone = this_instance().settings.zone
    first, last = (day_of(at, zone) for at in db.session.execute(
        select(func.min(V.c.created_at), func.max(V.c.created_at))).one())  # fmt: skip
    middle = first + (last - first) / 2
    return (f"{middle}", f"{middle + timedelta(days=30)}"), f"{first}"


def _somebody(reader: Reader) -> str:
    """A name that many have."""
    with reader.app.app_context():
        counted = select(Record.name).group_by(Record.name).order_by(func.count().desc()).limit(1)
        return str(db.session.scalar(counted))
