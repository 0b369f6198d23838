"""The one place that asks the time. Operations take one `now` and hand it on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `instant` in `zone`."""
    return instant.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`, UTC; where midnight is skipped, the first instant after it."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after `day` in `zone`, UTC."""
    return start_of(day + timedelta(days=1), zone)
