"""The circuit: calls stopped for the whole product, for one cause, until a time or until someone acts.

Its state is one row, so that all processes and machines agree. While it is open nobody calls, but for the probe: once the
time is over, or when an admin asks for it or records a renewal, the next submission is let through, one at a time under a
lease. Its answer closes the circuit, or opens it anew. Functions that write do so in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, UtcDateTime, db, must_write
from webapp.vendor.contract import Outcome, Reply, Stop

THE_ONE = 1
CONCLUSIVE = frozenset({Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER, Outcome.INVALID_INPUT})
"""Outcomes that prove that calls go through again."""


class Circuit(Base):
    """The one row; closed while `cause` is empty."""

    __tablename__ = "circuit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a probe may pass; None while open: when someone has asked for it."""
    probes: Mapped[int]
    """Probes in a row that the same cause has refused: each doubles the time, where the cause doubles."""
    asked: Mapped[bool]
    probe_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """While a probe is under way: when it must have been forgotten."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why calls are stopped. `until`: when the next try may pass; None: when an admin lets one through."""

    cause: str
    until: datetime | None


class CallsStopped(Exception):
    """No call was sent: calls are stopped for the whole product."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(f"calls are stopped: {stopped.cause}")
        self.stopped = stopped


def present() -> Stopped | None:
    """The stop in force, None while calls go through."""
    row = db.session.execute(select(Circuit.cause, Circuit.until)).one_or_none()
    return Stopped(row.cause, row.until) if row is not None and row.cause else None


def enter(now: datetime, forgotten_at: datetime) -> bool:
    """Lets a call pass, in the transaction of its intent; True where it is the probe.

    Raises `CallsStopped`. `forgotten_at`: when the call must have ended, whatever happens.
    """
    row = _row()
    if row is None or not row.cause:
        return False
    if row.probe_until is not None and row.probe_until > now:
        raise CallsStopped(Stopped(row.cause, row.probe_until))
    if not row.asked and (row.until is None or row.until > now):
        raise CallsStopped(Stopped(row.cause, row.until))
    free = or_(Circuit.probe_until.is_(None), Circuit.probe_until <= now)
    take = update(Circuit).where(Circuit.id == THE_ONE, Circuit.cause != "", free)
    taken = take.values(probe_until=forgotten_at, asked=False).returning(Circuit.id)
    if must_write().scalar(taken) is None:
        raise CallsStopped(Stopped(row.cause, forgotten_at))
    return True


def heed(reply: Reply, sent_at: datetime, probe: bool, now: datetime) -> Stopped | None:
    """Opens, prolongs or closes the circuit by what a call came to, in the transaction of its outcome.

    Returns the stop where this answer began one. An answer to a call that was under way before the stop began neither
    closes nor doubles it.
    """
    row = _row(lock=True)
    if row is None:
        return None
    if reply.stop is not None:
        return _open(row, reply, reply.stop, probe, now)
    later = row.opened_at is not None and sent_at > row.opened_at
    if row.cause and reply.outcome in CONCLUSIVE and (probe or later):
        row.cause, row.opened_at, row.until, row.probes, row.asked, row.probe_until = "", None, None, 0, False, None
    elif probe and row.cause:
        # The probe said nothing about the cause (a time-out, say): the next submission may try again.
        row.probe_until, row.asked = None, True
    return None


def ask_for_probe() -> bool:
    """Lets the next submission through as the probe: an admin wants it, or has renewed; False while none is needed."""
    row = _row(lock=True)
    if row is None or not row.cause:
        return False
    row.asked = True
    return True


def _open(row: Circuit, reply: Reply, stop: Stop, probe: bool, now: datetime) -> Stopped | None:
    cause = reply.cause or reply.outcome
    if row.cause and not probe:
        return None  # one of those that were under way when the stop began
    row.probes = row.probes + 1 if probe and row.cause == cause else 0
    new = row.cause != cause
    row.cause, row.opened_at, row.until = cause, now, None
    row.asked, row.probe_until = False, None
    if stop.seconds is not None:
        row.until = now + timedelta(seconds=pause(stop, row.probes))
    return Stopped(cause, row.until) if new else None


def pause(stop: Stop, probes: int) -> int:
    """Seconds that a stop lasts after so many refused probes in a row."""
    seconds = stop.seconds or 0
    return min(seconds * 2 ** min(probes, 20), stop.doubling_to) if stop.doubling_to else seconds


def _row(*, lock: bool = False) -> Circuit | None:
    query = select(Circuit).where(Circuit.id == THE_ONE).execution_options(populate_existing=True)
    return must_write().scalar(query.with_for_update() if lock else query)
