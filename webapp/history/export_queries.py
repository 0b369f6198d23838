"""Reads of exports."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from webapp.accounts.models import User
from webapp.foundation.database import db
from webapp.history.export_models import Export, ExportState
from webapp.history.export_operations import APPROVERS

SHOWN = 50


def visible(export_id: int, reader: User) -> Export | None:
    """The export where this reader may see it: one's own, or in plaintext for whoever may approve it."""
    row = db.session.get(Export, export_id)
    if row is None or not (row.owner_id == reader.id or (row.plain and reader.role in APPROVERS)):
        return None
    return row


def listed(reader: User) -> Sequence[Export]:
    """One's own exports, the newest first, and plaintext ones that this reader may decide about."""
    mine = Export.owner_id == reader.id
    waiting = [Export.state == ExportState.ASKED] if reader.role in APPROVERS else []
    query = select(Export).where(or_(mine, *waiting)).order_by(Export.id.desc()).limit(SHOWN)
    return db.session.scalars(query.options(joinedload(Export.owner))).all()
