"""`yuliang check`: recounts lots, ledger, verifications, counters and readings, and names every difference.

Every call is read twice, by the hour it was made in and beside its ledger entries; never many of them at a time.
"""

from __future__ import annotations

from datetime import datetime

from webapp.checking import calls, closings, counters, entries, lots, readings
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import snapshot
from webapp.foundation.instance import this_instance


def check_everything(now: datetime | None = None) -> list[str]:
    """Every difference in the reader's words; empty: all agree. Reads one instant, so writers may go on meanwhile."""
    zone = this_instance().settings.zone
    with snapshot():
        return [
            *lots.differences(day_of(now or utc_now(), zone)),
            *entries.differences(),
            *closings.differences(),
            *counters.differences(zone),
            *calls.differences(),
            *readings.differences(),
        ]
