"""The database: one `db`, one way to write (`transaction`), and the column types the models share.

SQLite runs in WAL mode with `synchronous=FULL`: every commit survives a power loss, which costs some 0.15 ms and
spares a rule about which ones must. Writers take the write lock at once (`BEGIN IMMEDIATE`), so that a transaction
never fails half-way for having read first; page reads stay deferred and write nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, MetaData, event, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeDecorator

BUSY_SECONDS = 5
"""How long a writer waits for another before the page says that the database is busy."""

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""A row's number: 64 bits on both databases (SQLite's rowid needs the word INTEGER)."""


class Base(DeclarativeBase):
    """All models; constraint names follow one convention so that migrations can name them."""

    metadata = MetaData(naming_convention=CONVENTION)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; refuses naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def engine_options(url: str) -> dict[str, Any]:
    """What SQLAlchemy needs for `url`: pools sized for the threads, waits bounded."""
    if url.startswith("sqlite"):
        memory = url in ("sqlite://", "sqlite:///:memory:")
        return {
            "poolclass": QueuePool if not memory else NullPool,
            "pool_size": 16,
            "max_overflow": 64,
            "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False},
        }
    return {
        "pool_size": 8,
        "max_overflow": 24,
        "pool_timeout": BUSY_SECONDS,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": BUSY_SECONDS,
            "options": f"-c lock_timeout={BUSY_SECONDS}s -c timezone=UTC",
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Sets SQLite's pragmas and takes its transactions into our own hands."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late to be IMMEDIATE
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY",
                       "cache_size=-65536", "secure_delete=ON"):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: commits at the end, rolls back on any exception.

    Ends the page's read transaction first, so that what is read inside is current. Refuses to be nested: two
    operations that must stand or fall together share one caller's transaction instead.
    """
    session: Session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("transaction() does not nest")
    session.rollback()
    session.info["writing"] = True
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["writing"] = False


def must_write() -> Session:
    """The session of the caller's open `transaction()`; for functions that write in their caller's transaction."""
    session: Session = db.session()
    if not session.info.get("writing"):
        raise RuntimeError("this must run inside transaction()")
    return session


def insert_rows(model: type[Base], *rows: dict[str, Any]) -> None:
    """Inserts rows in the caller's transaction, past the unit of work: for append-only tables on the hot path."""
    must_write().connection().execute(insert(model.__table__), list(rows))  # type: ignore[arg-type]


def upsert(model: type[Base], changed: dict[str, Any], **key: Any) -> bool:
    """Inserts the row `key` with the values `changed`, or changes the row of that key; in the caller's transaction.

    Without `changed`, a row that stands already is left as it is, and the answer is False. Two writers at once do not
    fail: the second waits for the first, and what the statement did decides.
    """
    session = must_write()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = dialect.insert(model).values(**key, **changed)
    if changed:
        row = row.on_conflict_do_update(index_elements=list(key), set_=changed)
    else:
        row = row.on_conflict_do_nothing(index_elements=list(key))
    return bool(session.execute(row).rowcount)  # type: ignore[attr-defined]


def end_read() -> None:
    """Gives the connection back before something slow: no transaction stays open over it."""
    db.session.rollback()


def is_busy(error: DBAPIError) -> bool:
    """Whether `error` means that another writer held the database for too long."""
    words = str(error.orig).lower()
    return "database is locked" in words or "lock timeout" in words or "deadlock detected" in words


def ping() -> None:
    """Raises when the database does not answer."""
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
