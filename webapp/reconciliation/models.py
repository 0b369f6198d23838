"""What the vendor's own counter said, when it could not be read, and from which reading on we compare."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.reconciliation.rules import Taken


class ReadingSource(StrEnum):
    """Who read the counter."""

    MANUAL = "manual"
    METERING = "metering"


class MeterReading(Base):
    """One reading, and what our books said then of the time since the baseline. Never updated.

    `drift`: calls that the vendor counted beyond all that ours could be, negative: that it lacks; 0 also for the
    reading that is the baseline itself.
    """

    __tablename__ = "meter_reading"
    __table_args__ = ({"sqlite_autoincrement": True},)  # the audit trail names readings by number

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When its answer came, or a person entered it."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the vendor was asked: it took its figure at some moment from then to `at`. None: nobody was asked."""
    source: Mapped[ReadingSource] = mapped_column(String(10))
    used: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[str] = mapped_column(String(64), default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    baseline_id: Mapped[int | None] = mapped_column(ForeignKey("meter_reading.id"))
    """The reading it was compared with; None: comparing began with it."""
    charged: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    under_way: Mapped[int] = mapped_column(default=0)
    drift: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def taken(self) -> Taken:
        """When the vendor took the figure."""
        return Taken(self.asked_at or self.at, self.at)


class MeterBaseline(Base):
    """A reading from which on we compare; the newest row counts. `corrected`: calls by which the ledger was mended."""

    __tablename__ = "meter_baseline"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("meter_reading.id"), unique=True)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    corrected: Mapped[int] = mapped_column(BigInteger, default=0)


class MeterFailure(Base):
    """A time the vendor's counter was asked and gave nothing to use. Never updated."""

    __tablename__ = "meter_failure"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    fault: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(64), default="")
    http_status: Mapped[int | None]
    request_id: Mapped[str] = mapped_column(String(64), default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))


class MeterTurn(Base):
    """The one row that says when the vendor was asked last, and until when somebody is asking."""

    __tablename__ = "meter_turn"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
