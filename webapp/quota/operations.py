"""What people do to a lot that stands: change its facts, close it, reopen it, give it back to the vendor.

Each writes in the caller's transaction, with its entries, its audit record and a reason. What is left of a lot follows
its facts: it ends unused where they say that the lot is over, and comes back where they say that it is not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import must_write
from webapp.quota import ledger, queries, watchers
from webapp.quota.ledger import LotClosed, NotSoMany, Purchase, enter, locked, reinstate, write_off
from webapp.quota.models import EntryKind, Lot
from webapp.quota.rules import order_key

RECORDING = 0x10705
"""PostgreSQL's advisory lock of those who look at the lots before they record one, or its order number."""


class SameOrder(Exception):
    """Another lot has this order number, and nobody said that this is right; nothing was changed."""

    def __init__(self, other: Lot) -> None:
        super().__init__(f"lot {other.id} has this order number")
        self.other = other


class MoreThanPaid(Exception):
    """The refund is more than the lot cost; nothing was changed."""


class NoPrice(Exception):
    """No price is recorded of which the refund could be taken off; nothing was changed."""


class NotClosed(Exception):
    """The lot is not closed; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a lot's papers say. `expires_on` is the last valid day; `price_fen` in CNY 0.01, refunds taken off."""

    bought_on: date
    expires_on: date
    price_fen: int | None
    order_number: str
    note: str


def record(purchase: Purchase, who: Who, now: datetime, *, again: bool = False) -> Lot:
    """Records a lot. Raises `SameOrder`, unless `again` says that one order has several lots."""
    one_records_at_a_time()
    refuse_same_order(purchase.order_number, None, again=again)
    return ledger.record_purchase(purchase, who, now)


def facts_of(lot: Lot) -> Facts:
    """As they are recorded."""
    return Facts(lot.bought_on, lot.expires_on, lot.price_fen, lot.order_number, lot.note)


def change_facts(
    lot_id: int, facts: Facts, reason: str, who: Who, today: date, now: datetime, *, again: bool = False
) -> bool:
    """Corrects what was recorded of a lot; False: nothing is different. Raises `SameOrder` as `record` does.

    A lot that is over by its new dates ends at once; what had lapsed of one that is not over after all comes back.
    """
    lot = locked(lot_id)
    if order_key(facts.order_number) != order_key(lot.order_number):
        one_records_at_a_time()
        refuse_same_order(facts.order_number, lot_id, again=again)
    before, after = asdict(facts_of(lot)), asdict(facts)
    changed = {name: value for name, value in after.items() if before[name] != value}
    for name, value in changed.items():
        setattr(lot, name, value)
    if changed:
        detail: dict[str, Any] = {f"{name}_{when}": _plain(values[name]) for name in changed
                  for when, values in (("before", before), ("after", after))}  # fmt: skip
        append(who, Action.LOT_CHANGED, now, on=("lot", lot_id), reason=reason, **detail)
        _follow(lot, reason, who, today, now)
    return bool(changed)


def close(lot_id: int, reason: str, who: Who, today: date, now: datetime) -> int:
    """Draws nothing from a lot any more and writes off what is left, whose number is returned. Raises `LotClosed`.

    Calls that it holds may still be charged to it; one that is released is written off too.
    """
    lot = open_lot(lot_id)
    left, lot.closed_at = lot.available, now
    append(who, Action.LOT_CLOSED, now, on=("lot", lot_id), reason=reason, written_off=left)
    _follow(lot, reason, who, today, now)
    return left


def reopen(lot_id: int, reason: str, who: Who, today: date, now: datetime) -> int:
    """Takes closing back, and returns how many calls came back: those written off, unless the lot expired meanwhile.

    Raises `NotClosed`.
    """
    lot = locked(lot_id)
    if lot.closed_at is None:
        raise NotClosed(f"lot {lot_id} is not closed")
    lot.closed_at = None
    before = lot.available
    _follow(lot, reason, who, today, now)
    append(who, Action.LOT_REOPENED, now, on=("lot", lot_id), reason=reason, reinstated=lot.available - before)
    return lot.available - before


def refund(lot_id: int, calls: int, fen: int, reason: str, who: Who, today: date, now: datetime) -> None:
    """Gives `calls` of what is left back to the vendor for `fen` (CNY 0.01) and closes the lot; what is left beyond
    them is written off. Size and price of the lot become those of what was kept.

    Raises `LotClosed`, `NotSoMany`, `NoPrice`, `MoreThanPaid`.
    """
    lot = open_lot(lot_id)
    if not 0 < calls <= lot.available:
        raise NotSoMany(f"lot {lot_id} has {lot.available} calls left")
    if fen and lot.price_fen is None:
        raise NoPrice(f"lot {lot_id} has no price")
    if lot.price_fen is not None and fen > lot.price_fen:
        raise MoreThanPaid(f"lot {lot_id} cost {lot.price_fen} fen")
    lot.available, lot.calls = lot.available - calls, lot.calls - calls
    lot.price_fen = None if lot.price_fen is None else lot.price_fen - fen
    lot.refunded_fen, lot.closed_at = lot.refunded_fen + fen, now
    must_write().flush()
    enter(EntryKind.REFUND, lot_id, -calls, lot.available, now, actor_id=who.user_id, reason=reason)
    append(who, Action.LOT_REFUNDED, now, on=("lot", lot_id), reason=reason, calls=calls, fen=fen)
    _follow(lot, reason, who, today, now)


def one_records_at_a_time() -> None:
    """Lets those who look at the lots before they record one pass one by one, until their transactions end: of two at
    once the second sees the first's lot. SQLite does so anyway."""
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(RECORDING)))


def refuse_same_order(order_number: str, but: int | None, *, again: bool) -> None:
    """Raises `SameOrder` where another lot than `but` has this order number, unless that is meant (`again`)."""
    other = queries.same_order(order_number, but)
    if other is not None and not again:
        raise SameOrder(other)


def open_lot(lot_id: int) -> Lot:
    """A lot, locked as by `ledger.locked`. Raises `LotClosed`."""
    lot = locked(lot_id)
    if lot.closed_at is not None:
        raise LotClosed(f"lot {lot_id} is closed")
    return lot


def _follow(lot: Lot, reason: str, who: Who, today: date, now: datetime) -> None:
    must_write().flush()
    for end in (write_off, reinstate):
        end(lot, today, now, actor_id=who.user_id, reason=reason)
    watchers.supply_changed(now)


def _plain(value: date | int | str | None) -> str | int | None:
    return value.isoformat() if isinstance(value, date) else value
