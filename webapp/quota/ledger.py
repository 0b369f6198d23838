"""The ledger: every movement of calls, with the lot's cached figures moved in the same transaction.

All functions write in the caller's transaction and lock in one order: the lot (by its conditional UPDATE), then the
ledger. Our books never refuse a call: what no lot covers is held and charged on no lot, and shown as uncovered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, bindparam, select, update

from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import insert_rows, must_write
from webapp.foundation.instance import this_instance
from webapp.quota import drawing, watchers
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.quota.rules import DrawOrder
from webapp.vendor import circuit

MOST_CALLS = 1_000_000_000
"""Of one lot, corrections included."""

_lots = Lot.__table__
_HAS_CALLS = *drawing.valid_on(bindparam("today", type_=Date)), Lot.available > 0
# These are put together once, for every call moves a lot twice; of the table, for nothing of a session is to follow.
_TAKE = (
    update(_lots)  # type: ignore[arg-type]
    .where(_lots.c.id == bindparam("lot"), *_HAS_CALLS)
    .values(available=_lots.c.available - 1, held=_lots.c.held + 1)
    .returning(_lots.c.available)
)
_SETTLE = (
    update(_lots)  # type: ignore[arg-type]
    .where(_lots.c.id == bindparam("lot"), _lots.c.held > 0)
    .values(
        held=_lots.c.held - 1,
        available=_lots.c.available + bindparam("released"),
        charged=_lots.c.charged + bindparam("spent"),
    )
    .returning(_lots.c.available)
)


@dataclass(frozen=True, slots=True)
class Purchase:
    """Calls bought at one time. `expires_on` is the last valid day; `price_fen` in CNY 0.01, None if not told.

    `used_before`: how many of them were used before our books began; `covered_late`: by calls made here that no lot
    covered. Together never more than `calls`.
    """

    calls: int
    bought_on: date
    expires_on: date
    price_fen: int | None = None
    order_number: str = ""
    note: str = ""
    used_before: int = 0
    covered_late: int = 0


def record_purchase(purchase: Purchase, who: Who, now: datetime) -> Lot:
    """Stores a lot and its first entries."""
    session, used, late = must_write(), purchase.used_before, purchase.covered_late
    lot = Lot(
        calls=purchase.calls, bought_on=purchase.bought_on, expires_on=purchase.expires_on,
        price_fen=purchase.price_fen, order_number=purchase.order_number, note=purchase.note,
        available=purchase.calls - used - late, used_before=used + late, recorded_at=now, recorded_by=who.user_id,
    )  # fmt: skip
    session.add(lot)
    session.flush()
    enter(EntryKind.PURCHASE, lot.id, purchase.calls, purchase.calls, now, actor_id=who.user_id)
    if used:
        enter(EntryKind.USED_BEFORE, lot.id, -used, purchase.calls - used, now, actor_id=who.user_id)
    if late:
        enter(EntryKind.COVERED_LATE, lot.id, -late, lot.available, now, actor_id=who.user_id)
    append(
        who, Action.LOT_RECORDED, now, on=("lot", lot.id), calls=purchase.calls, used_before=used or None,
        bought_on=purchase.bought_on.isoformat(), expires_on=purchase.expires_on.isoformat(),
        price_fen=purchase.price_fen, order_number=purchase.order_number, note=purchase.note,
        covered_late=late or None,
    )  # fmt: skip
    session.flush()
    circuit.renewed()
    watchers.supply_changed(now)
    return lot


class NotSoMany(Exception):
    """The lot has fewer calls than are to be taken; nothing was changed."""


class TooMany(Exception):
    """The lot would have more calls than `MOST_CALLS`; nothing was changed."""


class LotClosed(Exception):
    """The lot is closed: nothing moves on it but what was held before; nothing was changed."""


def correct(lot_id: int, change: int, reason: str, who: Who, now: datetime) -> int:
    """Adds one correcting entry to a lot, and returns what is left of it: `change` calls more, or fewer if negative.

    The lot's size moves with what is left of it, so that both stay the sum of its entries; where it has expired, what
    is left ends unused at once. Raises `NotSoMany`, `TooMany`, `LotClosed`.
    """
    fits = Lot.available >= -change, Lot.calls <= MOST_CALLS - change
    moved = {"available": Lot.available + change, "calls": Lot.calls + change}
    left = _mend(EntryKind.CORRECTION, lot_id, change, moved, fits, reason, who, now)
    if left is None:
        raise _not_corrected(must_write().get(Lot, lot_id, populate_existing=True), change)
    return left


def use_elsewhere(lot_id: int, change: int, reason: str, who: Who, now: datetime) -> int:
    """Adds an entry of calls that were used past this product, and returns what is left of the lot: `change` calls
    fewer if negative, or given back, never more than were used before or elsewhere.

    The lot was as large as it was recorded: its size stays, and with it the price of a call and the share that is left.
    Raises `NotSoMany`, `LotClosed`.
    """
    fits = Lot.available >= -change, Lot.used_before >= change
    moved = {"available": Lot.available + change, "used_before": Lot.used_before - change}
    left = _mend(EntryKind.USED_ELSEWHERE, lot_id, change, moved, fits, reason, who, now)
    if left is None:
        _refuse_closed(must_write().get(Lot, lot_id, populate_existing=True))
        raise NotSoMany(f"lot {lot_id} cannot be moved by {change} calls")
    return left


def _mend(
    kind: EntryKind, lot_id: int, change: int, values: dict[str, Any], fits: Iterable[ColumnElement[bool]],
    reason: str, who: Who, now: datetime,
) -> int | None:  # fmt: skip
    """Moves a lot that is not closed, with entry and record, and returns what is left of it; None: it does not fit."""
    moved = update(Lot).where(Lot.id == lot_id, Lot.closed_at.is_(None), *fits).values(values)
    left = must_write().scalar(moved.returning(Lot.available))
    if left is None:
        return None
    enter(kind, lot_id, change, left, now, actor_id=who.user_id, reason=reason)
    named: dict[str, Any] = {} if kind == EntryKind.CORRECTION else {"entry": kind.value}
    append(who, Action.LOT_CORRECTED, now, on=("lot", lot_id), change=change, reason=reason, **named)
    has_lapsed = write_off(locked(lot_id), day_of(now, this_instance().settings.zone), now)
    watchers.supply_changed(now)
    return 0 if has_lapsed else int(left)


def _not_corrected(lot: Lot | None, change: int) -> Exception:
    _refuse_closed(lot)
    if lot is not None and change > 0:
        return TooMany(f"lot {lot.id} cannot have {change} calls more")
    return NotSoMany(f"there are fewer than {-change} calls left")


def _refuse_closed(lot: Lot | None) -> None:
    if lot is not None and lot.closed_at is not None:
        raise LotClosed(f"lot {lot.id} is closed")


def hold(verification_id: int, today: date, now: datetime) -> int | None:
    """Holds one call of the valid lot whose turn it is; None where no valid lot has one."""
    connection = must_write().connection()
    for lot_id in connection.scalars(_with_calls(drawing.order()), {"today": today}).all():
        # Another writer may have taken the last call since the SELECT: the condition decides, not what was read.
        left = connection.scalar(_TAKE, {"lot": lot_id, "today": today})
        if left is not None:
            enter(EntryKind.HOLD, lot_id, -1, left, now, verification_id=verification_id)
            return int(lot_id)
    enter(EntryKind.HOLD, None, 0, 0, now, verification_id=verification_id)
    return None


@cache
def _with_calls(order: DrawOrder) -> Select[int]:
    return select(_lots.c.id).where(*_HAS_CALLS).order_by(*drawing.COLUMNS[order], _lots.c.id)


def charge(
    verification_id: int, lot_id: int | None, now: datetime, *, actor_id: int | None = None, reason: str = ""
) -> None:
    """Turns a held call into a charged one; `actor_id` and `reason` where a person decided it."""
    left = _settle(lot_id, released=0, spent=1)
    enter(EntryKind.CHARGE, lot_id, 0, left, now, verification_id=verification_id, actor_id=actor_id, reason=reason)


def release(
    verification_id: int, lot_id: int | None, today: date, now: datetime,
    *, actor_id: int | None = None, reason: str = "",
) -> None:  # fmt: skip
    """Gives a held call back to its lot; where that expired or was closed meanwhile, it ends unused at once."""
    left = _settle(lot_id, released=1, spent=0)
    enter(
        EntryKind.RELEASE, lot_id, 0 if lot_id is None else 1, left, now,
        verification_id=verification_id, actor_id=actor_id, reason=reason,
    )  # fmt: skip
    if lot_id is not None:
        write_off(locked(lot_id), today, now)


def lapse_expired(today: date, now: datetime) -> bool:
    """Writes off what is left of one expired lot; True if there was one."""
    session = must_write()
    expired = select(Lot.id).where(Lot.expires_on < today, Lot.available > 0).order_by(Lot.id).limit(1)
    lot_id = session.scalar(expired)
    return lot_id is not None and write_off(locked(lot_id), today, now)


def reinstate_valid(today: date, now: datetime) -> bool:
    """Gives back what lapsed of one lot that is valid all the same, or will be: a clock was ahead, and is right again.
    True if there was one."""
    standing = select(Lot.id).where(Lot.expires_on >= today, Lot.closed_at.is_(None), Lot.lapsed > 0)
    lot_id = must_write().scalar(standing.order_by(Lot.id).limit(1))
    return lot_id is not None and reinstate(locked(lot_id), today, now)


def locked(lot_id: int) -> Lot:
    """A lot as it is now, kept from all other writers until the caller's transaction ends."""
    # The lock of an UPDATE, not a stronger one: PostgreSQL would let one who moved the lot and now locks it, and one
    # who waits to move it, wait for each other.
    query = select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)
    return must_write().scalars(query.execution_options(populate_existing=True)).one()


