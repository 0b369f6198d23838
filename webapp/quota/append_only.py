"""The ledger is append-only in the database itself: triggers refuse to change an entry, and to remove or
replace one.

Who removes entries for a reason of the product's (practice data that is cleared, retention) says so in the same
transaction with `leave`; nobody else's transaction sees that. Changing an entry has no such way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, delete, event, func, insert, select, text

from webapp.foundation.database import db, must_write
from webapp.quota.models import LedgerEntry, LedgerLeave

REFUSAL = "the ledger is append-only"
_ALLOWED = "EXISTS (SELECT 1 FROM ledger_leave)"
REPLACED = "ledger_entry_is_not_replaced"
_ABORT = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
_SQLITE = {
    "ledger_entry_is_not_changed":
        f"CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry {_ABORT}",
    "ledger_entry_is_not_removed":
        "CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE ON ledger_entry "
        f"WHEN NOT {_ALLOWED} {_ABORT}",
    # INSERT OR REPLACE removes what is in its way, by number or as another of its kind, and asks no other trigger.
    REPLACED:
        f"CREATE TRIGGER {REPLACED} BEFORE INSERT ON ledger_entry "  # noqa: S608
        "WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM ledger_entry "
        "WHERE verification_id = NEW.verification_id AND kind = NEW.kind) " + _ABORT,
}  # fmt: skip
_BODY = f"BEGIN IF TG_OP = 'UPDATE' OR NOT {_ALLOWED} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN NULL; END"
_POSTGRESQL = {
    "ledger_entry_stands":
        f"CREATE OR REPLACE FUNCTION ledger_entry_stands() RETURNS trigger LANGUAGE plpgsql AS $$ {_BODY} $$",
    "ledger_entry_is_not_changed":
        "CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
    "ledger_entry_is_not_removed":
        "CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE OR TRUNCATE ON ledger_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
}  # fmt: skip

GUARDS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""By kind of database, each guard and the statement that makes it."""
_AS_THEY_STAND = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entry'",
    "postgresql":
        "SELECT tgname, pg_get_triggerdef(oid, true) FROM pg_trigger "
        "WHERE tgrelid = CAST('ledger_entry' AS regclass) AND tgenabled IN ('O', 'A') "
        "UNION ALL SELECT DISTINCT proname, prosrc FROM pg_proc JOIN pg_trigger ON tgfoid = pg_proc.oid "
        "WHERE tgrelid = CAST('ledger_entry' AS regclass)",
}  # fmt: skip


def missing() -> list[str]:
    """The guards that the database should have and has not, has otherwise, or has not in force."""
    kind = db.engine.dialect.name
    there = {name: _plain(made) for name, made in db.session.execute(text(_AS_THEY_STAND[kind]))}
    wanted = {name: _BODY if "FUNCTION ledger_entry_stands() RETURNS" in made else made
              for name, made in GUARDS[kind].items()}  # fmt: skip
    return [name for name, made in wanted.items() if there.get(name) != _plain(made)]


def left_open() -> int:
    """Leaves that somebody stored: with one, anybody may remove entries. Those of the product are never committed."""
    return db.session.scalar(select(func.count()).select_from(LedgerLeave)) or 0


def _plain(statement: str) -> str:
    return " ".join(statement.replace('"', "").split())


@event.listens_for(LedgerEntry.__table__, "after_create")
def _guard(table: Table, connection: Connection, **_options: object) -> None:
    for statement in GUARDS[connection.dialect.name].values():
        connection.exec_driver_sql(statement)


@contextmanager
def stored_in_bulk(connection: Connection) -> Iterator[None]:
    """Lets the caller's transaction store entries before their indexes stand, as new ones only: the guard that looks
    for what each would replace would read all of them every time."""
    made = GUARDS[connection.dialect.name].get(REPLACED)
    if made:
        connection.exec_driver_sql(f"DROP TRIGGER {REPLACED}")
    yield
    if made:
        connection.exec_driver_sql(made)


@contextmanager
def leave() -> Iterator[None]:
    """Lets the caller's transaction remove entries inside the block."""
    session = must_write()
    session.execute(insert(LedgerLeave))
    yield
    session.execute(delete(LedgerLeave), execution_options={"synchronize_session": False})
