"""Beginning with what the vendor's console shows: one lot of its total, and a reading from which on we compare."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from webapp.audit.trail import Who
from webapp.foundation.clock import day_of
from webapp.foundation.database import transaction
from webapp.foundation.instance import Instance
from webapp.quota import ledger, queries, uncovered
from webapp.quota import operations as lots
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.reconciliation import operations
from webapp.vendor.metering_answer import Figures


class LotsStand(Exception):
    """There are lots in use already, whose calls the console's total may hold too; nothing was stored."""

    def __init__(self, calls: int) -> None:
        super().__init__(f"lots of {calls} calls stand")
        self.calls = calls


def record(purchase: Purchase, who: Who, instance: Instance, now: datetime, *, again: bool = False) -> Lot:
    """Records the opening balance: `calls` is the console's total, `used_before` what it shows as used.

    The lot keeps the whole total, so that shares of it are those of the console. What the console shows as used holds
    the calls that were made here on no lot: they are taken late, so that none is left for a lot recorded after. Raises
    `LotsStand`, unless `again` says that the total holds none of them.
    """
    with transaction():
        lots.one_records_at_a_time()
        today = day_of(now, instance.settings.zone)
        standing = sum(lot.calls for lot in queries.open_lots(today))
        if standing and not again:
            raise LotsStand(standing)
        used = purchase.used_before
        late = min(used, uncovered.since(uncovered.EARLIEST, today, instance.settings.zone))
        lot = ledger.record_purchase(replace(purchase, used_before=used - late, covered_late=late), who, now)
        operations.begin_with(Figures(used, purchase.calls), who, instance, now)
        return lot
