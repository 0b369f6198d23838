"""`yuliang check`: recounts lots, ledger, verifications, counters and readings, and names every difference; every
record that somebody put into the audit trail past the product; and every row whose key is none of the database's.

Every call is read twice, by the hour it was made in and beside its ledger entries; never many of them at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import cast

from flask import Flask, current_app
from flask_babel import force_locale

from webapp.checking import calls, closings, counters, entries, lots, readings, seals, trail
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import snapshot
from webapp.foundation.instance import this_instance

Part = Callable[[], Iterable[str]]


def check_everything(now: datetime | None = None, locale: str = "") -> list[str]:
    """Every difference, in the words of `locale` (default: the settings'); empty: all agree.

    Each part reads one instant, so writers may go on meanwhile; the parts are read side by side, for the database
    works while Python waits for it.
    """
    zone = this_instance().settings.zone
    parts: list[Part] = [
        partial(lots.differences, day_of(now or utc_now(), zone)), entries.differences,
        closings.differences, partial(counters.differences, zone), calls.differences, readings.differences,
        partial(trail.differences, this_instance().keys), seals.differences,
    ]  # fmt: skip
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    found = partial(_found, app, locale or this_instance().settings.locale)
    with ThreadPoolExecutor(os.cpu_count(), "checking") as readers:
        return [difference for differences in readers.map(found, parts) for difference in differences]


def _found(app: Flask, locale: str, part: Part) -> list[str]:
    with app.test_request_context(), force_locale(locale), snapshot():
        return list(part())
