"""Lots and the ledger that makes their figures."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.quota.rules import lot_name
from webapp.vendor.contract import Billed

ONCE = "verification_id IS NOT NULL"
"""A call is held once, and charged or released once: the database itself refuses a second time. In these words, and not
by kind, so that the index also serves the database when it looks whether a verification still has entries."""

RARE = "kind NOT IN ('hold', 'charge')"
"""Entries that are few beside those of calls: an index of their own finds them."""
OF_NO_CALL = "verification_id IS NULL"
BY_PERSON = "actor_id IS NOT NULL"


class EntryKind(StrEnum):
    """What a ledger entry records."""

    PURCHASE = "purchase"
    HOLD = "hold"
    CHARGE = "charge"
    RELEASE = "release"
    CORRECTION = "correction"
    USED_BEFORE = "used_before"
    """Calls of an opening balance that were used before the books began."""
    COVERED_LATE = "covered_late"
    """Uncovered calls that were booked on a lot later."""
    USED_ELSEWHERE = "used_elsewhere"
    """Calls of a lot that the vendor counted and this product did not make; positive where it did not after all."""
    LAPSE = "lapse"
    """Left of a lot when it expired."""
    WRITE_OFF = "write_off"
    """Left of a lot when a person closed it."""
    REINSTATEMENT = "reinstatement"
    """Lapsed or written off, and back because the lot is valid after all."""
    REFUND = "refund"
    """Given back to the vendor."""


SUPPLY = (EntryKind.PURCHASE, EntryKind.CORRECTION, EntryKind.REFUND)
"""What makes the size of a lot."""
BEFORE = (EntryKind.USED_BEFORE, EntryKind.COVERED_LATE, EntryKind.USED_ELSEWHERE)
"""What makes the calls of a lot that were used past its entries of calls: before our books, on no lot, or elsewhere."""
ENDS = (EntryKind.LAPSE, EntryKind.WRITE_OFF, EntryKind.REINSTATEMENT)
"""What makes the calls that ended unused."""


class Lot(Base):
    """Calls bought at one time. `calls` and the five figures that make it up (`available`, `held`, `charged`, `lapsed`,
    `used_before`) are the ledger's sums, kept beside it in the same transaction; `yuliang check` proves that they
    agree."""

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
    """What its `calls` cost: refunds are taken off."""
    refunded_fen: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    order_number: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    available: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    charged: Mapped[int] = mapped_column(default=0)
    lapsed: Mapped[int] = mapped_column(default=0)
    """Ended unused: expired, or written off when the lot was closed."""
    used_before: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Used past our entries of calls: before our books began, by calls that no lot covered when they were made, and by
    calls that this product did not make."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a person closed it: nothing is drawn from it any more."""
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    @property
    def name(self) -> str:
        """What people call it."""
        return lot_name(self.id, self.order_number)

    def has_ended(self, today: date) -> bool:
        """Whether nothing is drawn from it any more, whatever is left."""
        return self.closed_at is not None or self.expires_on < today


class LedgerEntry(Base):
    """One movement: `change` to the lot's available calls, and what was available after. Never updated: the database
    itself refuses that (`append_only`).

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
        Index(None, "at", "id"),
        Index(None, "lot_id", "at", "id"),
        Index("ix_ledger_entry_no_call", "at", "id", sqlite_where=text(OF_NO_CALL), postgresql_where=text(OF_NO_CALL)),
        Index("ix_ledger_entry_rare", "kind", "at", "id", sqlite_where=text(RARE), postgresql_where=text(RARE)),
        Index("ix_ledger_entry_person", "actor_id", "at", "id", sqlite_where=text(BY_PERSON),
              postgresql_where=text(BY_PERSON)),
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


class LedgerClosing(Base):
    """What the entries of calls came to whose facts retention has let go: it stands for them in every recount."""

    __tablename__ = "ledger_closing"

    lot_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    """0: calls that no lot could cover."""
    holds: Mapped[int] = mapped_column(RowId)
    charges: Mapped[int] = mapped_column(RowId)
    releases: Mapped[int] = mapped_column(RowId)
    change: Mapped[int] = mapped_column(RowId)
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When entries were added last."""


class LedgerLeave(Base):
    """While a transaction holds a row here, it may remove ledger entries; none is ever committed. See `append_only`."""

    __tablename__ = "ledger_leave"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)


class DeductionRule(Base):
    """What an answer of one kind costs, from an instant on; the newest of a kind decides. Never updated."""

    __tablename__ = "deduction_rule"
    __table_args__ = (Index(None, "answer", "effective_from", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    answer: Mapped[str] = mapped_column(String(32))
    """A key of `deduction_rules.DEFAULTS`."""
    billed: Mapped[Billed] = mapped_column(String(8))
    effective_from: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
