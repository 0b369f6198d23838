"""The ledger is append-only in the database itself: triggers refuse to change an entry, and to remove one.

Who removes entries for a reason of the product's (practice data that is cleared, retention) says so in the same
transaction with `leave`; nobody else's transaction sees that. Changing an entry has no such way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, delete, event, insert, text

from webapp.foundation.database import db, must_write
from webapp.quota.models import LedgerEntry, LedgerLeave

REFUSAL = "the ledger is append-only"
_ALLOWED = "EXISTS (SELECT 1 FROM ledger_leave)"
_SQLITE = (
    "CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE ON ledger_entry WHEN NOT {_ALLOWED} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION ledger_entry_stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP = 'UPDATE' OR NOT {_ALLOWED} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN NULL; END $$",
    "CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
    "CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE OR TRUNCATE ON ledger_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
)


STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""What makes the guards, by kind of database."""
GUARDS = ("ledger_entry_is_not_changed", "ledger_entry_is_not_removed")
_ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entry'"
_ON_POSTGRESQL = "SELECT tgname FROM pg_trigger WHERE tgrelid = CAST('ledger_entry' AS regclass) AND tgenabled <> 'D'"


def missing() -> list[str]:
    """The guards that the database should have and has not, or not in force."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    there = set(db.session.scalars(text(_ON_SQLITE if on_sqlite else _ON_POSTGRESQL)))
    return [name for name in GUARDS if name not in there]


@event.listens_for(LedgerEntry.__table__, "after_create")
def _guard(table: Table, connection: Connection, **_options: object) -> None:
    for statement in STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@contextmanager
def leave() -> Iterator[None]:
    """Lets the caller's transaction remove entries inside the block."""
    session = must_write()
    session.execute(insert(LedgerLeave))
    yield
    session.execute(delete(LedgerLeave), execution_options={"synchronize_session": False})
