"""What admins are told of the vendor's counter: one notice for each cause, taken back by the reading that ends it.

A single reading proves nothing, for nobody knows how fresh the vendor's figures are: two after each other do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.foundation.clock import day_of
from webapp.notify import notices
from webapp.reconciliation import left, queries, rules
from webapp.reconciliation.models import MeterBaseline, MeterReading

DRIFT, LEFT_GAP, SILENT = "drift", "left_gap", "counter_silent"
PATIENCE = timedelta(hours=24)
"""How long the counter may give no figures before admins are told."""


def of_reading(reading: MeterReading, last: MeterReading | None, zone: ZoneInfo, now: datetime) -> None:
    """In the transaction that stores the reading; `last` is the one before it."""
    notices.withdraw_kind(SILENT)
    since = queries.baseline()
    if since is None:
        raise ValueError("comparing begins with the first reading")
    is_compared = last is not None and since.reading_id in (last.id, last.baseline_id)
    before = _too_far_off(last, since, zone, now) if last is not None and is_compared else (0, 0)
    for kind, calls, earlier in zip((DRIFT, LEFT_GAP), _too_far_off(reading, since, zone, now), before, strict=True):
        key = f"{kind}:{since.reading_id}:{'more' if calls > 0 else 'fewer'}"
        notices.withdraw_kind(kind, keep=key if calls else "")
        if rules.is_told(calls, earlier):
            notices.tell("admin", kind, key, now, calls=abs(calls), more=int(calls > 0))


def of_failure(zone: ZoneInfo, now: datetime) -> None:
    """In the transaction that stores a failure: the counter has given nothing since the first one after a reading."""
    since = queries.failing_since()
    if since is not None and now - since >= PATIENCE:
        notices.tell("admin", SILENT, f"{SILENT}:{since:%Y%m%d%H%M%S}", now, day=day_of(since, zone).isoformat())


def of_rebase() -> None:
    """In the transaction that mends the books by the drift."""
    notices.withdraw_kind(DRIFT)


def _too_far_off(reading: MeterReading, since: MeterBaseline, zone: ZoneInfo, now: datetime) -> tuple[int, int]:
    """Drift of a reading, and calls that the vendor had left beyond ours; each 0 where it is too small to tell."""
    found = queries.standing_of(reading, since, zone)
    drift, gap = found.comparison.drift, left.compared(found, zone, now).gap
    return (
        drift if rules.is_over(drift, found.comparison.vendor) else 0,
        gap if rules.is_over(gap, reading.remaining) else 0,
    )
