"""Letting go of facts: what charts and books need of them stays as counts and closing balances.

A fact stays while anything hangs on it: an identity, a receipt (which is proven by outcome and time), a hold, a charge
that nobody knows; and on the day from which on the books are compared with the vendor's counter.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from webapp.foundation.clock import day_of, end_of
from webapp.foundation.database import Base, must_write
from webapp.foundation.instance import Instance
from webapp.history.reveal_models import Reveal
from webapp.quota import closing
from webapp.receipts.models import Receipt
from webapp.reconciliation import queries as reconciliation
from webapp.reconciliation.models import MeterReading
from webapp.retention.models import LegalHold
from webapp.usage import closings
from webapp.usage.dimensions import Dimensions
from webapp.usage.latency import bucket_of
from webapp.vendor.contract import Billed
from webapp.verification.models import Identity, Reuse, Settlement, SpentForm, Verification

HOUR = timedelta(hours=1)
_HANGING: tuple[type[Base], ...] = (Reveal, SpentForm, Settlement, Reuse)
"""What goes with a fact, in this order."""


def old(ids: Collection[int], before: datetime) -> list[Verification]:
    """Those of these facts that are old enough, kept as they are until the caller's transaction ends."""
    mine = select(Verification).where(Verification.id.in_(ids), Verification.created_at < before)
    rows = must_write().scalars(mine.order_by(Verification.id).with_for_update(of=Verification))
    return list(rows.unique())


def going(rows: Collection[Verification], instance: Instance) -> list[Verification]:
    """Those of these old facts that nothing hangs on."""
    session = must_write()
    ids = [row.id for row in rows]
    kept: set[int] = set()
    # In this order, and unlocked: no identity comes to a fact later, and whoever issues a receipt or places a hold
    # needs the identity, locks it first and the fact after it. A hold that stands keeps the identity.
    for model in (Identity, Receipt):
        kept.update(session.scalars(select(model.verification_id).where(model.verification_id.in_(ids))))
    window = _compared_from(instance)
    return [row for row in rows if row.id not in kept and row.billed != Billed.UNKNOWN
            and not (window and window[0] <= row.created_at < window[1])]  # fmt: skip


def let_go(rows: Collection[Verification], now: datetime) -> None:
    """Turns facts into counts and closing balances, in the caller's transaction."""
    session = must_write()
    ids = [row.id for row in rows]
    closings.close((row.created_at, _dimensions(row), _bucket(row)) for row in rows)
    closing.close(ids, now)
    lifted = update(LegalHold).where(LegalHold.verification_id.in_(ids), LegalHold.lifted_at.is_not(None))
    _execute(lifted.values(verification_id=None))
    reuses = select(Reuse.id).where(Reuse.verification_id.in_(ids))
    _execute(delete(SpentForm).where(SpentForm.reuse_id.in_(session.scalars(reuses).all())))
    for model in _HANGING:
        _execute(delete(model).where(model.verification_id.in_(ids)))  # type: ignore[attr-defined]
    _execute(delete(Verification).where(Verification.id.in_(ids)))


def _compared_from(instance: Instance) -> tuple[datetime, datetime] | None:
    """The day of which the comparing with the vendor's counter needs each call's time."""
    since = reconciliation.baseline()
    if since is None:
        return None
    first = must_write().get_one(MeterReading, since.reading_id).at
    return first - HOUR, end_of(day_of(first, instance.settings.zone), instance.settings.zone)


def _dimensions(row: Verification) -> Dimensions:
    return Dimensions(row.outcome, row.billed, row.source, row.operator_id, row.department_id or 0, row.purpose_id,
                      row.lot_id or 0, row.cause or "")  # fmt: skip


def _bucket(row: Verification) -> int | None:
    return None if row.latency_ms is None else bucket_of(row.latency_ms)


def _execute(statement: Any) -> None:
    must_write().execute(statement, execution_options={"synchronize_session": False})
