"""The tests' own PostgreSQL server."""

import psycopg
import pytest
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
