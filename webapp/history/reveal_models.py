"""Who revealed whom lately: for the limit, and so that a page that is loaded again does not reveal again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, UtcDateTime


class Reveal(Base):
    """One look at a person in plaintext; forgotten after a day: the audit trail remembers."""

    __tablename__ = "reveal"
    __table_args__ = (Index(None, "actor_id", "at"),)

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Of the form that asked."""
    actor_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    verification_id: Mapped[int] = mapped_column(ForeignKey("verification.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
