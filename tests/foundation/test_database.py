"""Writing: one transaction at a time, all or nothing, current when it reads; instants aware and exact."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from tests.support.cast import ADMIN, NOW
from webapp.accounts.models import Department, User
from webapp.foundation.database import db, insert_once, is_busy, must_write, ping, put, transaction
from webapp.foundation.runtime import StoredSetting
from webapp.notify.notices import Notice

pytestmark = pytest.mark.both_databases  # it is about what differs between the two


def departments() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Department.name)))


@pytest.mark.usefixtures("context")
def test_a_transaction_is_stored_whole_or_not_at_all() -> None:
    with transaction() as session:
        session.add(Department(name="甲"))
    with contextlib.suppress(ZeroDivisionError), transaction() as session:
        session.add(Department(name="乙"))
        session.flush()
        raise ZeroDivisionError

    assert departments() == ["前台", "后台", "甲"]


@pytest.mark.usefixtures("context")
def test_a_transaction_refuses_another_inside_it() -> None:
    with transaction(), pytest.raises(RuntimeError, match="does not nest"), transaction():
        pass
    with transaction() as session:  # and the next one is not disturbed
        session.add(Department(name="甲"))

    assert "甲" in departments()


@pytest.mark.usefixtures("context")
def test_what_needs_the_callers_transaction_says_so() -> None:
    with pytest.raises(RuntimeError, match="inside transaction"):
        must_write()
    with transaction() as session:
        assert must_write() is session
    with pytest.raises(RuntimeError, match="inside transaction"):
        must_write()


@pytest.mark.usefixtures("context")
def test_a_transaction_reads_what_others_stored_since_the_page_began() -> None:
    assert "甲" not in departments()
    db.session.scalars(select(Department)).all()  # the page's own read transaction is open
    with db.engine.connect() as other:
        other.execution_options(writes=True)
        other.execute(text("INSERT INTO department (name) VALUES ('甲')"))
        other.commit()

    with transaction() as session:
        assert "甲" in session.scalars(select(Department.name)).all()


@pytest.mark.usefixtures("context")
def test_a_row_that_stands_is_not_inserted_again_and_nothing_fails() -> None:
    values = {"key": "k", "role": "admin", "kind": "x", "params": {}, "created_at": NOW}
    with transaction():
        assert insert_once(Notice, **values) is True
        assert insert_once(Notice, **values | {"kind": "y"}) is False

    assert db.session.scalars(select(Notice.kind)).all() == ["x"]


@pytest.mark.usefixtures("context")
def test_put_makes_a_row_and_then_changes_it() -> None:
    for sealed in (b"1", b"2"):
        with transaction():
            put(StoredSetting, {"name": "n"}, {"sealed": sealed, "changed_at": NOW})

    assert db.session.execute(select(StoredSetting.sealed).where(StoredSetting.name == "n")).scalars().all() == [b"2"]


@pytest.mark.parametrize(
    "instant",
    [datetime(2026, 11, 2, 4, 0, 0, 123456, UTC), datetime(1999, 12, 31, 23, 59, tzinfo=UTC),
     datetime(2026, 11, 2, 12, 0, tzinfo=timezone(timedelta(hours=8)))],
)  # fmt: skip
def test_an_instant_comes_back_as_it_was_in_utc(context: Flask, instant: datetime) -> None:
    with transaction() as session:
        session.get_one(User, ADMIN.id).last_seen_at = instant

    stored = db.session.scalar(select(User.last_seen_at).where(User.id == ADMIN.id))

    assert stored == instant
    assert stored is not None
    assert stored.tzinfo is UTC


@pytest.mark.usefixtures("context")
def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(StatementError, match="time zone"), transaction() as session:
        session.get_one(User, ADMIN.id).last_seen_at = datetime(2026, 11, 2)  # noqa: DTZ001


@pytest.mark.usefixtures("context")
def test_the_text_of_a_database_error_holds_no_value() -> None:
    with pytest.raises(IntegrityError) as raised, transaction() as session:
        session.execute(text("INSERT INTO department (id, name) VALUES (1, :name)"), {"name": "Zhang San 110105"})

    assert "Zhang San" not in str(raised.value)


@pytest.mark.usefixtures("context")
def test_foreign_keys_hold() -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text("UPDATE app_user SET department_id = 99 WHERE id = 1"))


@pytest.fixture
def impatient(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a lock not at all instead of for seconds; asked for before the app."""
    monkeypatch.setattr("webapp.foundation.database.BUSY_SECONDS", 0)
    if database.startswith("postgresql"):
        monkeypatch.setattr("webapp.foundation.database.BUSY_SECONDS", 1)


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_waits_too_long_for_another_knows_it(app: Flask) -> None:
    with app.app_context():
        with db.engine.connect() as other:
            other.execution_options(writes=True)
            other.execute(text("UPDATE department SET name = '甲' WHERE id = 1"))
            with pytest.raises(OperationalError) as raised, transaction() as session:
                session.execute(text("UPDATE department SET name = '乙' WHERE id = 1"))
            other.rollback()
        db.session.remove()

    assert is_busy(raised.value)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_syncs_every_commit_and_overwrites_what_is_deleted(context: Flask) -> None:
    connection = db.session.connection()

    asked = {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
             for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip

    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_page_that_reads_takes_no_write_lock(context: Flask, database: str) -> None:
    assert db.session.scalar(select(func.count()).select_from(User)) == 4  # its transaction stays open

    with sqlite3.connect(Path(database.removeprefix("sqlite:///")), timeout=0) as other:
        other.execute("UPDATE department SET name = '甲' WHERE id = 1")
    other.close()

    assert "甲" in departments()


@pytest.mark.usefixtures("context")
def test_ping_is_quiet_while_the_database_answers() -> None:
    ping()
