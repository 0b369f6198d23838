"""Leases: among any number of processes, one does the work; when it dies, the next takes over.

A lease is one row. Taking it is one conditional UPDATE whose row count decides. Times in the row come from the clock
of whoever wrote it: one that lies further ahead than any honest clock could have put it is taken for the trace of a
clock that jumped, and does not count.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import String, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from webapp.foundation.database import Base, UtcDateTime, db, insert_into, must_write, transaction

AHEAD = timedelta(minutes=1)
"""A stamp that lies further in the future is of a clock that was ahead, and says nothing."""


class Lease(Base):
    """Who holds the work `name` until when, and when it is due next."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str | None] = mapped_column(String(80))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(200))


def take(name: str, holder: str, now: datetime, lasting: timedelta, every: timedelta) -> bool:
    """Whether `holder` may now do the work `name`, which is due each `every`: it is due, and nobody else holds it.

    The lease ends at `now + lasting`.
    """
    with transaction() as session:
        _ensure(session, name)
        free = or_(Lease.until.is_(None), Lease.until <= now, Lease.until > now + 2 * lasting)
        due = or_(Lease.due_at.is_(None), Lease.due_at <= now, Lease.due_at > now + 2 * every)
        claim = update(Lease).where(Lease.name == name, free, due).values(holder=holder, until=now + lasting)
        return session.execute(claim).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def keep(name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Lets the lease last until `now + lasting`; False where another has taken it over meanwhile."""
    with transaction() as session:
        mine = update(Lease).where(Lease.name == name, Lease.holder == holder, Lease.until.is_not(None))
        return session.execute(mine.values(until=now + lasting)).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def give_back(name: str, holder: str, now: datetime, due_at: datetime, error: str | None = None) -> bool:
    """Ends the lease and says when the work is due again; False where another has taken it over meanwhile."""
    with transaction() as session:
        mine = update(Lease).where(Lease.name == name, Lease.holder == holder, Lease.until.is_not(None))
        values = {"until": None, "due_at": due_at, "finished_at": now, "error": error}
        return session.execute(mine.values(**values)).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def forget_holder(holder: str) -> None:
    """Gives back whatever `holder` holds: called when a worker stops, so that the next need not wait."""
    with transaction() as session:
        session.execute(update(Lease).where(Lease.holder == holder).values(until=None))


def all_due() -> None:
    """Makes all work due, whenever it was done last: the clock was set, and nobody knows how long ago that is."""
    with transaction() as session:
        session.execute(update(Lease).values(due_at=None))


def heartbeat(known: Iterable[Lease], now: datetime) -> datetime | None:
    """When a worker last finished any job, by what all leases say at `now`."""
    return max((at for lease in known if (at := finished(lease, now))), default=None)


def finished(lease: Lease, now: datetime) -> datetime | None:
    """When the work was finished last; None where it never was, or nobody knows."""
    at = lease.finished_at
    return at if at is not None and at <= now + AHEAD else None


def all_leases() -> list[Lease]:
    """Every lease, by name."""
    return list(db.session.scalars(select(Lease).order_by(Lease.name)))


KEYS = "keys on "
"""What the row of a machine begins with that lacks a key: it does no work, and says so here alone."""


def tell_lacking(machine: str, what: str, now: datetime) -> None:
    """Says that a machine lacks a key, for all others to see; nothing where it was said already."""
    name = f"{KEYS}{machine}"[:64]
    if db.session.scalar(select(Lease.error).where(Lease.name == name)) != what[:200]:
        with transaction() as session:
            _ensure(session, name)
            session.execute(update(Lease).where(Lease.name == name).values(error=what[:200], due_at=now))


def has_all_keys(machine: str) -> None:
    """Takes that back, in the caller's transaction."""
    must_write().execute(delete(Lease).where(Lease.name == f"{KEYS}{machine}"[:64]))


def lacking() -> list[tuple[str, str]]:
    """The machines that lack a key, and what each lacks."""
    told = select(Lease.name, Lease.error).where(Lease.name.startswith(KEYS), Lease.error.is_not(None))
    return [(name.removeprefix(KEYS), error or "") for name, error in db.session.execute(told.order_by(Lease.name))]


def _ensure(session: Session, name: str) -> None:
    session.execute(insert_into(Lease).values(name=name).on_conflict_do_nothing())
