"""How far a rotation of keys has come: in the database, so that whoever is killed, another goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime


class KeyRotation(Base):
    """One rotation. Ids of keys only; several old ones with a space between."""

    __tablename__ = "key_rotation"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    data_key: Mapped[str] = mapped_column(String(16))
    index_key: Mapped[str] = mapped_column(String(16))
    old_data_keys: Mapped[str] = mapped_column(String(200), default="")
    old_index_keys: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """From then on every process takes up the new keys, to open and to search."""
    promoted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """From then on they seal and index."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KeyRotationPart(Base):
    """One table of it. It is gone through until nothing is found that is under another key."""

    __tablename__ = "key_rotation_part"

    rotation_id: Mapped[int] = mapped_column(ForeignKey("key_rotation.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    """Behind which row the next batch begins; None: at the first."""
    total: Mapped[int] = mapped_column(RowId)
    """Rows when it began."""
    done: Mapped[int] = mapped_column(RowId, default=0)
    """Rows that were renewed."""
    found: Mapped[int] = mapped_column(RowId, default=0)
    """Rows in the present pass that were under another key, and open."""
    broken: Mapped[int] = mapped_column(RowId, default=0)
    """Rows in the present pass that open under no key: they are left as they are."""
    pass_began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
