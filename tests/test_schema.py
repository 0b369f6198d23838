"""The schema: migrations make what the models say, run once, keep what was there, and leave a newer one alone."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
    text,
)

from tests.conftest import settings_for
from tests.support.postgres import PostgresServer
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import append_only
from webapp.verification import rollups

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
REVISIONS = [str(script.revision) for script in ScriptDirectory(str(schema.FOLDER)).walk_revisions()][::-1]
"""Every schema that there ever was, the oldest first."""
OLDER = REVISIONS[:-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database without any table, in its context."""
    server: PostgresServer | None = None
    url = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        assert server is not None
        url = server.create_database()
    app = create_app(settings_for(tmp_path / "instance", url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if server is not None and url is not None:
        server.drop_database(url)


def bring_to(revision: str) -> None:
    schema.upgrade(revision)


def execute(statement: str) -> None:
    with db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text(statement))
        connection.commit()


def fill(rows: int = 2) -> dict[str, list[dict[str, Any]]]:
    """Puts rows into every table that the present schema has, whatever it is; returns all that stands there then."""
    tables = MetaData()
    tables.reflect(db.engine)
    filled = [table for table in tables.sorted_tables if table.name != "alembic_version"]
    with db.engine.connect() as connection:
        connection.execution_options(writes=True)
        for table in filled:
            there = len(connection.execute(select(table)).all())
            for number in range(there + 1, rows + 1):
                connection.execute(table.insert().values({one.name: value(one, number) for one in table.columns}))
        connection.commit()
    return {table.name: content(table) for table in filled}


def content(table: Table) -> list[dict[str, Any]]:
    with db.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def value(column: Column[Any], number: int) -> object:
    """Something that fits into the column, another for each row; a reference to the row of the same number."""
    match column.type:
        case Boolean():
            return number % 2 == 0
        case DateTime():
            return NOW - timedelta(days=number)
        case Date():
            return date(2026, 1, number)
        case JSON():
            return {"行": number}
        case LargeBinary():
            return bytes([number]) * 16
        case String():
            return f"值{number}"[: column.type.length]
    return number


def shape() -> dict[str, object]:
    """All that the database says of itself, in words that can be compared."""
    found = inspect(db.engine)
    told: dict[str, object] = {}
    for table in set(found.get_table_names()) - {"alembic_version"}:
        for column in found.get_columns(table):
            told[f"{table}.{column['name']}"] = (str(column["type"]), column["nullable"], column["default"])
        for index in found.get_indexes(table):
            options = {name: str(one) for name, one in index.get("dialect_options", {}).items()}
            told[f"{table} {index['name']}"] = (index["column_names"], index["unique"], options)
        told[f"{table} primary key"] = found.get_pk_constraint(table)
        told[f"{table} foreign keys"] = sorted(found.get_foreign_keys(table), key=str)
        told[f"{table} unique"] = sorted(found.get_unique_constraints(table), key=str)
        told[f"{table} checks"] = sorted(found.get_check_constraints(table), key=str)
    return told | triggers()


def triggers() -> dict[str, object]:
    """What the database does by itself when rows change: the inspection knows nothing of that."""
    if db.engine.dialect.name == "sqlite":
        wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = ("SELECT tgname, pg_get_triggerdef(t.oid) || p.prosrc FROM pg_trigger t "
                  "JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT tgisinternal")  # fmt: skip
    with db.engine.connect() as connection:
        return {f"trigger {name}": words for name, words in connection.execute(text(wanted))}


def test_the_migrated_database_is_what_the_models_say(empty: Flask) -> None:
    schema.migrate(NOW)
    with db.engine.connect() as connection:
        migrations = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(migrations, Base.metadata) == []
    migrated = shape()
    execute("DROP TABLE alembic_version")
    Base.metadata.drop_all(db.engine)
    assert shape() == {}, "a migration makes a table that no model has"

    Base.metadata.create_all(db.engine)

    assert migrated == shape(), "index, constraint, type, default or trigger differ"
    assert {name for name in migrated if name.startswith("trigger ")} == {
        f"trigger {name}" for name in append_only.GUARDS[db.engine.dialect.name] if name != "ledger_entry_stands"
    }


def test_the_names_of_the_files_tell_every_revision_in_order() -> None:
    assert schema.revisions() == REVISIONS


def test_migrating_twice_is_migrating_once(empty: Flask) -> None:
    assert schema.state() == "empty"
    assert schema.migrate(NOW) is None, "there was nothing to back up"
    assert schema.state() == "current"
    before = fill()

    assert schema.migrate(NOW) is None

    assert fill() == before
    assert not (this_instance().settings.instance / "backups").exists()


@pytest.mark.parametrize("revision", OLDER)
def test_from_every_older_schema_all_that_was_stored_comes_along(empty: Flask, revision: str) -> None:
    bring_to(revision)
    before = fill()
    assert schema.state() == "behind"

    schema.migrate(NOW)

    assert schema.state() == "current"
    assert before, "the older schema has tables"
    now = MetaData()
    now.reflect(db.engine)
    for name, rows in before.items():
        if name in now.tables:
            kept = [{column: row[column] for column in rows[0] if column in row} for row in content(now.tables[name])]
            assert kept == [{column: row[column] for column in kept[0]} for row in rows], name
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_months_that_were_dropped_are_not_said_to_be_counted_when_they_are_back(empty: Flask) -> None:
    bring_to("0025")
    with transaction():
        rollups.remember(this_instance(), NOW)
    assert rollups.are_current(this_instance())
    db.session.remove()

    command.downgrade(Config(schema.FOLDER / "alembic.ini"), "0023")
    bring_to("0025")

    assert not rollups.are_current(this_instance())


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_before_a_change_an_sqlite_file_is_copied_whole(empty: Flask) -> None:
    """What was committed last may still stand in the write-ahead log beside the file."""
    bring_to(OLDER[-1])
    before = fill()
    instance = this_instance().settings.instance
    assert (instance / "yuliang.db-wal").stat().st_size > 0

    backup = schema.migrate(NOW)

    assert backup is not None
    copy = Path(backup)
    assert copy.parent == instance / "backups"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    connection = sqlite3.connect(copy)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (OLDER[-1],)
    counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in before}  # noqa: S608
    connection.close()
    assert counts == {name: len(rows) for name, rows in before.items()}


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_a_copy_can_be_put_in_place_and_migrated_again(empty: Flask, tmp_path: Path) -> None:
    bring_to(OLDER[-1])
    fill()
    backup = schema.migrate(NOW)
    assert backup is not None
    (tmp_path / "restored").mkdir()
    Path(backup).rename(tmp_path / "restored" / "yuliang.db")
    db.engine.dispose()

    with create_app(settings_for(tmp_path / "restored", None)).app_context():
        assert schema.state() == "behind"
        assert schema.migrate(NOW) is not None
        assert schema.state() == "current"
        db.engine.dispose()


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_the_newest_few_copies_are_kept(empty: Flask) -> None:
    folder = this_instance().settings.instance / "backups"
    folder.mkdir()
    old = [folder / f"yuliang-before-migration-202601{day:02}-000000.db" for day in range(1, 9)]
    for path in [*old, folder / "my-own.db"]:
        path.touch()
    bring_to(OLDER[-1])

    backup = schema.migrate(NOW)

    assert {str(path) for path in folder.iterdir()} == {backup, str(folder / "my-own.db"), *map(str, old[4:])}


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_without_a_copy_nothing_is_changed(empty: Flask) -> None:
    bring_to(OLDER[-1])
    (this_instance().settings.instance / "backups").write_text("a file where the folder should be")

    with pytest.raises(schema.CannotBackUp, match="backups") as raised:
        schema.migrate(NOW)

    assert len(str(raised.value).splitlines()) == 1
    assert schema.state() == "behind"


