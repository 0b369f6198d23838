"""Days of the reporting zone: they cover all time without a gap, also where clocks are moved at midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webapp.foundation.clock import day_of, end_of, start_of, utc_now, wall_time

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "UTC", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
                                     "Pacific/Apia", "Asia/Kathmandu")]  # fmt: skip
ODD = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
                                   "Pacific/Apia", "Africa/Monrovia")]  # fmt: skip
"""Also of half hours, and of minutes and seconds once."""
HAVANA, SAO_PAULO = ZoneInfo("America/Havana"), ZoneInfo("America/Sao_Paulo")
instants = st.datetimes(datetime(2001, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(instants, st.sampled_from(ZONES))
@example(datetime(2018, 11, 4, 3, 0, tzinfo=UTC), SAO_PAULO)  # midnight is skipped
@example(datetime(2018, 11, 4, 2, 59, 59, 999999, UTC), SAO_PAULO)
@example(datetime(2018, 11, 4, 4, 30, tzinfo=UTC), HAVANA)  # the first hour comes twice
@example(datetime(2018, 11, 4, 5, 30, tzinfo=UTC), HAVANA)
@settings(max_examples=200)
def test_an_instant_lies_within_its_day(instant: datetime, zone: ZoneInfo) -> None:
    day = day_of(instant, zone)

    assert start_of(day, zone) <= instant < end_of(day, zone)


@given(st.dates(date(2001, 1, 2), date(2099, 12, 30)), st.sampled_from(ZONES))
@example(date(2011, 12, 29), ZoneInfo("Pacific/Apia"))  # the next day was left out there
@settings(max_examples=200)
def test_a_day_ends_where_the_next_begins(day: date, zone: ZoneInfo) -> None:
    assert end_of(day, zone) == start_of(day + timedelta(days=1), zone)
    assert start_of(day, zone).tzinfo is UTC


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [(date(2026, 11, 2), "Asia/Shanghai", 24), (date(2018, 11, 4), "America/Sao_Paulo", 23),
     (date(2018, 11, 4), "America/Havana", 25), (date(2011, 12, 30), "Pacific/Apia", 0)],
)  # fmt: skip
def test_a_day_is_as_long_as_its_clocks_say(day: date, zone: str, hours: int) -> None:
    assert end_of(day, ZoneInfo(zone)) - start_of(day, ZoneInfo(zone)) == timedelta(hours=hours)


def test_noon_in_shanghai_and_the_evening_before_are_two_days() -> None:
    zone = ZoneInfo("Asia/Shanghai")

    assert day_of(datetime(2026, 11, 1, 15, 59, 59, tzinfo=UTC), zone) == date(2026, 11, 1)
    assert day_of(datetime(2026, 11, 1, 16, 0, tzinfo=UTC), zone) == date(2026, 11, 2)


def test_now_is_aware_and_utc() -> None:
    assert utc_now().tzinfo is UTC


@given(st.datetimes(datetime(1890, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)), st.sampled_from(ODD))  # noqa: DTZ001
@example(datetime(2026, 3, 8, 6, 59, 59, 999999, UTC), ZoneInfo("America/New_York"))  # an hour is left out
@example(datetime(2026, 3, 8, 7, tzinfo=UTC), ZoneInfo("America/New_York"))
@example(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), ZoneInfo("America/New_York"))  # this hour comes twice
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), ZoneInfo("America/New_York"))
@example(datetime(2026, 4, 4, 15, 10, tzinfo=UTC), ZoneInfo("Australia/Lord_Howe"))  # by half an hour
@example(datetime(1900, 12, 31, 15, 54, 16, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))  # within an hour, by some minutes
@example(datetime(1900, 12, 31, 15, 54, 17, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
@settings(max_examples=300)
def test_the_wall_shows_what_the_calendar_says(instant: datetime, zone: ZoneInfo) -> None:
    assert wall_time(instant, zone) == instant.astimezone(zone).isoformat(" ")[:19]
    assert wall_time(instant.astimezone(ODD[0]), zone) == wall_time(instant, zone)
