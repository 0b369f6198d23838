"""What the quota is: balance, lots, newest entries, and the proof that cache and ledger agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Date, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from webapp.foundation.database import db
from webapp.quota import closing, drawing, uncovered
from webapp.quota.models import BEFORE, ENDS, SUPPLY, EntryKind, LedgerClosing, LedgerEntry, Lot
from webapp.quota.rules import Balance, lot_name, order_key


def lots() -> Sequence[Lot]:
    """Every lot, in the order of drawing."""
    return db.session.scalars(select(Lot).order_by(*drawing.turns())).all()


def lot_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """What these lots are called."""
    found = select(Lot.id, Lot.order_number).where(Lot.id.in_({one for one in ids if one is not None}))
    return {lot_id: lot_name(lot_id, order_number) for lot_id, order_number in db.session.execute(found)}


def balance(today: date, unknown: int) -> Balance:
    """What the lots valid on `today` make together; `unknown` is how many outcomes nobody knows yet."""
    valid = drawing.valid_on(today)
    sums = select(func.sum(Lot.available), func.sum(Lot.calls), func.sum(Lot.held)).where(*valid)
    remaining, total, held = db.session.execute(sums).one()
    return Balance(remaining or 0, total or 0, held or 0, unknown, uncovered.open_calls())


def charged_on_no_lot() -> int:
    """Calls that were charged while no lot had any, booked on one later or not: by the ledger, for the proof. Pages
    read the counters (`uncovered`)."""
    charged = db.session.scalar(
        select(func.count()).where(LedgerEntry.lot_id.is_(None), LedgerEntry.kind == EntryKind.CHARGE)
    )
    closed = db.session.scalar(select(LedgerClosing.charges).where(LedgerClosing.lot_id == 0))
    return (charged or 0) + (closed or 0)


def newest_entries(most: int = 20) -> Sequence[LedgerEntry]:
    """The newest ledger entries, newest first."""
    return db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(most)).all()


_today = bindparam("today", type_=Date)
_begun = aliased(Lot)
_changes = (
    select(func.count()).select_from(LedgerEntry).join(_begun, _begun.id == LedgerEntry.lot_id)
    .where(LedgerEntry.verification_id.is_(None), _begun.bought_on <= _today,
           LedgerEntry.kind.in_((*SUPPLY, EntryKind.USED_ELSEWHERE, EntryKind.REINSTATEMENT)),
           # Of what comes back of a lot that is over, nothing is left: calls are booked on it.
           or_(LedgerEntry.kind != EntryKind.REINSTATEMENT,
               and_(LedgerEntry.actor_id.is_not(None), _begun.expires_on >= _today)))
)  # fmt: skip
_SUPPLY = select(func.sum(Lot.available + Lot.lapsed), func.sum(Lot.calls), _changes.scalar_subquery()).where(
    *drawing.valid_on(_today)
)
"""Put together once: every call asks."""


def valid_supply(today: date) -> tuple[int, int, int]:
    """Remaining and total calls of all lots valid on `today`, and how often people changed the supply so far: what
    they do to a lot that begins later counts from the day on which it begins. What lapsed of a lot that is valid counts
    as remaining: a clock was ahead, and within a minute it is given back (`ledger.reinstate_valid`).

    Costs the same however many calls were made: lots are few, and entries that belong to no verification are found by
    an index of their own.
    """
    remaining, total, mark = db.session.execute(_SUPPLY, {"today": today}).one()
    return int(remaining or 0), int(total or 0), int(mark)


def open_lots(today: date) -> Sequence[Lot]:
    """The lots that have not ended, also those that begin later, as they are now, in the order of drawing."""
    still = select(Lot).where(Lot.expires_on >= today, Lot.closed_at.is_(None)).order_by(*drawing.turns())
    return db.session.scalars(still.execution_options(populate_existing=True)).all()


def valid_lots(today: date) -> Sequence[Lot]:
    """The lots that calls are drawn from on that day, as they are now, in the order of drawing."""
    return [lot for lot in open_lots(today) if lot.bought_on <= today]


def next_lot(today: date) -> int | None:
    """The lot that the next call is taken from; None where no valid lot has a call."""
    return next((lot.id for lot in valid_lots(today) if lot.available), None)


def entries_of(lot_id: int, before: int | None, size: int) -> Sequence[LedgerEntry]:
    """A lot's entries, the newest first, from the one before the entry of this number on; one more than `size`."""
    query = select(LedgerEntry).where(LedgerEntry.lot_id == lot_id).order_by(LedgerEntry.id.desc()).limit(size + 1)
    return db.session.scalars(query if before is None else query.where(LedgerEntry.id < before)).all()


