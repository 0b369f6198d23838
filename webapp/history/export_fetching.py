"""A prepared file on its way to its owner: it is gone the moment it was sent whole.

A download that breaks off leaves the file to be fetched again, from its beginning, for the rest of its day; whoever
fetches while another download of theirs is believed to be under way ends that one. However slowly it is read, a
download ends a day after its file's day. So nobody asks anew, or waits, for
what a network broke, and no copy lies here of what somebody has.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Update, select, update
from sqlalchemy.exc import SQLAlchemyError

from webapp.audit.trail import Action, Who, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, end_read, transaction
from webapp.foundation.instance import Instance
from webapp.history.export_models import Export, ExportPiece, ExportState
from webapp.history.export_operations import LASTING, STILL, changed, destroy_some, may_have, order_of, piece_place
from webapp.history.export_trail import record

WHOLE = (ExportState.READY, ExportState.SENDING)
"""In these an export has its whole file."""


class NotThere(Exception):
    """The owner has no such file, or has fetched it, or it expired: it can be asked for anew."""


class BrokenOff(Exception):
    """The rest of the file is not to be had: it is fetched anew, or somebody in it was erased. The reader must see
    that what was sent is not whole."""


def fetch(export_id: int, who: Who, instance: Instance, now: datetime) -> Export:
    """The export whose file its owner now fetches, from its beginning. Raises `NotThere`."""
    with transaction() as session:
        export = session.get(Export, export_id)
        if export is None or export.owner_id != who.user_id or not may_have(export):
            raise NotThere
        there = Export.id == export_id, Export.state.in_(WHOLE), Export.ends_at > now
        if not changed(update(Export).where(*there).values(state=ExportState.SENDING, fetched_at=now)):
            raise NotThere
        session.refresh(export)
        record(
            Action.EXPORT_FETCHED, order_of(export, instance).filters, who, instance, now, export_id=export.id,
            rows=export.rows, plain=export.plain,
        )  # fmt: skip
        return export


def sent(export: Export, who: Who, instance: Instance) -> Iterator[bytes]:
    """The opened pieces of a file that is fetched; how it ended is recorded. Raises `BrokenOff`."""
    export_id, last, rows, seen, whole = export.id, export.pieces, export.rows, export.fetched_at, False
    try:
        for number in range(last):
            seen = _still_mine(export_id, seen)
            yield piece(export_id, number, instance)
        whole = True
    finally:
        # Also where the reader went away: what was sent was seen.
        over = {"state": ExportState.FETCHED, "ends_at": utc_now(), "sealed_order": None}
        with transaction():
            changed(_mine(export_id, seen).values(**over if whole else {"state": ExportState.READY}))
            append(who, Action.EXPORT_SENT, utc_now(), on=("export", export_id), success=whole, rows=rows)
    with suppress(SQLAlchemyError):  # the job goes on
        while destroy_some(export_id, utc_now()):
            pass


def piece(export_id: int, number: int, instance: Instance) -> bytes:
    """One opened piece of a file. Raises `CannotOpen` where it is not the one that was stored."""
    mine = ExportPiece.export_id == export_id, ExportPiece.number == number
    sealed = db.session.scalar(select(ExportPiece.sealed).where(*mine)) or b""
    end_read()
    return zlib.decompress(instance.sealer.open(sealed, piece_place(export_id, number)))


def _still_mine(export_id: int, seen: datetime | None) -> datetime | None:
    """When the download was seen last, now and then moved on: nobody believes it dead. Raises `BrokenOff`, also where
    its file's day was over a day ago."""
    now = utc_now()
    present = select(Export.state, Export.fetched_at, Export.ends_at).where(Export.id == export_id)
    state, fetched_at, ends_at = db.session.execute(present).one()
    end_read()
    if (state, fetched_at) != (ExportState.SENDING, seen) or ends_at <= now - LASTING:
        raise BrokenOff
    if seen is None or now - seen < STILL / 4:
        return seen
    with transaction():
        if not changed(_mine(export_id, seen).values(fetched_at=now)):
            raise BrokenOff
    return now


def _mine(export_id: int, seen: datetime | None) -> Update:
    """A change of the export as long as no later download, and nothing else, has come over it."""
    return update(Export).where(Export.id == export_id, Export.state == ExportState.SENDING, Export.fetched_at == seen)
