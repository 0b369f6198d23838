"""The schema: migrations make what the models say, are run once, and never touch a database that is newer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from tests.conftest import settings_for
from tests.support.postgres import PostgresServer
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import Base, db

REVISIONS = sorted(path.name.split("_")[0] for path in (schema.FOLDER / "versions").glob("[0-9]*.py"))
ROWS = (
    "INSERT INTO department (id, name) VALUES (7, '前台')",
    "INSERT INTO app_user (id, email, name, role, department_id, password_hash, session_epoch, active, created_at) "
    "VALUES (7, 'old@yuliang.test', '旧人', 'operator', 7, 'x', 0, TRUE, '2026-01-01 00:00:00')",
    "INSERT INTO lot (id, calls, bought_on, expires_on, order_number, available, held, charged, lapsed, recorded_at) "
    "VALUES (7, 100, '2026-01-01', '2027-01-01', '', 100, 0, 0, 0, '2026-01-01 00:00:00')",
    "INSERT INTO verification (id, created_at, deadline_at, outcome, billed, vendor_code, request_id, attempts, "
    "source, operator_id, department_id, purpose_id, legal_basis, consent) VALUES (7, '2026-01-01 00:00:00', "
    "'2026-01-01 00:01:00', 'match', 'yes', '0000', 'r', 1, 'desk', 7, 7, 1, 'consent', TRUE)",
)
"""What the first schema could hold, written as it was written then."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """An application on a database without any table."""
    if request.param == "sqlite":
        return create_app(settings_for(tmp_path / "instance", None))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return create_app(settings_for(tmp_path / "instance", server.create_database()))


def test_the_migrated_database_is_what_the_models_say(context: Flask) -> None:
    with db.engine.connect() as connection:
        migrations = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(migrations, Base.metadata) == []


def test_migrating_twice_is_migrating_once(empty: Flask) -> None:
    with empty.app_context():
        assert schema.state() == "empty"
        assert schema.migrate(utc_now()) is None
        assert schema.state() == "current"
        assert schema.migrate(utc_now()) is None
        db.engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_every_older_schema_can_be_brought_up_to_date_with_data_in_it(empty: Flask, revision: str) -> None:
    with empty.app_context():
        upgrade(directory=str(schema.FOLDER), revision=revision)
        with db.engine.begin() as connection:
            for statement in ROWS:
                connection.execute(text(statement))
        assert schema.state() == "behind"
        backup = schema.migrate(utc_now())
        assert schema.state() == "current"
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT outcome FROM verification WHERE id = 7")).scalar() == "match"
            assert connection.execute(text("SELECT available FROM lot WHERE id = 7")).scalar() == 100
        if db.engine.dialect.name == "sqlite":
            assert backup is not None
            with sqlite3.connect(backup) as copy:
                assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
                assert copy.execute("SELECT count(*) FROM verification").fetchone() == (1,)
            copy.close()
            assert Path(backup).stat().st_mode & 0o077 == 0
        else:
            assert backup is None
        db.engine.dispose()


def test_a_schema_from_the_future_is_refused_and_left_alone(empty: Flask) -> None:
    with empty.app_context():
        schema.migrate(utc_now())
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
        with pytest.raises(schema.SchemaNewer, match="newer"):
            schema.migrate(utc_now())
        db.engine.dispose()


def test_two_that_start_at_once_migrate_one_after_the_other(empty: Flask) -> None:
    settings = empty.extensions["yuliang"].settings
    environ = {"YULIANG_INSTANCE": str(settings.instance), "YULIANG_DATABASE_URL": settings.database}
    command = [sys.executable, "-m", "webapp.cli", "migrate"]
    both = [subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _out, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
    with empty.app_context():
        assert schema.state() == "current"
        db.engine.dispose()


def test_revisions_are_one_line_of_descent() -> None:
    script = ScriptDirectory(str(schema.FOLDER))

    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) == len(REVISIONS)
