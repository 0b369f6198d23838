"""Changes made behind the product's back, by somebody whom the database's own guards do not stop."""

from __future__ import annotations

from contextlib import closing

from flask import Flask

from webapp.foundation.database import db
from webapp.quota import append_only

_DROPPED = tuple(f"DROP TRIGGER IF EXISTS {name}" for name in append_only.GUARDS["sqlite"])
_BEFORE = {
    "sqlite": ("PRAGMA foreign_keys=OFF", *_DROPPED),
    "postgresql": ("SET session_replication_role = replica",),
}
_AFTER = {
    "sqlite": (*append_only.GUARDS["sqlite"].values(), "PRAGMA foreign_keys=ON"),
    "postgresql": ("SET session_replication_role = origin",),
}


def behind(app: Flask, *statements: str) -> None:
    """Runs SQL past triggers and foreign keys, and leaves no trace of how."""
    with app.app_context(), closing(db.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        kind = db.engine.dialect.name
        for statement in (*_BEFORE[kind], *statements, *_AFTER[kind]):
            cursor.execute(statement)
        connection.commit()
