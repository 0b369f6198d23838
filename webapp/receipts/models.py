"""A receipt: what was printed for ever, as a commitment that names nobody; its salt, as long as the identity stands."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import Department
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import keyed, sealed
from webapp.receipts.commitment import Facts
from webapp.verification.models import Reuse, Verification


class Receipt(Base):
    """One receipt of a verification, or of a reuse of its result. Never updated; stands when the identity is gone."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index(
            "uq_receipt_verification_id", "verification_id", unique=True,
            sqlite_where=text("reuse_id IS NULL"), postgresql_where=text("reuse_id IS NULL"),
        ),
    )  # fmt: skip

    number: Mapped[str] = mapped_column(String(12), primary_key=True)
    verification_id: Mapped[int] = mapped_column(ForeignKey("verification.id"), index=True)
    reuse_id: Mapped[int | None] = mapped_column(ForeignKey("reuse.id"), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unit: Mapped[str] = mapped_column(String(80))
    """The unit's name when it was issued; empty: written by hand."""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """Of who asked: of the verification at its time, of a reuse when the receipt was issued."""
    key_id: Mapped[str] = mapped_column(String(16))
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32), info=keyed("its key is kept sealed, see `operations`"))

    verification: Mapped[Verification] = relationship()
    reuse: Mapped[Reuse | None] = relationship()
    department: Mapped[Department | None] = relationship()

    @property
    def facts(self) -> Facts:
        """What the commitment says of the facts, as the rows have them now."""
        row, reuse = self.verification, self.reuse
        return Facts(self.number, self.unit, row.outcome, row.created_at, reuse.at if reuse else None)


class ReceiptSalt(Base):
    """The sealed salt. Whatever destroys the identity destroys it too: the database itself sees to that."""

    __tablename__ = "receipt_salt"

    number: Mapped[str] = mapped_column(ForeignKey("receipt.number"), primary_key=True)
    verification_id: Mapped[int] = mapped_column(ForeignKey("identity.verification_id", ondelete="CASCADE"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("receipt_salt:{number}"))


class ReceiptFailure(Base):
    """One try that was not true, counted against the network and the receipt number (there or not)."""

    __tablename__ = "receipt_failure"
    __table_args__ = (Index(None, "network", "at"), Index(None, "number", "at"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    network: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(12))
