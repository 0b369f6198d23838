"""What retention remembers: runs of the purge, and what the law holds back from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import User
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import sealed
from webapp.retention.rules import Kind

OPEN = "lifted_at IS NULL"


class PurgeRun(Base):
    """One purge of one class, batch by batch: who is killed in between goes on behind `position`."""

    __tablename__ = "purge_run"
    __table_args__ = (Index(None, "kind", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[datetime] = mapped_column(UtcDateTime)
    """What is older goes; fixed when the run begins."""
    position: Mapped[int] = mapped_column(RowId, default=0)
    """Number of the last row that was looked at."""
    removed: Mapped[int] = mapped_column(RowId, default=0)
    spared: Mapped[int] = mapped_column(RowId, default=0)
    """Old enough, but held, or not settled yet."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fault: Mapped[str] = mapped_column(String(200), default="")
    """Why it ended before its end."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class LegalHold(Base):
    """Keeps a verification, or a person, from purge and erasure until it is lifted."""

    __tablename__ = "legal_hold"
    __table_args__ = (Index("ix_legal_hold_open", "id", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    verification_id: Mapped[int | None] = mapped_column(ForeignKey("verification.id"), index=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=sealed("legal_hold:{id}"))
    """Name and number of a held person; gone once lifted. The number is what decides."""
    reason: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_by: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    lift_reason: Mapped[str] = mapped_column(String(200), default="")

    placer: Mapped[User] = relationship(foreign_keys=[placed_by])
    lifter: Mapped[User | None] = relationship(foreign_keys=[lifted_by])
