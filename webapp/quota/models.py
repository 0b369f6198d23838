"""Lots and the ledger that makes their figures."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime

ONCE = "kind IN ('hold', 'charge', 'release')"
"""A call is held once, and charged or released once: the database itself refuses a second time."""


class EntryKind(StrEnum):
    """What a ledger entry records."""

    PURCHASE = "purchase"
    HOLD = "hold"
    CHARGE = "charge"
    RELEASE = "release"
    CORRECTION = "correction"
    LAPSE = "lapse"


class Lot(Base):
    """Calls bought at one time. `available`, `held`, `charged` and `lapsed` are the ledger's sums, kept beside it in
    the same transaction; `yuliang check` proves that they agree."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("available >= 0 AND held >= 0 AND charged >= 0 AND lapsed >= 0", name="not_negative"),
        Index(None, "expires_on", "bought_on"),
        {"sqlite_autoincrement": True},  # the audit trail names lots by number: none is given twice
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    calls: Mapped[int]
    bought_on: Mapped[date]
    expires_on: Mapped[date]
    """The last valid day, in the reporting zone."""
    price_fen: Mapped[int | None]
    order_number: Mapped[str] = mapped_column(String(80), default="")
    available: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    charged: Mapped[int] = mapped_column(default=0)
    lapsed: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class LedgerEntry(Base):
    """One movement: `change` to the lot's available calls, and what was available after. Never updated.

    An entry without a lot belongs to a call that no lot could cover.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index(None, "lot_id", "id"),
        Index(
            "uq_ledger_entry_verification_id_kind", "verification_id", "kind", unique=True,
            sqlite_where=text(ONCE), postgresql_where=text(ONCE),
        ),
        Index("ix_ledger_entry_supply", "kind", sqlite_where=text("verification_id IS NULL"),
              postgresql_where=text("verification_id IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[EntryKind] = mapped_column(String(16))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    change: Mapped[int]
    available_after: Mapped[int]
    verification_id: Mapped[int | None] = mapped_column(ForeignKey("verification.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