def write_off(lot: Lot, today: date, now: datetime, *, actor_id: int | None = None, reason: str = "") -> bool:
    """What is left of a `locked` lot ends unused if the lot is closed or expired; False where nothing did."""
    if not lot.available or not lot.has_ended(today):
        return False
    kind = EntryKind.LAPSE if lot.closed_at is None else EntryKind.WRITE_OFF
    end_unused(lot, kind, lot.available, now, actor_id, reason)
    return True


def reinstate(lot: Lot, today: date, now: datetime, *, actor_id: int | None = None, reason: str = "") -> bool:
    """What ended unused of a `locked` lot comes back if the lot is valid, or will be; False where nothing did."""
    if not lot.lapsed or lot.has_ended(today):
        return False
    end_unused(lot, EntryKind.REINSTATEMENT, -lot.lapsed, now, actor_id, reason)
    return True


def end_unused(lot: Lot, kind: EntryKind, calls: int, now: datetime, actor_id: int | None, reason: str) -> None:
    """So many calls of a `locked` lot end unused; negative: they come back."""
    lot.available, lot.lapsed = lot.available - calls, lot.lapsed + calls
    must_write().flush()
    enter(kind, lot.id, -calls, lot.available, now, actor_id=actor_id, reason=reason)


def _settle(lot_id: int | None, *, released: int, spent: int) -> int:
    """One call less is held; what is available of the lot then."""
    if lot_id is None:
        return 0
    left = must_write().connection().scalar(_SETTLE, {"lot": lot_id, "released": released, "spent": spent})
    if left is None:
        raise RuntimeError(f"lot {lot_id} holds no call")
    return int(left)


def enter(
    kind: EntryKind, lot_id: int | None, change: int, after: int, now: datetime,
    *, verification_id: int | None = None, actor_id: int | None = None, reason: str = "",
) -> None:  # fmt: skip
    """Adds one entry: `change` to what is available of a lot, `after` of it. Its figures are the caller's."""
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
