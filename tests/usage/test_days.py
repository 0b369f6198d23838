"""A day is a day of the reporting zone, whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from tests.usage.counting import SHANGHAI, count, fold, per_day
from webapp.foundation.clock import day_of, end_of, start_of
from webapp.foundation.database import db
from webapp.usage.hours import hour_of
from webapp.usage.models import UsageHour

KOLKATA, NEW_YORK, CAIRO = ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"), ZoneInfo("Africa/Cairo")
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


EDGES = [
    pytest.param(SHANGHAI, date(2026, 11, 2), utc("2026-11-01 16:00"), utc("2026-11-02 16:00"), id="Shanghai"),
    pytest.param(SHANGHAI, date(2027, 1, 1), utc("2026-12-31 16:00"), utc("2027-01-01 16:00"), id="new-year"),
    pytest.param(KOLKATA, date(2026, 11, 2), utc("2026-11-01 18:30"), utc("2026-11-02 18:30"), id="half-hour"),
    pytest.param(NEW_YORK, date(2026, 11, 1), utc("2026-11-01 04:00"), utc("2026-11-02 05:00"), id="25-hours"),
    pytest.param(NEW_YORK, date(2026, 3, 8), utc("2026-03-08 05:00"), utc("2026-03-09 04:00"), id="23-hours"),
    pytest.param(CAIRO, date(2024, 4, 26), utc("2024-04-25 22:00"), utc("2024-04-26 21:00"), id="no-midnight"),
    pytest.param(CAIRO, date(2024, 10, 31), utc("2024-10-30 21:00"), utc("2024-10-31 22:00"), id="23-o'clock-twice"),
]


@pytest.mark.parametrize(("zone", "day", "first", "after"), EDGES)
def test_a_day_begins_and_ends_with_the_zones_own(
    context: Flask, zone: ZoneInfo, day: date, first: datetime, after: datetime
) -> None:
    assert (start_of(day, zone), end_of(day, zone)) == (first, after)
    before, later = day - timedelta(days=1), day + timedelta(days=1)
    for instant in (first - SECOND, first, after - SECOND, after):
        count(at=instant)

    expected = {f"{before:%m-%d}": 1, f"{day:%m-%d}": 2, f"{later:%m-%d}": 1}
    for _ in ("before folding", "after folding"):
        assert per_day(before, later, zone) == expected
        assert per_day(day, day, zone) == {f"{day:%m-%d}": 2}
        fold(zone)


def test_every_hour_of_a_year_lies_in_the_day_it_is_counted_on() -> None:
    for zone in (SHANGHAI, KOLKATA, NEW_YORK, CAIRO):
        for hours in range(0, 24 * 366, 3):
            instant = utc("2024-01-01 00:15") + timedelta(hours=hours)
            day = day_of(instant, zone)
            assert start_of(day, zone) <= instant < end_of(day, zone)
            assert timedelta(0) <= instant - hour_of(instant, zone) < timedelta(hours=1)


def test_hours_are_those_of_the_zones_clock(context: Flask) -> None:
    count(at=utc("2026-11-02 04:29"))
    count(at=utc("2026-11-02 04:30"))
    fold(KOLKATA)

    hours = db.session.scalars(select(UsageHour.hour).order_by(UsageHour.hour)).all()

    assert hours == [utc("2026-11-02 03:30"), utc("2026-11-02 04:30")]


def test_an_hour_that_comes_twice_is_two_hours(context: Flask) -> None:
    for text in ("2026-11-01 05:30", "2026-11-01 06:30"):
        count(at=utc(text))
    fold(NEW_YORK)

    hours = db.session.scalars(select(UsageHour.hour).order_by(UsageHour.hour)).all()

    assert hours == [utc("2026-11-01 05:00"), utc("2026-11-01 06:00")]
