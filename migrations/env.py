"""How migrations run: on the application's engine, in one transaction, one process at a time."""

from __future__ import annotations

import os
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from webapp.foundation.database import Base, RowId, UtcDateTime, db
from webapp.opening import open_known

LOCK = 0x7975_6C69_616E  # any number that nobody else of this database takes: "yulian"


def _render(kind: str, item: object, autogen_context: Any) -> str | bool:
    """Writes our column types by their names."""
    name = "UtcDateTime()" if isinstance(item, UtcDateTime) else "RowId" if item is RowId else ""
    if kind != "type" or not name:
        return False
    autogen_context.imports.add(f"from webapp.foundation.database import {name.rstrip('()')}")
    return name


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=_render,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _migrate() -> None:
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # Two machines that start at once migrate one after the other.
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.commit()
            try:
                _run(connection)
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
                connection.commit()
        else:
            _run(connection.execution_options(writes=True))
            connection.commit()


if current_app:
    _migrate()
else:  # the `alembic` command: a developer makes a migration for the instance of the settings
    with open_known(os.environ, agreeing=False).app_context():
        _migrate()
