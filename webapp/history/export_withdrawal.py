"""Taking back exports that were not fetched yet, because somebody who may be in them was erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, text

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen
from webapp.history.export_models import Export, ExportPiece, ExportState
from webapp.history.export_operations import OPEN, order_of, withdraw_notices

Means = Callable[[str], bool]


def concerned(since: datetime | None, means: Means, instance: Instance) -> int:
    """How many exports `withdraw` would take back."""
    return len(_concerned(select(Export), since, means, instance))


def let_none_be_begun() -> None:
    """Until the caller's transaction ends, whoever would ask for an export, or store a piece of one, waits. Before
    anything else but holds is locked.

    Else an export that is asked for after `withdraw` has looked, and prepared before the caller commits, holds whom the
    caller destroys. The lock keeps out its like as well: two that share it would both wait to change an export.
    """
    session = must_write()
    if session.get_bind().dialect.name == "postgresql":  # SQLite lets one write at a time anyway
        session.execute(text("LOCK TABLE export IN SHARE ROW EXCLUSIVE MODE"))


def withdraw(since: datetime | None, means: Means, who: Who, instance: Instance, now: datetime) -> int:
    """Ends, in the caller's transaction, every open export that was asked for since the person was first verified
    (None: no verification is left), or whose search means them, and destroys what was prepared. Returns how many."""
    # Whoever is storing a piece at this moment comes before, or finds that the export is not prepared any more.
    found = _concerned(select(Export).with_for_update(of=Export), since, means, instance)
    session = must_write()
    for export in found:
        export.state, export.ends_at, export.sealed_order = ExportState.WITHDRAWN, now, None
        session.flush()
        mine = delete(ExportPiece).where(ExportPiece.export_id == export.id)
        session.execute(mine, execution_options={"synchronize_session": False})
        append(who, Action.EXPORT_DESTROYED, now, on=("export", export.id))
        withdraw_notices(export.id)
    return len(found)


def _concerned(
    query: Select[Export], since: datetime | None, means: Means, instance: Instance
) -> Sequence[Export]:  # fmt: skip
    still = query.where(Export.state.in_(OPEN)).order_by(Export.id)
    rows = db.session.scalars(still.execution_options(populate_existing=True)).all()
    return [row for row in rows if (since is not None and row.asked_at >= since) or _asks_for(row, means, instance)]


def _asks_for(export: Export, means: Means, instance: Instance) -> bool:
    try:
        order = order_of(export, instance)
    except CannotOpen:  # nobody knows whom it asks for, and nobody can prepare it
        return True
    return means(order.filters.search or "") or means(order.words)
