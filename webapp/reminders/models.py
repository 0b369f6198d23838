"""Recipients, and the episodes that are told to them."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.reminders.rules import Closed, Rule


class Recipient(Base):
    """Someone who is told: a user of the product, at whatever address their account has now, or any other address,
    which must confirm first by a link that is mailed to it."""

    __tablename__ = "reminder_recipient"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    """The address of one who is no user; what stands here beside a `user_id` is of an older version and not used."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), unique=True)
    locale: Mapped[str] = mapped_column(String(8))
    low: Mapped[bool] = mapped_column(default=True)
    expiry: Mapped[bool] = mapped_column(default=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    as_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether they agreed as an admin of the product: it counts only while they are one."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a link to confirm was mailed last: an older link is void."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def mark(self) -> str:
        """This subscription and no other, even where the database gives its number away again: it stands in links."""
        return f"{self.id}-{round(self.created_at.timestamp() * 1_000_000)}"

    def wants(self, rule: Rule) -> bool:
        """Whether they chose to be told of it."""
        return self.low if rule == Rule.LOW else self.expiry

    @property
    def reader(self) -> str:
        """As messages name it."""
        return reader_of(self.mark)


def reader_of(mark: str) -> str:
    """How messages name the recipient with this mark."""
    return f"recipient:{mark}"


def mark_of(reader: str) -> str:
    """The mark in what messages name a recipient."""
    return reader.removeprefix("recipient:")


class Episode(Base):
    """One crossing of a threshold, told once. `key` is unique: however many workers see it, one row is made."""

    __tablename__ = "reminder_episode"
    __table_args__ = (
        Index("ix_reminder_episode_open", "rule", sqlite_where=text("closed_at IS NULL"),
              postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    rule: Mapped[Rule] = mapped_column(String(8))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    late: Mapped[bool]
    remaining: Mapped[int]
    """Calls left when it opened: of all valid lots (low), or of the lots that end (expiry)."""
    total: Mapped[int]
    """Low: total of all valid lots, and with `mark` the supply when last seen low. Expiry: calls bought in its lots."""
    mark: Mapped[int] = mapped_column(RowId, default=0)
    ends_on: Mapped[date | None]
    """Expiry: the last valid day that it tells."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed: Mapped[Closed | None] = mapped_column(String(16))


class ToldLot(Base):
    """A lot and the last valid day that an episode tells of it: each such pair is told once."""

    __tablename__ = "reminder_lot"

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True, autoincrement=False)
    ends_on: Mapped[date] = mapped_column(primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("reminder_episode.id"), index=True)
