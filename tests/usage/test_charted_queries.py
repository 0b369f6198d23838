"""What charts read of the counters is what the calls make when each is counted by hand, folded or not."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.usage.counting import fold
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, transaction
from webapp.usage import counters, daily, queries
from webapp.usage.dimensions import Dimensions
from webapp.usage.facets import FACETS, HOUR, LATENCY, Key
from webapp.usage.hours import hour_of
from webapp.usage.latency import bucket_of
from webapp.usage.spans import Span

pytestmark = pytest.mark.both_databases  # it is about what differs between the two

ZONES = ["Asia/Shanghai", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
SPAN = Span(date(2026, 10, 31), date(2026, 11, 3))
"""With the day on which clocks change in New York; some calls lie outside."""
NAMES = [(), ("outcome",), ("source",), ("operator_id",), ("department_id", "purpose_id"), ("outcome", "cause"),
         ("lot_id", "department_id", "purpose_id", "outcome")]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    at: datetime
    dimensions: Dimensions
    latency: int | None


def some_calls(zone: ZoneInfo, number: int = 300) -> list[Call]:
    """Counts calls of six days; half of them are folded when the rest is counted, some change their outcome between."""
    dice, made = random.Random(number), []
    for index in range(number):
        at = datetime(2026, 10, 30, tzinfo=UTC) + timedelta(minutes=dice.randrange(6 * 24 * 60))
        sending = Dimensions("sending", "unknown", dice.choice(["desk", "api"]), dice.randrange(1, 4),
                             dice.randrange(3), dice.randrange(1, 3), dice.randrange(3))  # fmt: skip
        outcome, billed, cause = dice.choice(
            [("match", "yes", ""), ("mismatch", "yes", ""), ("refused", "no", "throttled"), ("unknown", "unknown", "")]
        )
        latency = dice.choice([None, dice.randrange(5, 70_000)])
        done = Dimensions(outcome, billed, sending.source, sending.operator_id, sending.department_id,
                          sending.purpose_id, sending.lot_id, cause)  # fmt: skip
        with transaction():
            counters.count(sending, at, +1)
            counters.recount(sending, done, at, latency)
        made.append(Call(at, done, latency))
        if index == number // 2:
            fold(zone)
    db.session.rollback()
    return made


def within(calls: list[Call], zone: ZoneInfo) -> list[Call]:
    return [call for call in calls if SPAN.first <= day_of(call.at, zone) <= SPAN.last]


def keys_of(facet: str, call: Call, zone: ZoneInfo) -> Key | None:
    """What a call counts under, by hand; None: not at all."""
    if facet == LATENCY:
        return None if call.latency is None else (bucket_of(call.latency),)
    if facet == HOUR:
        return (call.at.astimezone(zone).hour,)
    if FACETS[facet].charged and call.dimensions.billed != "yes":
        return None
    if FACETS[facet].on_no_lot and call.dimensions.lot_id:
        return None
    return tuple(getattr(call.dimensions, one) for one in FACETS[facet].names)


def by_hand(facet: str, calls: list[Call], zone: ZoneInfo) -> dict[Key, list[int]]:
    lines: dict[Key, list[int]] = {}
    for call in calls:
        if (key := keys_of(facet, call, zone)) is not None:
            lines.setdefault(key, [0] * SPAN.days)[(day_of(call.at, zone) - SPAN.first).days] += 1
    return lines


@pytest.mark.parametrize("name", ZONES)
def test_calls_of_days_by_any_facet_are_those_counted_by_hand(context: Flask, name: str) -> None:
    zone = ZoneInfo(name)
    calls = within(some_calls(zone), zone)
    own = [call for call in calls if call.dimensions.operator_id == 2]
    assert 100 < len(calls) < 300
    for _ in ("half of them folded", "all folded"):
        for facet, told in FACETS.items():
            assert daily.calls(facet, SPAN, zone) == by_hand(facet, calls, zone), facet
            if told.own:
                assert daily.calls(facet, SPAN, zone, operator_id=2) == by_hand(facet, own, zone), facet
            else:
                with pytest.raises(ValueError, match=facet):
                    daily.calls(facet, SPAN, zone, operator_id=2)
        fold(zone)


@pytest.mark.parametrize("name", ZONES)
def test_calls_of_hours_by_anything_are_those_counted_by_hand(context: Flask, name: str) -> None:
    zone = ZoneInfo(name)
    calls = within(some_calls(zone), zone)
    for _ in ("half of them folded", "all folded"):
        for names in NAMES:
            counted = Counter(
                (hour_of(call.at, zone), *(getattr(call.dimensions, one) for one in names)) for call in calls
            )
            assert queries.calls_by_hour(names, SPAN, zone) == counted, names
        own = Counter((hour_of(call.at, zone),) for call in calls if call.dimensions.operator_id == 2)
        assert queries.calls_by_hour((), SPAN, zone, operator_id=2) == own
        fold(zone)


@pytest.mark.parametrize("name", ZONES)
def test_latencies_are_those_counted_by_hand(context: Flask, name: str) -> None:
    zone = ZoneInfo(name)
    by_hand: dict[datetime, Counter[int]] = {}
    for call in within(some_calls(zone), zone):
        if call.latency is not None:
            by_hand.setdefault(hour_of(call.at, zone), Counter())[bucket_of(call.latency)] += 1
    for _ in ("half of them folded", "all folded"):
        assert queries.latencies(SPAN, zone) == by_hand
        fold(zone)
