"""The one place that asks the time. Operations take one `now` and hand it on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
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


def wall_time(instant: datetime, zone: ZoneInfo) -> str:
    """What clocks in `zone` showed at an instant, as `2026-11-24 10:28:03`. For each row of a file: quick for UTC."""
    utc = instant.isoformat(" ", "seconds")
    hour = _hour_there(utc[:13], zone) if utc.endswith("+00:00") else ""
    return hour + utc[13:19] if hour else instant.astimezone(zone).isoformat(" ", "seconds")[:19]


@lru_cache(10_000)
def _hour_there(hour: str, zone: ZoneInfo) -> str:
    """Day and hour in `zone` during an hour of UTC (`2026-11-24 02`); '' where they do not last from its first to its
    last instant."""
    begins = datetime.fromisoformat(f"{hour}:00:00+00:00")
    first, last = begins.astimezone(zone), (begins + timedelta(hours=1, microseconds=-1)).astimezone(zone)
    whole = first.minute == first.second == 0 and first.utcoffset() == last.utcoffset()
    return first.isoformat(" ", "seconds")[:13] if whole else ""
