"""The ledger: every movement of calls, with the lot's cached figures moved in the same transaction.

All functions write in the caller's transaction and lock in one order: the lot (by its conditional UPDATE), then the
ledger. Our books never refuse a call: what no lot covers is held and charged on no lot, and shown as uncovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import insert_rows, must_write
from webapp.quota import watchers
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.vendor import circuit


@dataclass(frozen=True, slots=True)
class Purchase:
    """Calls bought at one time. `expires_on` is the last valid day; `price_fen` in CNY 0.01, None if not told."""

    calls: int
    bought_on: date
    expires_on: date
    price_fen: int | None = None
    order_number: str = ""


def record_purchase(purchase: Purchase, who: Who, now: datetime) -> Lot:
    """Stores a lot and its first entry."""
    session = must_write()
    lot = Lot(
        calls=purchase.calls, bought_on=purchase.bought_on, expires_on=purchase.expires_on,
        price_fen=purchase.price_fen, order_number=purchase.order_number, available=purchase.calls,
        recorded_at=now, recorded_by=who.user_id,
    )  # fmt: skip
    session.add(lot)
    session.flush()
    _enter(EntryKind.PURCHASE, lot.id, purchase.calls, purchase.calls, now, actor_id=who.user_id)
    append(who, Action.LOT_RECORDED, now, on=("lot", lot.id), calls=purchase.calls)
    session.flush()
    circuit.renewed()
    watchers.supply_changed(now)
    return lot


class NotSoMany(Exception):
    """The lot has fewer calls than the correction takes; nothing was changed."""


def correct(lot_id: int, change: int, reason: str, who: Who, now: datetime) -> int:
    """Adds one correcting entry to a lot, and returns what is left of it: `change` calls more, or fewer if negative.

    The lot's size moves with what is left of it, so that both stay the sum of its entries. Raises `NotSoMany`.
    """
    session = must_write()
    enough = update(Lot).where(Lot.id == lot_id, Lot.available + change >= 0)
    moved = enough.values(available=Lot.available + change, calls=Lot.calls + change).returning(Lot.available)
    left = session.scalar(moved)
    if left is None:
        raise NotSoMany(f"lot {lot_id} has fewer than {-change} calls left")
    _enter(EntryKind.CORRECTION, lot_id, change, left, now, actor_id=who.user_id, reason=reason)
    append(who, Action.LOT_CORRECTED, now, on=("lot", lot_id), change=change)
    watchers.supply_changed(now)
    return int(left)


def hold(verification_id: int, today: date, now: datetime) -> int | None:
    """Holds one call of the lot that expires first (then the one bought first); None where no valid lot has one."""
    session = must_write()
    valid = (
        select(Lot.id)
        .where(Lot.expires_on >= today, Lot.bought_on <= today, Lot.available > 0)
        .order_by(Lot.expires_on, Lot.bought_on, Lot.id)
    )
    for lot_id in session.scalars(valid).all():
        # Another writer may have taken the last call since the SELECT: the condition decides, not what was read.
        take = update(Lot).where(Lot.id == lot_id, Lot.available > 0)
        left = session.scalar(take.values(available=Lot.available - 1, held=Lot.held + 1).returning(Lot.available))
        if left is not None:
            _enter(EntryKind.HOLD, lot_id, -1, left, now, verification_id=verification_id)
            return int(lot_id)
    _enter(EntryKind.HOLD, None, 0, 0, now, verification_id=verification_id)
    return None


def charge(
    verification_id: int, lot_id: int | None, now: datetime, *, actor_id: int | None = None, reason: str = ""
) -> None:
    """Turns a held call into a charged one; `actor_id` and `reason` where a person decided it."""
    session = must_write()
    left = _move(session, lot_id, held=-1, charged=1)
    _enter(EntryKind.CHARGE, lot_id, 0, left, now, verification_id=verification_id, actor_id=actor_id, reason=reason)


def release(
    verification_id: int, lot_id: int | None, today: date, now: datetime,
    *, actor_id: int | None = None, reason: str = "",
) -> None:  # fmt: skip
    """Gives a held call back to its lot; on a lot that expired meanwhile it lapses at once."""
    session = must_write()
    left = _move(session, lot_id, held=-1, available=1)
    _enter(
        EntryKind.RELEASE, lot_id, 0 if lot_id is None else 1, left, now,
        verification_id=verification_id, actor_id=actor_id, reason=reason,
    )  # fmt: skip
    if lot_id is not None:
        _lapse(session, lot_id, today, now)


def lapse_expired(today: date, now: datetime) -> bool:
    """Writes off what is left of one expired lot; True if there was one."""
    session = must_write()
    expired = select(Lot.id).where(Lot.expires_on < today, Lot.available > 0).order_by(Lot.id).limit(1)
    lot_id = session.scalar(expired)
    return lot_id is not None and _lapse(session, lot_id, today, now)


def _lapse(session: Session, lot_id: int, today: date, now: datetime) -> bool:
    locked = select(Lot).where(Lot.id == lot_id, Lot.expires_on < today, Lot.available > 0).with_for_update()
    lot = session.scalar(locked.execution_options(populate_existing=True))
    if lot is None:
        return False
    gone, lot.available, lot.lapsed = lot.available, 0, lot.lapsed + lot.available
    session.flush()
    _enter(EntryKind.LAPSE, lot_id, -gone, 0, now)
    return True


def _move(session: Session, lot_id: int | None, *, held: int, available: int = 0, charged: int = 0) -> int:
    if lot_id is None:
        return 0
    moved = (
        update(Lot)
        .where(Lot.id == lot_id, Lot.held > 0)
        .values(held=Lot.held + held, available=Lot.available + available, charged=Lot.charged + charged)
        .returning(Lot.available)
    )
    left = session.scalar(moved)
    if left is None:
        raise RuntimeError(f"lot {lot_id} holds no call")
    return int(left)


def _enter(
    kind: EntryKind, lot_id: int | None, change: int, after: int, now: datetime,
    *, verification_id: int | None = None, actor_id: int | None = None, reason: str = "",
) -> None:  # fmt: skip
    entry = {
        "at": now,
        "kind": kind,
        "lot_id": lot_id,
        "change": change,
        "available_after": after,
        "verification_id": verification_id,
        "actor_id": actor_id,
        "reason": reason,
    }
    insert_rows(LedgerEntry, entry)
