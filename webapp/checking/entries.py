"""The ledger by itself: every entry moves what its kind moves, and goes on from the one before it on its lot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from webapp.foundation.database import db
from webapp.quota import append_only
from webapp.quota.entry_table import KINDS
from webapp.quota.models import BEFORE, ENDS, EntryKind, LedgerClosing, LedgerEntry, Lot

MOST_NAMED = 1_000
CALLS = (EntryKind.HOLD, EntryKind.CHARGE, EntryKind.RELEASE)
"""Of a verification; all others are of none."""


def differences() -> Iterator[str]:
    """Each entry that cannot be as it stands; first, whether the database still keeps them from being changed."""
    for name in append_only.missing():
        yield _("the database does not guard the ledger: %(name)s is missing, or not as it was made", name=name)
    if leaves := append_only.left_open():
        yield _("the database does not guard the ledger: %(rows)s rows of ledger_leave let anybody remove entries",
                rows=leaves)  # fmt: skip
    for id, lot_id, kind, change, after, before, fits in db.session.execute(_odd()):
        words = {"id": id, "kind": KINDS.get(kind, kind), "lot": lot_id or "–"}
        if not fits:
            yield _("ledger entry %(id)s (%(kind)s, lot %(lot)s) changes %(change)s calls: that cannot be its kind",
                    change=change, **words)  # fmt: skip
        if after != before + change:
            yield _("ledger entry %(id)s (%(kind)s, lot %(lot)s) says that %(after)s calls were left: by the entry "
                    "before it there were %(expected)s", after=after, expected=before + change, **words)  # fmt: skip


def _odd() -> Select[Any]:
    """A lot whose oldest calls were let go has gaps in its run: there sums are proof enough, see `quota.recount`."""
    its_lot = {"partition_by": LedgerEntry.lot_id, "order_by": LedgerEntry.id}
    one_before = func.coalesce(func.lag(LedgerEntry.available_after).over(**its_lot), 0)  # type: ignore[arg-type]
    has_gaps = LedgerEntry.lot_id.in_(select(LedgerClosing.lot_id))
    before = case((has_gaps, LedgerEntry.available_after - LedgerEntry.change), else_=one_before)
    columns = LedgerEntry.id, LedgerEntry.lot_id, LedgerEntry.kind, LedgerEntry.change, LedgerEntry.available_after
    rows = select(*columns, before.label("before"), _fits().label("fits")).subquery()
    return (
        select(*rows.c)
        .where(or_(rows.c.fits.is_(False), rows.c.available_after != rows.c.before + rows.c.change))
        .order_by(rows.c.id)
        .limit(MOST_NAMED)
    )


def _fits() -> ColumnElement[bool]:
    """What an entry of each kind may change, and whether it is of a verification."""
    change, covered = LedgerEntry.change, LedgerEntry.lot_id.is_not(None)
    call = LedgerEntry.verification_id.is_not(None)
    free = and_(covered, ~call)
    return case(
        (LedgerEntry.kind == EntryKind.HOLD, and_(call, change == case((covered, -1), else_=0))),
        (LedgerEntry.kind == EntryKind.CHARGE, and_(call, change == 0)),
        (LedgerEntry.kind == EntryKind.RELEASE, and_(call, change == case((covered, 1), else_=0))),
        (LedgerEntry.kind.in_((EntryKind.PURCHASE, EntryKind.REINSTATEMENT)), and_(free, change > 0)),
        (LedgerEntry.kind.in_((EntryKind.CORRECTION, EntryKind.USED_ELSEWHERE)), and_(free, change != 0)),
        (LedgerEntry.kind.in_((*BEFORE, EntryKind.REFUND, *ENDS)), and_(free, change < 0)),
        else_=~true(),
    )  # fmt: skip


def lots_named() -> dict[int, int]:
    """How many entries name each lot that there is not."""
    known = select(Lot.id)
    lost = select(LedgerEntry.lot_id, func.count()).where(LedgerEntry.lot_id.not_in(known))
    found = db.session.execute(lost.group_by(LedgerEntry.lot_id).order_by(LedgerEntry.lot_id))
    return {lot_id: entries for lot_id, entries in found if lot_id is not None}
