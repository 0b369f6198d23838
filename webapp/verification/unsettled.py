"""Reads of the calls that nobody knows to be charged or not: those to be decided first, then those that may be asked
again, each the oldest first, in keyset pages: none is left out, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, TextClause, and_, func, or_, select, text
from sqlalchemy.orm import joinedload

from webapp.foundation.database import db
from webapp.quota.models import Lot
from webapp.vendor.contract import Outcome
from webapp.verification.models import OPEN, Decision, Settlement, Verification

SIZE = 50


class Place(NamedTuple):
    """Where a page begins: at this verification, among those that may be asked again or before them."""

    row: Verification
    asked_again: bool


class Page(NamedTuple):
    """Rows of one page, and where the next begins."""

    rows: Sequence[Verification]
    following: Place | None


class Held(NamedTuple):
    """What is held, in calls and fen; `unpriced`: calls of lots whose price is not known, or of none."""

    undecided: int
    asked_again: int
    fen: int
    unpriced: int

    @property
    def calls(self) -> int:
        return self.undecided + self.asked_again


def page(start: Place | None, size: int = SIZE) -> Page:
    """One page, from the beginning or from `start` on."""
    found: list[Place] = []
    for asked_again in (False, True):
        if start is None or start.asked_again <= asked_again:
            first = start.row if start and start.asked_again == asked_again else None
            rows = db.session.scalars(_in_order(asked_again, first).limit(size + 1 - len(found)))
            found += [Place(row, asked_again) for row in rows]
    return Page([place.row for place in found[:size]], found[size] if len(found) > size else None)


def place(verification_id: int, asked_again: bool | None) -> Place | None:
    """Where a verification stands, or stood when `asked_again` was true or not; None where there is none."""
    row = db.session.get(Verification, verification_id)
    if row is None:
        return None
    if asked_again is None:
        asked_again = bool(db.session.scalar(select(_asked_again()).where(Verification.id == row.id)))
    return Place(row, asked_again)


def held() -> Held:
    """All that is held, on whatever page."""
    counts, fen, unpriced = {False: 0, True: 0}, 0.0, 0
    for asked_again in (False, True):
        by_lot = select(func.count(), Lot.price_fen, Lot.calls).select_from(Verification)
        by_lot = by_lot.join(Lot, Lot.id == Verification.lot_id, isouter=True).where(*_open(asked_again))
        for count, price, size in db.session.execute(by_lot.group_by(Lot.id, Lot.price_fen, Lot.calls)):
            counts[asked_again] += count
            fen += count * price / size if price else 0
            unpriced += 0 if price else count
    return Held(counts[False], counts[True], round(fen), unpriced)


def _in_order(asked_again: bool, first: Verification | None) -> Select[Any]:
    at, row_id = Verification.created_at, Verification.id
    query = select(Verification).where(*_open(asked_again))
    if first is not None:
        query = query.where(or_(at > first.created_at, and_(at == first.created_at, row_id >= first.id)))
    whole = query.options(joinedload(Verification.operator), joinedload(Verification.purpose))
    return whole.order_by(at, row_id)


def _open(asked_again: bool) -> tuple[ColumnElement[bool] | TextClause, ...]:
    # In the index's own words: SQLite uses a partial index for a constant only.
    decided = _asked_again() if asked_again else ~_asked_again()
    return text(f"verification.{OPEN}"), Verification.outcome != Outcome.SENDING, decided


def _asked_again() -> ColumnElement[bool]:
    of_it = Settlement.verification_id == Verification.id
    return select(Settlement.id).where(of_it, Settlement.decision == Decision.ASK_AGAIN).exists()
