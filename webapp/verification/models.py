"""A verification: the fact (who asked, when, what came of it) and, apart from it, the sealed identity."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import Department, User
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import blind, fleeting, sealed
from webapp.vendor.contract import Billed, Outcome
from webapp.verification.cap_rules import CapKind

OPEN = "billed = 'unknown'"
"""Calls under way, and those of which nobody knows whether they were charged: few of many."""
SENT = "request_id <> ''"
KIND = ("source", "billed", "outcome", "purpose_id", "operator_id", "department_id")
"""What verifications are told apart by, those of few values first: one index answers for any combination of them."""


class LegalBasis(StrEnum):
    """The ground on which a person is verified (PIPL, article 13)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_DUTY = "legal_duty"
    EMERGENCY = "emergency"


class Source(StrEnum):
    """Where a call came from."""

    DESK = "desk"


class Purpose(Base):
    """Why people are verified, and on what ground. The first is made by the migration."""

    __tablename__ = "purpose"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80), unique=True)
    name_en: Mapped[str] = mapped_column(String(80), unique=True)
    legal_basis: Mapped[LegalBasis] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    reference_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    reuse_match: Mapped[int] = mapped_column(default=24, server_default="24")
    """For how many hours a result of this kind is shown again instead of asking anew; 0: never."""
    reuse_mismatch: Mapped[int] = mapped_column(default=1, server_default="1")
    reuse_no_such_number: Mapped[int] = mapped_column(default=1, server_default="1")

    def name_in(self, locale: str) -> str:
        """The name in the reader's language."""
        return self.name_zh if locale.startswith("zh") else self.name_en


class Verification(Base):
    """One name and number asked about: the fact. Stands for ever; holds nothing that names the person."""

    __tablename__ = "verification"
    __table_args__ = (
        Index(
            "uq_verification_sending_person", "sending_person", unique=True,
            sqlite_where=text("outcome = 'sending'"), postgresql_where=text("outcome = 'sending'"),
        ),
        Index(None, "created_at", "id"),
        Index(None, "outcome", "created_at", "id"),
        Index("ix_verification_open", "created_at", "id", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
        Index(None, "operator_id", "created_at", "id"),
        Index("ix_verification_kind", *KIND, "created_at", "id"),
        Index("ix_verification_request_id", "request_id", "id", sqlite_where=text(SENT), postgresql_where=text(SENT)),
        {"sqlite_autoincrement": True},  # the audit trail names verifications by number: none is given twice
    )  # fmt: skip

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When a call that is still `sending` must have been forgotten."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[Outcome] = mapped_column(String(24))
    billed: Mapped[Billed] = mapped_column(String(8))
    cause: Mapped[str | None] = mapped_column(String(32))
    vendor_code: Mapped[str] = mapped_column(String(32), default="")
    http_status: Mapped[int | None]
    request_id: Mapped[str] = mapped_column(String(64), default="")
    latency_ms: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    source: Mapped[Source] = mapped_column(String(16))
    operator_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purpose.id"))
    legal_basis: Mapped[LegalBasis] = mapped_column(String(16))
    consent: Mapped[bool]
    guardian_consent: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The person is under 14, and the guardian has consented (PIPL, article 31)."""
    declaration_id: Mapped[int | None] = mapped_column(RowId)
    """The shift declaration that the consent was taken from; None: consent was asked for this very check."""
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    sending_person: Mapped[bytes | None] = mapped_column(
        LargeBinary(16), info=fleeting("while the call is under way; looked for under every index key")
    )
    """Blind index of the person while the call is under way: two tabs, two operators, two nodes send once."""

    operator: Mapped[User] = relationship()
    department: Mapped[Department | None] = relationship()
    purpose: Mapped[Purpose] = relationship()


class Identity(Base):
    """The sealed half: name, number, reference, province, city and the vendor's own answer, one blob a row."""

    __tablename__ = "identity"

    verification_id: Mapped[int] = mapped_column(ForeignKey("verification.id"), primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("identity:{verification_id}"))
    index_key: Mapped[str | None] = mapped_column(String(16))
    """Under which index key all its blind indexes are; None: the one there was before this was noted."""


class IndexKind(StrEnum):
    """What of an identity a blind index stands for."""

    NUMBER = "number"
    NAME = "name"
    BEGINNING = "beginning"
    LAST_FOUR = "last4"
    REFERENCE = "reference"
    PROVINCE = "province"
    CITY = "city"


class IdentityIndex(Base):
    """Blind indexes of an identity: the way to find it without reading it. Destroyed with the identity."""

    __tablename__ = "identity_index"

    blind: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True, info=blind("identity.index_key"))
    verification_id: Mapped[int] = mapped_column(
        ForeignKey("identity.verification_id"), primary_key=True, index=True, autoincrement=False
    )
    kind: Mapped[IndexKind] = mapped_column(String(10))


