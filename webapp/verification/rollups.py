"""Counting everything anew: the rollups as the stored verifications make them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from webapp.foundation.database import transaction
from webapp.usage import counters
from webapp.usage.counters import Dimensions
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour
from webapp.verification.models import Verification

BATCH = 10_000


def rebuild(zone: ZoneInfo) -> int:
    """Replaces all counts by a recount in days and hours of `zone`, in one transaction; returns how many calls."""
    columns = (
        Verification.id, Verification.created_at, Verification.outcome, Verification.billed, Verification.source,
        Verification.operator_id, Verification.department_id, Verification.purpose_id, Verification.latency_ms,
    )  # fmt: skip
    counted, last = 0, 0
    with transaction() as session:
        # Until this commits, new intents wait: none is counted twice or missed.
        if session.get_bind().dialect.name == "postgresql":
            session.connection().exec_driver_sql("LOCK TABLE verification, usage_delta IN SHARE ROW EXCLUSIVE MODE")
        for model in (UsageDelta, UsageDay, UsageHour, LatencyHour):
            session.execute(delete(model))
        while rows := session.execute(
            select(*columns).where(Verification.id > last).order_by(Verification.id).limit(BATCH)
        ).all():
            deltas = [
                (at, Dimensions(outcome, billed, source, operator, department or 0, purpose),
                 None if latency is None else counters.bucket_of(latency), 1)
                for _id, at, outcome, billed, source, operator, department, purpose, latency in rows
            ]  # fmt: skip
            counters.add_up(session, deltas, zone)
            counted, last = counted + len(rows), rows[-1].id
    return counted
