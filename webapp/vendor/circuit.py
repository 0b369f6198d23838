"""The circuit: calls stopped for the whole product, for one cause, until a time or until someone acts.

Its state is one row, so that all processes and machines agree. While it is open nobody calls but the probe: once the
time is over, or when an admin asks for it or a renewal is recorded, the next operator's submission is let through, one
at a time under a lease. Its answer closes the circuit, opens it anew, or says nothing: then the next one tries.
Functions that write do so in the caller's transaction. Source: vendor.md section 2, column "retry by itself?".
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import String, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from webapp.foundation.database import Base, RowId, UtcDateTime, db, insert_once, must_write
from webapp.vendor.contract import Outcome, Reply, Stop

THE_ONE = 1
CONCLUSIVE = frozenset({Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_SUCH_NUMBER, Outcome.INVALID_INPUT})
"""Outcomes that prove that calls go through again."""


class Circuit(Base):
    """The one row; closed while `cause` is empty."""

    __tablename__ = "circuit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cause: Mapped[str] = mapped_column(String(32), default="")
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a probe may pass by itself; None: when someone has asked for it."""
    probes: Mapped[int] = mapped_column(default=0)
    """Probes in a row that the same cause has refused: each doubles the time, where the cause doubles."""
    asked: Mapped[bool] = mapped_column(default=False)
    """The next submission may pass, whatever the time; stands until an answer says something of the cause."""
    probe_id: Mapped[int | None] = mapped_column(RowId)
    probe_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """While a probe is under way: when it must have been forgotten."""


class Waiting(StrEnum):
    """What a stop waits for."""

    TIME = "time"
    ADMIN = "admin"
    SUBMISSION = "submission"
    """The next submission is let through."""
    ANSWER = "answer"
    """A probe is under way."""


class Stopped(NamedTuple):
    """Why calls are stopped, and what that waits for; `until`: at the latest then it goes on, None: not known."""

    cause: str
    waiting: Waiting
    until: datetime | None = None


class CallsStopped(Exception):
    """No call was sent: calls are stopped for the whole product."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(f"calls are stopped: {stopped.cause}, waiting for {stopped.waiting}")
        self.stopped = stopped


class Turn(StrEnum):
    """What an answer did to the circuit."""

    OPENED = "opened"
    CLOSED = "closed"


_NOW = select(Circuit).where(Circuit.id == THE_ONE).execution_options(populate_existing=True)


def present(now: datetime) -> Stopped | None:
    """The stop in force, None while calls go through."""
    row = db.session.scalar(_NOW)
    if row is None or not row.cause:
        return None
    if row.probe_until is not None and row.probe_until > now:
        return Stopped(row.cause, Waiting.ANSWER, row.probe_until)
    if row.asked or (row.until is not None and row.until <= now):
        return Stopped(row.cause, Waiting.SUBMISSION)
    return Stopped(row.cause, Waiting.TIME if row.until else Waiting.ADMIN, row.until)


def gate(now: datetime) -> bool:
    """Whether a call would be the probe; False while all pass. Raises `CallsStopped`."""
    stopped = present(now)
    if stopped is None:
        return False
    if stopped.waiting != Waiting.SUBMISSION:
        raise CallsStopped(stopped)
    return True


def take(call_id: int, now: datetime, forgotten_at: datetime) -> None:
    """Makes this call the probe, in the transaction of its intent, after `gate`. Raises `CallsStopped`.

    `forgotten_at`: when the call must have ended, whatever happens; then another may try.
    """
    free = or_(Circuit.probe_until.is_(None), Circuit.probe_until <= now)
    # Asked again in the statement itself: since `gate` looked, another probe may have come and been refused.
    due = or_(Circuit.asked, Circuit.until <= now)
    mine = update(Circuit).where(Circuit.id == THE_ONE, Circuit.cause != "", free, due)
    taken = mine.values(probe_id=call_id, probe_until=forgotten_at).returning(Circuit.id)
    if must_write().scalar(taken) is None and (stopped := present(now)) is not None:
        raise CallsStopped(stopped)


def heed(reply: Reply, call_id: int, now: datetime) -> Turn | None:
    """Opens, prolongs or closes the circuit by what a call came to, in the transaction of its outcome.

    Only the probe's answer moves an open circuit: those under way when the stop began know nothing newer. Call it
    before the ledger moves: the circuit's row is locked before the lot's.
    """
    if reply.stop is None and present(now) is None:
        return None  # without the lock, or every outcome of all processes would wait for it
    row = _locked()
    if reply.stop is not None:
        return _open(row, reply, reply.stop, call_id, now)
    if row.cause and row.probe_id == call_id:
        if reply.outcome in CONCLUSIVE:
            _close(row)
            return Turn.CLOSED
        # It said nothing about the cause (a time-out, say): the next submission may try.
        row.probe_id, row.probe_until, row.asked = None, None, True
    return None


def ask_for_probe() -> str:
    """Lets the next submission through as the probe; returns the cause of the stop, empty where there is none."""
    row = _locked()
    row.asked = row.cause != ""
    return row.cause


def renewed() -> None:
    """Calls were bought, or the AppCode was changed: what waits for someone to act is tried with the next one."""
    row = _locked()
    row.asked = row.asked or (row.cause != "" and row.until is None)


def reset() -> None:
    """Closes the circuit without asking anybody: the vendor is another one now."""
    _close(_locked())


def pause(stop: Stop, probes: int) -> int:
    """Seconds that a stop lasts after so many refused probes in a row; 0: not by time."""
    seconds = stop.seconds or 0
    return min(seconds * 2 ** min(probes, 20), stop.doubling_to) if stop.doubling_to else seconds


def _open(row: Circuit, reply: Reply, stop: Stop, call_id: int, now: datetime) -> Turn | None:
    cause = str(reply.cause or reply.outcome)
    if row.cause and row.probe_id != call_id:
        return None
    new = row.cause != cause
    row.probes = 0 if new else row.probes + 1
    row.cause, row.opened_at, row.until = cause, now, None
    row.asked, row.probe_id, row.probe_until = False, None, None
    if stop.seconds is not None:
        row.until = now + timedelta(seconds=pause(stop, row.probes))
    return Turn.OPENED if new else None


def _close(row: Circuit) -> None:
    row.cause, row.opened_at, row.until, row.probes, row.asked = "", None, None, 0, False
    row.probe_id, row.probe_until = None, None


def _locked() -> Circuit:
    session = must_write()
    query = select(Circuit).where(Circuit.id == THE_ONE).with_for_update().execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        insert_once(Circuit, id=THE_ONE, cause="", probes=0, asked=False)
        row = session.scalars(query).one()
    return row
