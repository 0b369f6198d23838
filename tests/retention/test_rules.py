"""When what is old goes: whole days of the reporting zone, never early, whatever the clocks did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.foundation.clock import day_of
from webapp.retention.rules import FOR_EVER, Kind, Period, is_due

SHANGHAI, BERLIN, APIA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
ZONES = st.sampled_from([SHANGHAI, BERLIN, APIA, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")])
INSTANTS = st.integers(0, 700_000).map(lambda hours: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


def test_whole_days_of_the_zone_go_together() -> None:
    now = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)  # 03:00 of the 23rd in Shanghai
    assert Period(Kind.IDENTITY, 7).before(now, SHANGHAI) == datetime(2026, 11, 15, 16, 0, tzinfo=UTC)


def test_for_ever_has_no_end() -> None:
    assert Period(Kind.FACTS, FOR_EVER).before(datetime(2026, 11, 22, tzinfo=UTC), SHANGHAI) is None
    assert not Period(Kind.FACTS, FOR_EVER).ends
    assert Period(Kind.FACTS, 1096).ends


@given(INSTANTS, st.integers(1, 2000), ZONES)
def test_nothing_goes_before_its_days_are_over_nor_much_later(now: datetime, days: int, zone: ZoneInfo) -> None:
    before = Period(Kind.AUDIT, days).before(now, zone)

    assert before is not None
    assert before <= now - timedelta(days=days)
    assert before >= now - timedelta(days=days + 2), "at most a day, and one that was skipped, is waited for"


@given(INSTANTS, st.integers(1, 2000), ZONES)
def test_what_is_over_stays_over(now: datetime, days: int, zone: ZoneInfo) -> None:
    period = Period(Kind.AUDIT, days)
    today, later = period.before(now, zone), period.before(now + timedelta(hours=7), zone)
    assert today is not None
    assert later is not None
    assert today <= later


@pytest.mark.parametrize(
    ("now", "due"),
    [("2026-11-22T17:59", False), ("2026-11-22T18:00", True), ("2026-11-23T15:59", True), ("2026-11-23T16:30", False)],
)
def test_the_purge_begins_at_two_in_the_night_of_the_zone(now: str, due: bool) -> None:
    assert is_due(None, datetime.fromisoformat(now).replace(tzinfo=UTC), SHANGHAI) is due


@given(INSTANTS, ZONES)
def test_once_a_day_is_enough(now: datetime, zone: ZoneInfo) -> None:
    if is_due(None, now, zone):
        assert not is_due(now, now + timedelta(minutes=5), zone) or day_of(now, zone) != day_of(
            now + timedelta(minutes=5), zone
        )


def test_a_run_that_a_clock_dated_far_ahead_holds_nothing_up() -> None:
    now = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
    assert is_due(now + timedelta(days=400), now, SHANGHAI)
    assert not is_due(now, now, SHANGHAI)
