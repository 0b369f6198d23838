"""What charts are made of, against the calls themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.verification import recounting, rollups

OF_HOURS, OF_LATENCIES = _l("calls of the hour from"), _l("answer times of the hour from")


def differences(zone: ZoneInfo) -> Iterator[str]:
    """Counts of days, hours and answer times that are not those of their calls; then counts of months that are not the
    sum of these."""
    counter = recounting.counter(zone)
    for day in rollups.counted_days(zone):
        counted, stored = counter(day), recounting.stored(day, zone)
        yield from _between(_l("calls of %(day)s", day=day), counted.of_day, stored.of_day)
        yield from _between(OF_HOURS, counted.of_hours, stored.of_hours)
        yield from _between(OF_LATENCIES, counted.latencies, stored.latencies)
        yield from _between(_l("calls of %(day)s in its month", day=day), counted.of_months, counted.places(day, zone))


def _between(what: Any, counted: Counter[Any], stored: Counter[Any]) -> Iterator[str]:
    for key in sorted(counted.keys() | stored.keys()):
        if counted[key] != stored[key]:
            words = (f"{one:%Y-%m-%d %H:%M} UTC" if isinstance(one, datetime) else str(one) for one in key)
            yield _("%(what)s %(key)s: counted %(counted)s, stored %(stored)s", what=what, key="/".join(words),
                    counted=counted[key], stored=stored[key])  # fmt: skip
