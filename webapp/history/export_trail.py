"""What the audit trail keeps of an export: whoever was searched for is told by fingerprint, never by text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from webapp.audit.meant import record_meant
from webapp.audit.trail import Action, Who, append
from webapp.foundation.instance import Instance
from webapp.history.filters import Filters
from webapp.history.search_readings import readings


def record(
    action: Action, asked: Filters, who: Who, instance: Instance, now: datetime, *,
    export_id: int | None = None, **detail: Any,
) -> None:  # fmt: skip
    """Adds to the trail, in the caller's transaction; what a search may mean is told apart from the export."""
    on = ("export", export_id) if export_id is not None else ("", None)
    append(who, action, now, on=on, **detail)
    meant = ((one.kind, one.value) for one in readings(asked.search or ""))
    record_meant(action, meant, who, instance.keys, now)
