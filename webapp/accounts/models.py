"""Users, their departments, and failed log-ins."""

from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import fleeting, keyed


class Role(StrEnum):
    """What a user is here for; what each may open stands in `permissions`."""

    ADMIN = "admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Department(Base):
    """Where an operator belongs; a verification keeps the one of its time."""

    __tablename__ = "department"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class User(UserMixin, Base):  # type: ignore[misc]
    """A person who logs in."""

    __tablename__ = "app_user"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(String(16))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200), info=keyed("a salt of its own: argon2"))
    session_epoch: Mapped[int] = mapped_column(default=0)
    """Raising it ends every session of this user."""
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str | None] = mapped_column(String(8))
    theme: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    department: Mapped[Department | None] = relationship(lazy="joined")

    @property
    def is_active(self) -> bool:
        """Flask-Login logs nobody in who was switched off."""
        return self.active


class LoginSession(Base):
    """One log-in in one browser, by a digest of its cookie's token: ended here, a copied cookie opens nothing.

    Under which digest it stands says whether it is locked, see `sessions`.
    """

    __tablename__ = "login_session"

    token: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=keyed("a digest of a random token"))
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class LoginFailure(Base):
    """One failed log-in, counted against the account (by keyed digest, known or not) and against the address."""

    __tablename__ = "login_failure"
    __table_args__ = (Index(None, "account", "at"), Index(None, "address", "at"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    account: Mapped[bytes] = mapped_column(LargeBinary(16), info=fleeting("30 minutes; counted under every index key"))
    address: Mapped[str] = mapped_column(String(64))