def test_a_schema_from_the_future_is_refused_in_one_line_and_left_alone(empty: Flask) -> None:
    schema.migrate(NOW)
    before = fill()
    execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(schema.SchemaNewer, match="newer Yuliang") as raised:
        schema.migrate(NOW)
    assert len(str(raised.value).splitlines()) == 1
    with pytest.raises(schema.SchemaNewer, match="9999"):
        schema.state()

    execute(f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'")  # noqa: S608
    assert fill() == before


AT_ONCE = """
import os, sys
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.settings import read_settings
app = create_app(read_settings({"YULIANG_INSTANCE": sys.argv[1], "YULIANG_DATABASE_URL": sys.argv[2]}))
waits, gate = os.pipe()
children = []
for _ in range(3):
    pid = os.fork()
    if not pid:
        os.close(gate)
        os.read(waits, 1)  # ends for all at once, when the parent closes the gate
        with app.app_context():
            schema.migrate(utc_now())
            os._exit(schema.state() != "current")
    children.append(pid)
os.close(gate)
sys.exit(any([os.waitpid(pid, 0)[1] for pid in children]))
"""


def test_processes_that_start_at_once_migrate_one_after_the_other(empty: Flask) -> None:
    settings = this_instance().settings
    if db.engine.dialect.name == "sqlite":  # with a copy to be made, too
        bring_to(OLDER[-1])
        fill()
    db.engine.dispose()
    command = [sys.executable, "-c", AT_ONCE, str(settings.instance), settings.database]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert schema.state() == "current"
    assert len(fill()["verification"]) == 2


def test_revisions_are_one_line_of_descent_and_their_files_say_which() -> None:
    script = ScriptDirectory(str(schema.FOLDER))
    files = sorted((schema.FOLDER / "versions").glob("*.py"))

    assert len(script.get_heads()) == 1
    assert [path.name.split("_")[0] for path in files] == REVISIONS
