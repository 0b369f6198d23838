"""Exports that are prepared in the background, and the sealed pieces of their files."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import Role, User
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import sealed
from webapp.history.export_files import FileFormat


class ExportState(StrEnum):
    """What has become of an export."""

    ASKED = "asked"
    """In plaintext: a second approver decides first."""
    PREPARING = "preparing"
    READY = "ready"
    SENDING = "sending"
    """Its owner is fetching it: ready again, where the download breaks off."""
    FETCHED = "fetched"
    """Sent whole: the file is gone."""
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """A person was erased who may have been in it: asked for anew, it holds what is left."""
    FAILED = "failed"
    """A row did not open under the keys of this instance."""


class Export(Base):
    """One export, asked for by its owner, who alone fetches it, once. The row stays when its file is destroyed."""

    __tablename__ = "export"
    __table_args__ = (Index(None, "state", "ends_at"), Index(None, "owner_id", "id"),
                      {"sqlite_autoincrement": True})  # fmt: skip

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Nothing that was verified later is in the file."""
    format: Mapped[FileFormat] = mapped_column(String(4))
    plain: Mapped[bool]
    owner_role: Mapped[Role] = mapped_column(String(16), server_default=text("''"))
    """The owner's when it was asked for: what is in the file is what this role may see."""
    sealed_order: Mapped[bytes | None] = mapped_column(LargeBinary, info=sealed("export:{id}"))
    """The filters, what was searched for, the reader's language and the words of the reason: see `export_order`. It
    goes when the export ends, whichever way: a search names people."""
    state: Mapped[ExportState] = mapped_column(String(10))
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the request, or the file, expires."""
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    place: Mapped[str] = mapped_column(String(200), default="")
    """Behind which row the next piece begins."""
    position: Mapped[list[int]] = mapped_column(JSON, default=list)
    """What the file's writer needs to go on."""
    pieces: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    """That stand in the pieces so far."""
    total: Mapped[int | None]
    """That there will be, by the counters as the first piece was made; None: they do not know."""
    fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last download began, or was seen to go on: by it a download knows that none was begun after it."""

    owner: Mapped[User] = relationship(foreign_keys=owner_id)
    approver: Mapped[User | None] = relationship(foreign_keys=approver_id)


class ExportPiece(Base):
    """A piece of an export's file, sealed for this export and this number."""

    __tablename__ = "export_piece"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("export_piece:{export_id}:{number}"))
