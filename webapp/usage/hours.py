"""Pure: the clock hours of a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of the zone's clock hour that `at` falls into, UTC."""
    local = at.astimezone(zone)
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
