"""Exports in the background: asked for, approved where they are in plaintext, prepared piece by piece, fetched once.

Each piece is sealed for its export and number and stored together with the place it ends at, so that whoever prepares
may be killed at any moment: the next one goes on behind the last whole piece. Plaintext stands in no file and in no
column; a file that was fetched (see `export_fetching`), or was not within a day, is destroyed. However an export ends,
what was asked for goes at that moment: the audit trail alone remembers, and a search only as a fingerprint.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import Update, and_, delete, func, or_, select, update

from webapp.accounts.models import Role, User
from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation.database import db, end_read, insert_rows, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.foundation.sealing import CannotOpen
from webapp.history.export_files import FileFormat, file_of
from webapp.history.export_models import Export, ExportPiece, ExportState
from webapp.history.export_order import Order
from webapp.history.export_rows import Set, heading, wording
from webapp.history.export_size import Size, size_of
from webapp.history.export_texts import watermark
from webapp.history.export_trail import is_accounts_maker, record
from webapp.notify import notices

LASTING = timedelta(days=1)
"""How long a request waits for its approver, and a file for its owner; how long after that a download may go on."""
STILL = timedelta(minutes=15)
"""How long after a file's day is over a download may stand still before it counts as broken off."""
PIECE_ROWS = 5000
DESTROYED_AT_ONCE = 50
"""Pieces: no transaction lasts long."""
MOST_OPEN = 3
"""Exports of one owner that are waiting, being prepared, ready or on their way at once."""
OPEN = (ExportState.ASKED, ExportState.PREPARING, ExportState.READY, ExportState.SENDING)
APPROVERS = frozenset({Role.ADMIN, Role.AUDITOR})


class TooManyOpen(Exception):
    """The owner has as many exports open as one may; fetching one, or a day, makes room."""


class DecidedAlready(Exception):
    """It does not wait for this decision any more: somebody was quicker, or it expired."""


class OwnExport(Exception):
    """Nobody approves what they asked for themselves; another admin or auditor may."""


class NotAllowed(Exception):
    """The owner may not have such a file any more: switched off, or of another role now."""


def ask(order: Order, file: FileFormat, plain: bool, who: Who, instance: Instance, now: datetime) -> int:
    """The number of a new export; one in plaintext waits for an approver. Raises `TooManyOpen`."""
    size = size_of(order.filters, who.user_id or 0, instance, now) if plain else None
    with transaction() as session:
        # Two requests of one owner come one after the other, so that the limit holds.
        role = session.scalar(select(User.role).where(User.id == who.user_id).with_for_update())
        mine = select(func.count()).where(Export.owner_id == who.user_id, Export.state.in_(OPEN))
        if (session.scalar(mine) or 0) >= MOST_OPEN:
            raise TooManyOpen
        state = ExportState.ASKED if plain else ExportState.PREPARING
        export = Export(owner_id=who.user_id, asked_at=now, format=file, plain=plain, owner_role=role,
                        state=state, ends_at=now + LASTING)  # fmt: skip
        session.add(export)
        session.flush()
        export.sealed_order = instance.sealer.seal_json(order.packed(), _place(export.id))
        record(
            Action.EXPORT_ASKED, order.filters, who, instance, now, export_id=export.id, format=file, plain=plain,
            filters=order.described(), reason=order.reason, words=order.words,
        )  # fmt: skip
        for role in APPROVERS if size else ():
            told = {"id": export.id, "rows": size.rows, "more": size.more} if size else {}
            key = f"export:{export.id}:{role}"
            notices.tell(role, "export_asked", key, now, **told)
            notices.spare(key, export.owner_id, now)
        return export.id


def may_own(user: User, *, plain: bool) -> bool:
    """Whether this user may have exports, or exports in plaintext, prepared."""
    return user.active and (user.role in APPROVERS or not plain)


def may_have(export: Export) -> bool:
    """Whether its owner may still have the file: whoever got another role since may not see what is in it."""
    owner = export.owner
    return may_own(owner, plain=export.plain) and owner.role == export.owner_role


def order_of(export: Export, instance: Instance) -> Order:
    """What an open export was asked to hold. Raises `CannotOpen` under other keys, and once it has ended."""
    return Order.unpacked(instance.sealer.open_json(export.sealed_order or b"", _place(export.id)))


def decide(export_id: int, *, approve: bool, who: Who, now: datetime, size: Size | None = None) -> None:
    """Approves or declines a plaintext export; `size`: what the approver was told of it, for the trail. Raises
    `OwnExport`, `DecidedAlready`."""
    known: dict[str, Any] = {"rows": size.rows, "more": size.more} if size else {}
    with transaction() as session:
        owner_id = session.scalar(select(Export.owner_id).where(Export.id == export_id))
        if owner_id == who.user_id:
            raise OwnExport
        if owner_id is not None and is_accounts_maker(owner_id, who.user_id, now):
            known["account_by_asker"] = True
        state = ExportState.PREPARING if approve else ExportState.DECLINED
        kept = {} if approve else {"sealed_order": None}
        waiting = Export.id == export_id, Export.state == ExportState.ASKED, Export.ends_at > now
        change = update(Export).where(*waiting).values(
            state=state, approver_id=who.user_id, decided_at=now, ends_at=now + LASTING, **kept,
        )  # fmt: skip
        if not changed(change):
            raise DecidedAlready
        action = Action.EXPORT_APPROVED if approve else Action.EXPORT_DECLINED
        append(who, action, now, on=("export", export_id), **known)
        withdraw_notices(export_id)