def same_order(order_number: str, but: int | None = None) -> Lot | None:
    """A lot that has this order number already, however it is written; `but`: other than this one."""
    wanted = order_key(order_number)
    named = db.session.scalars(select(Lot).where(Lot.order_number != "").order_by(Lot.id)) if wanted else ()
    return next((lot for lot in named if lot.id != but and order_key(lot.order_number) == wanted), None)


def newest_change_at() -> datetime | None:
    """When a call or a person moved the ledger last. What our job wrote off after a lot's end does not count: the calls
    were gone with the end."""
    moved = select(LedgerEntry.at).where(or_(LedgerEntry.kind != EntryKind.LAPSE, LedgerEntry.actor_id.is_not(None)))
    return db.session.scalar(moved.order_by(LedgerEntry.id.desc()).limit(1))


def lots_ending(first: date, last: date) -> Sequence[Lot]:
    """Lots, but closed ones, whose last valid day lies from `first` to `last`, as they are now."""
    return db.session.scalars(_ENDING, {"first": first, "last": last}).all()


_ENDING = (
    select(Lot).where(Lot.expires_on >= bindparam("first", type_=Date), Lot.expires_on <= bindparam("last", type_=Date),
                      Lot.closed_at.is_(None))
    .order_by(Lot.expires_on, Lot.id).execution_options(populate_existing=True)
)  # fmt: skip


def supply_entries() -> Sequence[LedgerEntry]:
    """Every entry that is of a lot and of no verification, in their order: few, found by an index of their own."""
    # By that index' order: for the order of their numbers SQLite reads the whole ledger instead.
    ours = select(LedgerEntry).where(LedgerEntry.verification_id.is_(None), LedgerEntry.lot_id.is_not(None))
    return sorted(db.session.scalars(ours.order_by(LedgerEntry.at, LedgerEntry.id)), key=attrgetter("id"))


def lots_by_id(ids: Sequence[int]) -> Sequence[Lot]:
    """These lots, as they are now."""
    found = select(Lot).where(Lot.id.in_(ids)).order_by(Lot.id)
    return db.session.scalars(found.execution_options(populate_existing=True)).all()


class Difference(NamedTuple):
    """A figure that is not what its entries make."""

    lot_id: int
    figure: str
    """Its column, or what is wrong beside one."""
    cached: int
    recounted: int

    @property
    def what(self) -> str:
        """The figure and whose it is."""
        return f"lot {self.lot_id} {self.figure}"


def recount() -> list[Difference]:
    """Recounts every lot from ledger and closing balances, and names each figure that differs. Empty: all agree."""

    def entries(kind: EntryKind) -> object:
        return func.coalesce(func.sum(case((LedgerEntry.kind == kind, 1), else_=0)), 0)

    def changes(*kinds: EntryKind) -> object:
        return func.coalesce(func.sum(case((LedgerEntry.kind.in_(kinds), LedgerEntry.change), else_=0)), 0)

    sums = select(
        LedgerEntry.lot_id,
        func.sum(LedgerEntry.change),
        entries(EntryKind.HOLD), entries(EntryKind.CHARGE), entries(EntryKind.RELEASE),
        changes(*ENDS), changes(*BEFORE), changes(*SUPPLY),
    ).group_by(LedgerEntry.lot_id)  # type: ignore[call-overload]  # fmt: skip
    by_lot = {row[0]: row[1:] for row in db.session.execute(sums)}
    closed = closing.closings()
    found = []
    for lot in db.session.scalars(select(Lot).execution_options(populate_existing=True)):
        change, holds, charges, releases, ended, used, supply = by_lot.get(lot.id, (0, 0, 0, 0, 0, 0, 0))
        if lot.id in closed:
            gone = closed[lot.id]
            change, holds = change + gone.change, holds + gone.holds
            charges, releases = charges + gone.charges, releases + gone.releases
        expected = {"available": change, "held": holds - charges - releases, "charged": charges,
                    "lapsed": -ended, "used_before": -used, "calls": supply}  # fmt: skip
        found += [
            Difference(lot.id, field, getattr(lot, field), int(figure))
            for field, figure in expected.items()
            if getattr(lot, field) != figure
        ]
        if lot.closed_at is not None and lot.available:
            found.append(Difference(lot.id, "available though closed", lot.available, 0))
    return found
