"""Beginning with what the vendor's console shows: lots of its total, and a reading from which on we compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from webapp.audit.trail import Who
from webapp.foundation.clock import day_of
from webapp.foundation.database import transaction
from webapp.foundation.instance import Instance
from webapp.quota import operations as lots
from webapp.quota import queries, uncovered
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.reconciliation import operations
from webapp.vendor.metering_answer import Figures


class LotsStand(Exception):
    """There are lots in use already, whose calls the console's total may hold too; nothing was stored."""

    def __init__(self, calls: int) -> None:
        super().__init__(f"lots of {calls} calls stand")
        self.calls = calls


def record(
    packages: Sequence[Purchase], who: Who, instance: Instance, now: datetime, *,
    again: bool = False, same_order: bool = False,
) -> list[Lot]:  # fmt: skip
    """Records the opening balance, all or nothing: the `calls` of the packages make the console's total, `used_before`
    what it shows as used.

    The lots keep the whole total, so that shares of it are those of the console. What the console shows as used holds
    the calls that were made here on no lot: they are taken late, so that none is left for a lot recorded after. Raises
    `LotsStand`, unless `again` says that the total holds none of them, and `SameOrder`, unless `same_order` says that
    one order has several lots.
    """
    with transaction():
        lots.one_records_at_a_time()
        today = day_of(now, instance.settings.zone)
        standing = sum(lot.calls for lot in queries.open_lots(today))
        if standing and not again:
            raise LotsStand(standing)
        late = uncovered.since(uncovered.EARLIEST, today, instance.settings.zone)
        recorded = []
        for package in packages:
            part = min(package.used_before, late)
            late -= part
            purchase = replace(package, used_before=package.used_before - part, covered_late=part)
            recorded.append(lots.record(purchase, who, now, again=same_order))
        used, total = (sum(getattr(one, name) for one in packages) for name in ("used_before", "calls"))
        operations.begin_with(Figures(used, total), who, instance, now)
        return recorded
