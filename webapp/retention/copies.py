"""Copies that the product made of an SQLite file before migrations: they hold everybody who stood in it then, and no
purge or erasure reaches into them. They go whole, by their age."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation import schema
from webapp.foundation.database import transaction

log = structlog.get_logger("yuliang.retention")

KEPT = timedelta(days=30)
"""Long enough for a new version to prove itself."""


def remove_old(now: datetime, who: Who = SYSTEM) -> int:
    """Removes the copies that are older than `KEPT`, and records it; returns how many went."""
    old = [copy for copy in schema.copies() if copy.made_at < now - KEPT]
    gone = []
    for copy in old:
        try:
            with suppress(FileNotFoundError):  # somebody else was quicker
                copy.path.unlink()
            gone.append(copy)
        except OSError as fault:
            log.warning("a copy of before a migration could not be removed", file=copy.path.name, fault=str(fault))
    if gone:
        with transaction():
            append(who, Action.COPIES_REMOVED, now, copies=len(gone), oldest=gone[0].made_at.isoformat(),
                   newest=gone[-1].made_at.isoformat())  # fmt: skip
    return len(gone)
