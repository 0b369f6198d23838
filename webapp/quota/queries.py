"""What the quota is: balance, lots, newest entries, and the proof that cache and ledger agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select

from webapp.foundation.database import db
from webapp.quota.models import EntryKind, LedgerEntry, Lot
from webapp.quota.rules import Balance


def lots() -> Sequence[Lot]:
    """Every lot, the one that expires last first."""
    return db.session.scalars(select(Lot).order_by(Lot.expires_on.desc(), Lot.id.desc())).all()


def balance(today: date, unknown: int) -> Balance:
    """What the lots valid on `today` make together; `unknown` is how many outcomes nobody knows yet."""
    sums = select(func.sum(Lot.available), func.sum(Lot.calls), func.sum(Lot.held)).where(
        Lot.expires_on >= today, Lot.bought_on <= today
    )
    remaining, total, held = db.session.execute(sums).one()
    uncovered = db.session.scalar(
        select(func.count()).where(LedgerEntry.lot_id.is_(None), LedgerEntry.kind == EntryKind.CHARGE)
    )
    return Balance(remaining or 0, total or 0, held or 0, unknown, uncovered or 0)


def newest_entries(most: int = 20) -> Sequence[LedgerEntry]:
    """The newest ledger entries, newest first."""
    return db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(most)).all()


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what its entries make."""

    what: str
    cached: int
    recounted: int


def recount() -> list[Difference]:
    """Recounts every lot from the ledger and names each figure that differs. Empty: all agree."""

    def entries(kind: EntryKind) -> object:
        return func.coalesce(func.sum(case((LedgerEntry.kind == kind, 1), else_=0)), 0)

    def changes(*kinds: EntryKind) -> object:
        return func.coalesce(func.sum(case((LedgerEntry.kind.in_(kinds), LedgerEntry.change), else_=0)), 0)

    sums = select(
        LedgerEntry.lot_id,
        func.sum(LedgerEntry.change),
        entries(EntryKind.HOLD), entries(EntryKind.CHARGE), entries(EntryKind.RELEASE),
        changes(EntryKind.LAPSE), changes(EntryKind.PURCHASE, EntryKind.CORRECTION),
    ).group_by(LedgerEntry.lot_id)  # type: ignore[call-overload]  # fmt: skip
    by_lot = {row[0]: row[1:] for row in db.session.execute(sums)}
    found = []
    for lot in db.session.scalars(select(Lot).execution_options(populate_existing=True)):
        change, holds, charges, releases, lapses, bought = by_lot.get(lot.id, (0, 0, 0, 0, 0, 0))
        expected = {"available": change, "held": holds - charges - releases, "charged": charges,
                    "lapsed": -lapses, "calls": bought}  # fmt: skip
        found += [
            Difference(f"lot {lot.id} {field}", getattr(lot, field), int(figure))
            for field, figure in expected.items()
            if getattr(lot, field) != figure
        ]
    return found
