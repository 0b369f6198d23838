"""Storing a made-up year: each call goes once into a table of its own, and from there, within the database, to every
place where the product keeps something of it.

All of it is one transaction: what is interrupted leaves nothing behind. What people are found by is inserted at the
end, in the order of its own tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Index,
    Select,
    Table,
    delete,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from webapp.audit.trail import AuditRecord
from webapp.demo import CannotFill, derived
from webapp.demo.orders import Orders
from webapp.demo.outcomes import KINDS
from webapp.demo.records import finished_detail, sent_detail
from webapp.demo.rows import Batch, Row
from webapp.demo.staging import ALL, CALL, FOUND, KIND, OPERATOR, PART, REFERENCE, SETTLED, USE
from webapp.foundation.database import Base, db, transaction
from webapp.quota import append_only
from webapp.quota.models import LedgerEntry
from webapp.usage import facets
from webapp.usage.facets import Key, Place
from webapp.usage.models import LatencyHour, UsageDay, UsageHour
from webapp.verification.models import Identity, IdentityIndex, IndexKind, Settlement, Verification

LATE = {"ix_verification_request_id", "ix_identity_index_verification_id"}
"""Indexes that rows come to in no order: they are dropped first and made at the end. Every other grows at a few places
only, which costs no more than to sort it, and is done while the calls are made."""
PRAGMAS = ("foreign_keys=OFF", "temp_store=FILE", "cache_size=-16384", "threads=2")
CHUNK = 20_000
FULL = "the disk is full, that of the database or that of temporary files: nothing is stored"
IN_USE = "another process has the database open: stop `yuliang serve` and the workers first"


@contextmanager
def bulk() -> Iterator[Connection]:
    """One transaction for a whole year. Raises `CannotFill` where others have an SQLite file open or a disk is full."""
    db.session.remove()
    db.engine.dispose()
    try:
        if db.engine.dialect.name == "sqlite":
            _have_to_ourselves()
        with transaction() as session:
            connection = session.connection()
            for table in ALL:
                table.create(connection)
            dropped = _drop_indexes(connection)
            with append_only.stored_in_bulk(connection):
                yield connection
                for index in dropped:
                    index.create(connection)
            for table in ALL:
                table.drop(connection)
    except (DBAPIError, db.engine.dialect.loaded_dbapi.Error) as error:
        if _is_full(getattr(error, "orig", error)):
            raise CannotFill(FULL) from error
        raise
    finally:
        db.session.remove()
        db.engine.dispose()  # the next connection is an ordinary one again


def _is_full(error: object) -> bool:
    """Whether a driver says that a disk is full: SQLite by name, PostgreSQL by number."""
    return getattr(error, "sqlite_errorname", None) == "SQLITE_FULL" or getattr(error, "sqlstate", None) == "53100"


def _have_to_ourselves() -> None:
    """Takes the file out of WAL mode, which only its one user can do: a log of all that is stored would be as large
    as the database. A rollback journal keeps only what was there before."""
    with closing(db.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("PRAGMA journal_mode=DELETE")
        except db.engine.dialect.loaded_dbapi.OperationalError as error:
            raise CannotFill(IN_USE) from error
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")


def _drop_indexes(connection: Connection) -> list[Index]:
    tables = _table_of(Verification), _table_of(IdentityIndex)
    found = [index for table in tables for index in table.indexes if index.name in LATE]
    for index in found:
        index.drop(connection)
    return found


def stage(connection: Connection, orders: Orders) -> None:
    """Stores what many calls have in common."""
    put(connection, KIND, (
        (place, one.outcome.value, one.billed.value, one.cause and one.cause.value, one.code, one.http_status,
         one.attempts, finished_detail(place), one.derived)
        for place, one in enumerate(KINDS)
    ))  # fmt: skip
    put(connection, OPERATOR, ((one.id, one.name, one.department_id) for one in orders.operators))
    put(connection, USE, ((one.id, one.legal_basis, one.consent, sent_detail(one.id)) for one in orders.purposes))


def store(connection: Connection, batch: Batch, orders: Orders) -> None:
    """Stores a batch's calls; what comes first on its morning is stored already, see `operations`."""
    put(connection, CALL, batch.calls)
    put(connection, SETTLED, batch.settled)
    put(connection, PART, batch.parts)
    _copy(connection, _table_of(Verification), derived.facts())
    put(connection, _table_of(Identity), batch.identities)
    for table, rows in (
        (_table_of(LedgerEntry), derived.entries(orders.admin_id)),
        (_table_of(AuditRecord), derived.records(orders.admin_id, orders.admin)),
        (_table_of(Settlement), derived.settlements(orders.admin_id)), (FOUND, derived.found()),
        (REFERENCE, derived.references()),
    ):  # fmt: skip
        _copy(connection, table, rows)
    for table in (CALL, SETTLED):
        connection.execute(delete(table))


def count(connection: Connection, batch: Batch, zone: ZoneInfo) -> Counter[tuple[date, Place]]:
    """Stores a batch's counts: nothing else counts those days. Returns what they come to in months, which others share:
    to be added once for all, see `packing`."""
    for model, rows in ((UsageDay, batch.days), (UsageHour, batch.hours), (LatencyHour, batch.latencies)):
        put(connection, _table_of(model), rows)
    days = {(date.fromisoformat(day), *key): calls for day, *key, calls in batch.days}
    hours, latencies = _at(batch.hours), _at(batch.latencies)
    return facets.sums(days, hours, latencies, zone)


def _at(rows: Sequence[Row]) -> dict[Key, int]:
    """Calls by key; the first of each is an hour, as the database writes it."""
    hours = {at: datetime.fromisoformat(at).replace(tzinfo=UTC) for at in {row[0] for row in rows}}
    return {(hours[at], *key): calls for at, *key, calls in rows}


def make_findable(connection: Connection) -> None:
    """Stores the blind indexes of all calls, in the order of their own tree."""
    connection.execute(text("CREATE INDEX demo_found_part ON demo_found (part, verification_id)"))
    connection.execute(text("CREATE INDEX demo_part_blind ON demo_part (blind, part, kind)"))
    both = PART.join(FOUND, FOUND.c.part == PART.c.part)
    columns, in_order = (PART.c.blind, FOUND.c.verification_id, PART.c.kind), (PART.c.blind, PART.c.part)
    found = select(*columns).select_from(both).order_by(*in_order, FOUND.c.verification_id)
    _copy(connection, _table_of(IdentityIndex), found)
    kind = literal(IndexKind.REFERENCE.value).label("kind")
    references = select(REFERENCE.c.blind, REFERENCE.c.verification_id, kind).order_by(REFERENCE.c.blind)
    _copy(connection, _table_of(IdentityIndex), references)


def put(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Stores whole rows in a table, by the quickest way that the database has."""
    names = ", ".join(f'"{column.name}"' for column in table.c)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    values = ", ".join("?" * len(table.c))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({values})"  # noqa: S608  # our own names
    left = iter(rows)
    while chunk := list(islice(left, CHUNK)):
        connection.exec_driver_sql(statement, chunk)


def _copy(connection: Connection, table: Table, rows: Select[Any] | CompoundSelect[Any]) -> None:
    connection.execute(insert(table).from_select(list(rows.selected_columns.keys()), rows, include_defaults=False))


def _table_of(model: type[Base]) -> Table:
    return model.metadata.tables[model.__tablename__]
