"""The database: one `db`, one way to write (`transaction`), and the column types the models share.

SQLite runs in WAL mode with `synchronous=FULL`: every commit survives a power loss, which costs some 0.15 ms and
spares a rule about which ones must. Writers take the write lock at once (`BEGIN IMMEDIATE`), so that a transaction
never fails half-way for having read first; page reads stay deferred and write nothing.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    event,
    insert,
    literal,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError, TimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.types import TypeDecorator

BUSY_SECONDS = 5
"""How long a writer waits for another before the page says that the database is busy."""
LOG_WAITS_MS = 200
"""How long, at most, writers wait for readers so that SQLite's log can be emptied."""

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


class _Session(FlaskSession):
    """A session that reads as of one instant where that was asked for, and writes as always."""

    def get_bind(self, *told: Any, **more: Any) -> Engine | Connection:
        engine = super().get_bind(*told, **more)
        wanted = self.info.get("one_instant") and not self.info.get("writing")
        return engine.get_execution_options().get("one_instant", engine) if wanted else engine


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "class_": _Session})


def engine_options(url: str) -> dict[str, Any]:
    """What SQLAlchemy needs for `url`: pools sized for the threads, waits bounded."""
    if url.startswith("sqlite"):
        return {
            "hide_parameters": True,
            "poolclass": QueuePool,
            "pool_size": 16,
            "max_overflow": 64,
            "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,  # an error's text names the statement, never what was stored
        "pool_size": 8,
        "max_overflow": 24,
        "pool_timeout": BUSY_SECONDS,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": BUSY_SECONDS,
            # jit: a statement of ours takes milliseconds, compiling one takes seconds where the estimate is far off.
            "options": f"-c lock_timeout={BUSY_SECONDS}s -c timezone=UTC -c jit=off",
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Sets SQLite's pragmas and takes its transactions into our own hands; PostgreSQL learns to read one instant."""
    if engine.dialect.name != "sqlite":
        # The same connections: how a transaction begins is said with its BEGIN, so that it costs no statement more.
        one = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        engine.update_execution_options(one_instant=one)
        return
    _stay_with_the_file(engine)
    engine.update_execution_options(queue=threading.Lock())

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


def _stay_with_the_file(engine: Engine) -> None:
    """Keeps SQLite from writing into a file that was removed or replaced (a restore, a volume that went away).

    An open connection would go on in the nameless old file, and what it recorded there would be lost.
    """
    path = engine.url.database
    if path is None:
        return
    known: set[tuple[int, int]] = set()

    @event.listens_for(engine, "do_connect")
    def _do_not_make_anew(*_arguments: object) -> None:
        if known and _file(path) is None:
            raise sqlite3.OperationalError("the database file is gone")

    @event.listens_for(engine, "connect")
    def _remember(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _file(path)
        known.update({record.info["file"]} - {None})

    @event.listens_for(engine, "checkout")
    def _check(_connection: sqlite3.Connection, record: ConnectionPoolEntry, _fairy: object) -> None:
        if record.info["file"] != _file(path):
            raise DisconnectionError("the database file was removed or replaced")


def _file(path: str) -> tuple[int, int] | None:
    """Which file lies at `path`, None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def snapshot() -> Iterator[Session]:
    """A read of one instant: every query inside sees the same state, while writers go on."""
    session: Session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("snapshot() must not run inside transaction()")
    session.rollback()
    try:
        session.info["one_instant"] = True  # SQLite's deferred transaction is a snapshot anyway, from its first read on
        yield session
    finally:
        session.rollback()
        session.info.pop("one_instant")


View = TypeVar("View", bound=Callable[..., Any])


def of_one_instant(view: View) -> View:
    """Marks a page whose figures must agree: all that it reads since its last write, if it has any, is of one instant,
    while writers go on."""
    view.__dict__["of_one_instant"] = True
    return view


def install(app: Flask) -> None:
    """Lets marked pages read so from their first query on; before anything else that asks the database."""

    @app.before_request
    def _begin() -> None:
        if getattr(app.view_functions.get(request.endpoint or ""), "of_one_instant", False):
            db.session().info["one_instant"] = True


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
    with _turn(db.engine):
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


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """SQLite lets one write, and those who wait look again only every 100 ms: the threads of a process queue here
    instead, and only processes wait for each other there."""
    queue = engine.get_execution_options().get("queue")
    if queue is None:
        yield
        return
    if not queue.acquire(timeout=BUSY_SECONDS):
        raise TimeoutError("other threads of this process kept the database for too long")
    try:
        yield
    finally:
        queue.release()


def must_write() -> Session:
    """The session of the caller's open `transaction()`; for functions that write in their caller's transaction."""
    session: Session = db.session()
    if not session.info.get("writing"):
        raise RuntimeError("this must run inside transaction()")
    return session


def insert_rows(model: type[Base], *rows: dict[str, Any]) -> None:
    """Inserts rows in the caller's transaction, past the unit of work: for append-only tables on the hot path."""
    must_write().connection().execute(insert(model.__table__), list(rows))  # type: ignore[arg-type]


def insert_once(model: type[Base], **values: Any) -> bool:
    """Inserts a row in the caller's transaction; False where one with its key stands already.

    Of two writers at once the second waits for the first and then knows: neither fails for the other.
    """
    statement = insert_into(model).values(**values).on_conflict_do_nothing().returning(literal(1))
    return must_write().execute(statement).first() is not None


def put(model: type[Base], key: dict[str, Any], values: dict[str, Any]) -> None:
    """Gives the row of `key` these values in the caller's transaction, making it where it is missing."""
    statement = insert_into(model).values(**key, **values)
    must_write().execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def insert_into(model: type[Base]) -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, by the words that SQLite and PostgreSQL share."""
    if db.engine.dialect.name == "postgresql":
        return cast(sqlite.Insert, postgresql.insert(model))
    return sqlite.insert(model)


def end_read() -> None:
    """Gives the connection back before something slow: no transaction stays open over it."""
    db.session.rollback()


def empty_log() -> None:
    """Writes SQLite's log back into the file and empties it: what was deleted stands in no copy of a page any more.

    Not where somebody reads or writes for longer: who writes later goes over it by and by. PostgreSQL's log is its
    server's affair.
    """
    if db.engine.dialect.name != "sqlite":
        return
    end_read()
    with suppress(SQLAlchemyError, sqlite3.Error), _turn(db.engine), closing(db.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={LOG_WAITS_MS}")  # whoever writes waits for us meanwhile
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def is_busy(error: SQLAlchemyError) -> bool:
    """Whether `error` means that others held the database, or all its connections, for too long."""
    if isinstance(error, TimeoutError):
        return True
    words = str(error.orig).lower() if isinstance(error, DBAPIError) else ""
    return "database is locked" in words or "lock timeout" in words or "deadlock detected" in words


def ping() -> None:
    """Raises when the database does not answer."""
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
