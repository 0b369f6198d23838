"""What the chain is stored in: sealed segments of the trail, and the checkpoint that retention leaves."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import keyed

CHAIN = keyed("the audit key that its row names; what is sealed is never sealed anew")


class AuditSegment(Base):
    """All records above the last one of the segment before, up to `last_id`. Never updated; see `chain` for the seals.

    Numbers that are missing between two records belong to transactions that were rolled back.
    """

    __tablename__ = "audit_segment"

    number: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    """One more than that of the segment before; the first is 1."""
    first_id: Mapped[int] = mapped_column(RowId)
    last_id: Mapped[int] = mapped_column(RowId)
    records: Mapped[int]
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    key_id: Mapped[str] = mapped_column(String(16))
    previous: Mapped[bytes] = mapped_column(LargeBinary(32), info=CHAIN)
    """The seal of the segment before."""
    content: Mapped[bytes] = mapped_column(LargeBinary(32), info=CHAIN)
    """Over every field of every record."""
    marks: Mapped[bytes] = mapped_column(LargeBinary, info=CHAIN)
    """Number and short mark of each record: they tell which one was changed."""
    seal: Mapped[bytes] = mapped_column(LargeBinary(32), info=CHAIN)
    """Over all of the above."""


class AuditCheckpoint(Base):
    """What stands for all segments up to `number` since they were dropped. One row at most."""

    __tablename__ = "audit_checkpoint"

    number: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(RowId)
    """The last record that was dropped."""
    records: Mapped[int] = mapped_column(RowId)
    """How many were dropped in all."""
    dropped_at: Mapped[datetime] = mapped_column(UtcDateTime)
    key_id: Mapped[str] = mapped_column(String(16))
    head: Mapped[bytes] = mapped_column(LargeBinary(32), info=CHAIN)
    """The seal of segment `number`, which the next one names."""
    left_out: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    """What was left among them, for it is not as it was sealed: see `gaps`."""
    seal: Mapped[bytes] = mapped_column(LargeBinary(32), info=CHAIN)
    """Over all of the above."""
