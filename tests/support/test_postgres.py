"""The tests' own PostgreSQL server."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgres import PostgresServer, write_anew
from tests.support.waiting import together, until


def connect(url: str) -> psycopg.Connection:
    parts = make_url(url)
    return psycopg.connect(host=str(parts.query["host"]), user=parts.username, dbname=parts.database, autocommit=True)


def test_a_copy_starts_as_its_template_and_goes_its_own_way(
    postgres_server: PostgresServer,
) -> None:
    template = postgres_server.create_database()
    with connect(template) as connection:
        connection.execute("CREATE TABLE calls (number int)")
    copy = postgres_server.create_database(template)
    with connect(copy) as connection:
        connection.execute("INSERT INTO calls VALUES (1)")
    with connect(template) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (0,)
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


def test_a_database_is_dropped_although_somebody_is_connected(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with connect(url):
        postgres_server.drop_database(url)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_text_is_compared_by_code_point_in_utf_8(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with connect(url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT 'Z' < 'a', length('余量')").fetchone() == (True, 2)
    postgres_server.drop_database(url)


def test_what_was_removed_is_in_no_file_though_a_transaction_was_open_in_another_database(
    postgres_server: PostgresServer,
) -> None:
    url, anothers = postgres_server.create_database(), postgres_server.create_database()
    looked_for = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%pg_snapshot_xmin%%'",
        [make_url(url).database],
    )
    with connect(anothers) as another, connect(anothers) as watching:
        another.autocommit = False
        another.execute("CREATE TABLE calls (number int)")
        with connect(url) as own:
            own.execute("CREATE TABLE people AS SELECT 'somebody who went' AS name")
            own.execute("DELETE FROM people")

        def end_once_it_waits() -> None:
            until(lambda: watching.execute(*looked_for).fetchone(), "somebody who waits for this transaction")
            another.commit()

        together(lambda: write_anew(url), end_once_it_waits)
    with connect(url) as own:
        own.execute("CHECKPOINT")
        place = own.execute("SELECT pg_relation_filepath('people')").fetchone()
    assert place is not None
    assert b"somebody who went" not in (postgres_server.folder / "data" / place[0]).read_bytes()
    for database in (url, anothers):
        postgres_server.drop_database(database)


@pytest.fixture
def kept(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with rows that were kept and restored once, so that the server knows what it filled."""
    url = postgres_server.create_database()
    with connect(url) as connection:
        connection.execute("CREATE TABLE calls (number int, id serial); CREATE TABLE people (number int, id int)")
        connection.execute("INSERT INTO calls VALUES (1), (2)")
    postgres_server.keep(url)
    assert postgres_server.restore(url)
    yield url
    postgres_server.drop_database(url)


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO calls VALUES (3)",
        "DELETE FROM calls WHERE number = 1",
        "UPDATE calls SET number = 1",
        "UPDATE calls SET number = 7 WHERE number = 1",
        "DELETE FROM calls WHERE number = 1; INSERT INTO calls VALUES (7)",
        "TRUNCATE calls",
        "DO $$ BEGIN BEGIN INSERT INTO calls VALUES (3); EXCEPTION WHEN division_by_zero THEN NULL; END; END $$",
    ],
)
def test_whatever_was_done_to_a_table_is_undone(change: str, kept: str, postgres_server: PostgresServer) -> None:
    for _ in range(2):
        with connect(kept) as connection:
            connection.execute(change.encode())
        assert postgres_server.restore(kept)
        with connect(kept) as connection:
            assert connection.execute("SELECT number FROM calls ORDER BY number").fetchall() == [(1,), (2,)]


def test_a_table_that_nobody_touched_is_left_as_it_is(kept: str, postgres_server: PostgresServer) -> None:
    place = "SELECT ctid::text FROM calls ORDER BY number"
    with connect(kept) as connection:
        before = connection.execute(place).fetchall()
    assert postgres_server.restore(kept)
    with connect(kept) as connection:
        assert connection.execute(place).fetchall() == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE calls RENAME TO elsewhere",
        "ALTER TABLE calls ADD COLUMN place text",
        "DROP TABLE people",
        "CREATE TABLE more ()",
        # By its name alone the one could be taken for the other.
        "ALTER TABLE people RENAME TO other; ALTER TABLE calls RENAME TO people; ALTER TABLE other RENAME TO calls",
    ],
)
def test_a_database_whose_tables_were_changed_is_not_restored(
    change: str, kept: str, postgres_server: PostgresServer
) -> None:
    with connect(kept) as connection:
        connection.execute(change.encode())
    assert not postgres_server.restore(kept)


def test_a_database_that_is_gone_is_not_restored(kept: str, postgres_server: PostgresServer) -> None:
    with connect(kept) as connection:
        connection.execute("SELECT 1")
    with psycopg.connect(host=str(postgres_server.folder), user="postgres", dbname="postgres", autocommit=True) as own:
        own.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(make_url(kept).database or "")))
    assert not postgres_server.restore(kept)
    own_again = postgres_server.create_database()  # for the one that the fixture drops
    with psycopg.connect(host=str(postgres_server.folder), user="postgres", dbname="postgres", autocommit=True) as own:
        names = sql.Identifier(make_url(own_again).database or ""), sql.Identifier(make_url(kept).database or "")
        own.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
