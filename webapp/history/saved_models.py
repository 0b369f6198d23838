"""Saved views: filters and a search under a name, one's own or shared with a role."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.models import Role, User
from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.foundation.sealed_columns import sealed


class SavedView(Base):
    """Name, filters and search, sealed in one: a name may say whom somebody looks for."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    shared_with: Mapped[Role | None] = mapped_column(String(16), index=True)
    """Who else may open it."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=sealed("saved_view:{id}"))

    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When somebody opened or changed it last, or saved it; None in no row."""

    owner: Mapped[User] = relationship()
