"""How many verifications fit, from the counters: no row is counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import current_app

from webapp.accounts.models import User
from webapp.foundation.instance import Instance
from webapp.history import facts
from webapp.history.filters import Filters
from webapp.usage import closings
from webapp.usage import queries as usage

NAME = "history_totals"
FRESH = timedelta(minutes=1)
"""How old a total may be: summing up a year of counters for each page would cost more than the page."""
MOST = 500
"""Totals that a process remembers."""


def total(filters: Filters, viewer: User, instance: Instance, now: datetime) -> int | None:
    """The number of verifications that fit, at most `FRESH` old; None where the counters cannot tell: whom and which
    place a call was about, they do not know."""
    zone = instance.settings.zone
    scope = facts.scope_of(filters, viewer, zone)
    if scope is None or filters.search is not None or filters.province is not None:
        return None
    known: dict[Any, tuple[datetime, int]] = current_app.extensions.setdefault(NAME, {})
    key = (*sorted(scope.equal.items()), filters.first, filters.last)
    at, counted = known.get(key, (None, 0))
    if at is None or not now - FRESH < at <= now:
        while len(known) >= MOST:
            known.pop(next(iter(known)), None)
        asked = filters.first, filters.last, zone
        counted = usage.how_many(*asked, **scope.equal) - closings.how_many(*asked, **scope.equal)
        known[key] = (now, counted)
    return counted