class ShiftDeclaration(Base):
    """An operator's word that for a while everyone verified for a purpose consents in writing on one document."""

    __tablename__ = "shift_declaration"
    __table_args__ = (Index(None, "operator_id", "until"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    purpose_id: Mapped[int] = mapped_column(ForeignKey("purpose.id"))
    document: Mapped[str] = mapped_column(String(80))
    """Number of the document that the people sign."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class Reuse(Base):
    """A recent result shown instead of a call: the call that was saved."""

    __tablename__ = "reuse"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    verification_id: Mapped[int] = mapped_column(ForeignKey("verification.id"), index=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    """The lot whose call it would have been."""
    consent: Mapped[bool]
    guardian_consent: Mapped[bool]
    declaration_id: Mapped[int | None] = mapped_column(RowId)

    verification: Mapped[Verification] = relationship()
    operator: Mapped[User] = relationship()


class ReuseReference(Base):
    """The reference that a recent result was asked for with, sealed, and its blind index. Whatever destroys the
    person's identity destroys it too: the database itself sees to that."""

    __tablename__ = "reuse_reference"
    __table_args__ = (Index(None, "blind", "verification_id"),)

    reuse_id: Mapped[int] = mapped_column(ForeignKey("reuse.id"), primary_key=True, autoincrement=False)
    verification_id: Mapped[int] = mapped_column(ForeignKey("identity.verification_id", ondelete="CASCADE"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("reuse_reference:{reuse_id}"))
    blind: Mapped[bytes] = mapped_column(LargeBinary(16), info=blind("reuse_reference.index_key"))
    """Of the same kind as a verification's own reference: one search finds both."""
    index_key: Mapped[str | None] = mapped_column(String(16))
    """As `Identity.index_key`."""


class SpentForm(Base):
    """A form that was sent: its one-time number, what stood in it (as a keyed digest), and what came of it."""

    __tablename__ = "spent_form"

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary(16), info=fleeting("48 hours; compared under every index key"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    verification_id: Mapped[int | None] = mapped_column(ForeignKey("verification.id"), index=True)
    reuse_id: Mapped[int | None] = mapped_column(ForeignKey("reuse.id"), index=True)


class Decision(StrEnum):
    """What an admin decides about a call of which nobody knows whether it was charged."""

    CHARGED = "charged"
    NOT_CHARGED = "not_charged"
    ASK_AGAIN = "ask_again"
    """The person may be asked about anew, at the price of another call; this one stays held."""


class Settlement(Base):
    """One decision about an unknown outcome, with its reason. Never updated."""

    __tablename__ = "settlement"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    verification_id: Mapped[int] = mapped_column(ForeignKey("verification.id"), index=True)
    decision: Mapped[Decision] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))

    actor: Mapped[User] = relationship()


class Cap(Base):
    """The most calls that `of` may use in a day; for a floor, how many are kept for the source `of`."""

    __tablename__ = "cap"

    kind: Mapped[CapKind] = mapped_column(String(16), primary_key=True)
    of: Mapped[str] = mapped_column(String(20), primary_key=True)
    """Row number of the operator or department, or a source."""
    calls: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
