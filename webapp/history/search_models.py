"""Searches that were sent, sealed for who sent them, until they expire."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, UtcDateTime
from webapp.foundation.sealed_columns import sealed


class StoredSearch(Base):
    """The text of one search: addresses carry its handle instead."""

    __tablename__ = "stored_search"

    handle: Mapped[str] = mapped_column(String(22), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("stored_search:{handle}"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
