"""Counters of calls: deltas as they happen, the daily and hourly rollups they are folded into, and their months."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime
from webapp.usage.calendar import DayKind

OPEN = "billed = 'unknown'"


class UsageDelta(Base):
    """A change to the counts of the call made `at`; a call that leaves a state counts -1 there and +1 in the next."""

    __tablename__ = "usage_delta"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(24))
    billed: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(16))
    operator_id: Mapped[int] = mapped_column(RowId)
    department_id: Mapped[int] = mapped_column(RowId)
    purpose_id: Mapped[int] = mapped_column(RowId)
    lot_id: Mapped[int] = mapped_column(RowId)
    cause: Mapped[str] = mapped_column(String(24))
    latency_bucket: Mapped[int | None]
    calls: Mapped[int]


class UsageDay(Base):
    """Calls of one day of the reporting zone, by all that a chart can tell apart (0: no department, no lot; empty: no
    cause)."""

    __tablename__ = "usage_day"
    __table_args__ = (
        Index("ix_usage_day_open", "outcome", "calls", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    )  # fmt: skip

    day: Mapped[date] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(24), primary_key=True)
    billed: Mapped[str] = mapped_column(String(8), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    operator_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    purpose_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    lot_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(24), primary_key=True)
    calls: Mapped[int]


class UsageHour(Base):
    """As `UsageDay`, for one clock hour of the reporting zone; `hour` is its first instant."""

    __tablename__ = "usage_hour"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    outcome: Mapped[str] = mapped_column(String(24), primary_key=True)
    billed: Mapped[str] = mapped_column(String(8), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    operator_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    purpose_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    lot_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(24), primary_key=True)
    calls: Mapped[int]


class LatencyHour(Base):
    """How many answers of an hour took up to `bucket` milliseconds (bounds in `latency.BUCKETS`)."""

    __tablename__ = "latency_hour"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    calls: Mapped[int]


class UsageMonth(Base):
    """Calls of each day of a month of the reporting zone, told apart by one facet: the sums of the rows of `UsageDay`,
    `UsageHour` and `LatencyHour`, made by whoever changes these. So many rows however many calls there were."""

    __tablename__ = "usage_month"

    facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    operator_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    """Whose calls; 0: everyone's."""
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    days: Mapped[dict[str, list[int]]] = mapped_column(JSON)
    """By the key of each kind of call (see `facets`), one number for each day; kinds without a call are not there."""


class UsageClosing(Base):
    """Calls whose facts retention has let go: how many there were, by all that charts tell apart, of a quarter of an
    hour, which lies in one day and one hour of every zone. Stands for the facts whenever all is counted anew."""

    __tablename__ = "usage_closing"

    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    outcome: Mapped[str] = mapped_column(String(24), primary_key=True)
    billed: Mapped[str] = mapped_column(String(8), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    operator_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    purpose_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    lot_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(24), primary_key=True)
    latency_bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """-1: there was no answer."""
    calls: Mapped[int]


class CalendarDay(Base):
    """A day of which an admin says what kind it is, whatever the notices say."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[DayKind] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(80), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