def prepare_piece(instance: Instance, now: datetime) -> bool:
    """Adds one piece to the oldest export that is being prepared; False where there is none."""
    query = select(Export).where(Export.state == ExportState.PREPARING).order_by(Export.id).limit(1)
    export = db.session.scalar(query.execution_options(populate_existing=True))
    if export is None:
        return False
    export_id, number = export.id, export.pieces
    try:
        values, piece, held = _next_piece(export, instance, now)
    except (CannotOpen, NotAllowed):
        values, piece, held = {"state": ExportState.FAILED, "ends_at": now, "sealed_order": None}, b"", []
    end_read()
    with transaction():
        # Of two who prepared the same piece one stores it.
        unmoved = Export.id == export_id, Export.state == ExportState.PREPARING, Export.pieces == number
        if changed(update(Export).where(*unmoved).values(**values)) and piece:
            sealed = instance.sealer.seal(piece, piece_place(export_id, number))
            insert_rows(ExportPiece, {"export_id": export_id, "number": number, "sealed": sealed})
            if held:
                append(SYSTEM, Action.EXPORT_ROWS, now, on=("export", export_id), rows=len(held), shown=held)
    return True


def destroy_expired(now: datetime) -> bool:
    """Ends one export that is over, and destroys some pieces of its file; False where there is none."""
    with transaction() as session:
        pieces = select(ExportPiece.number).where(ExportPiece.export_id == Export.id)
        on_its_way = and_(Export.state == ExportState.SENDING, Export.fetched_at > now - STILL)
        # A reader who is slow enough would keep the file for ever: it has a day more, and no longer.
        late = or_(~on_its_way, Export.ends_at <= now - LASTING)
        over = Export.ends_at <= now, or_(Export.state.in_(OPEN), pieces.exists()), late
        export = session.scalar(select(Export).where(*over).order_by(Export.id).limit(1))
        if export is None:
            return False
        if export.state in OPEN:
            export.state, export.sealed_order = ExportState.EXPIRED, None
            withdraw_notices(export.id)
        _destroy(export.id, now)
        return True


def destroy_some(export_id: int, now: datetime) -> bool:
    """Destroys some pieces of a file that has ended; False where none is left."""
    with transaction():
        return _destroy(export_id, now)


def _destroy(export_id: int, now: datetime) -> bool:
    session, mine = must_write(), ExportPiece.export_id == export_id
    some = select(ExportPiece.number).where(mine).limit(DESTROYED_AT_ONCE)
    destroyed = delete(ExportPiece).where(mine, ExportPiece.number.in_(some))
    done = session.execute(destroyed, execution_options={"synchronize_session": False})
    left = session.scalar(select(ExportPiece.number).where(mine).limit(1)) is not None
    if not left and done.rowcount:  # type: ignore[attr-defined]
        append(SYSTEM, Action.EXPORT_DESTROYED, now, on=("export", export_id))
    return left


def withdraw_notices(export_id: int) -> None:
    """Takes back what approvers were told, in the caller's transaction."""
    for role in APPROVERS:
        notices.settled(f"export:{export_id}:{role}")


def _next_piece(export: Export, instance: Instance, now: datetime) -> tuple[dict[str, Any], bytes, list[int]]:
    """What changes in the export's row, the piece's compressed content, and the verifications in it."""
    if not may_have(export):
        raise NotAllowed
    order, writer = order_of(export, instance), file_of(export.format, export.position)
    zone = instance.settings.zone
    with force_locale(order.locale):
        words = wording(writer.cell, instance, plain=export.plain, locale=order.locale)
        asked = Set(order.filters, export.owner_id, instance, export.asked_at)
        found = asked.batch(export.place, PIECE_ROWS)
        mark = watermark(export, order, zone) if export.plain else ""
        content = b"" if export.pieces else writer.begin(heading(plain=export.plain, zone=zone), mark)
    content += writer.rows(words(found.rows))
    values: dict[str, Any] = {"pieces": export.pieces + 1, "rows": export.rows + len(found.rows)}
    if not export.pieces:
        values["total"] = asked.total()
    if found.place:
        values |= {"place": found.place, "position": list(writer.position)}
    else:
        content += writer.end()
        values |= {"state": ExportState.READY, "ends_at": now + LASTING, "total": values["rows"]}
    return values, zlib.compress(content, 1), [row[0] for row in found.rows]


def changed(change: Update) -> bool:
    """Whether the change, in the caller's transaction, met what it was to change."""
    done = must_write().execute(change, execution_options={"synchronize_session": False})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _place(export_id: int) -> str:
    return f"export:{export_id}"


def piece_place(export_id: int, number: int) -> str:
    """What a piece is sealed for."""
    return f"export_piece:{export_id}:{number}"
