"""A PostgreSQL server of the tests' own, shared by all test processes of a run, gone after it.

As a pytest plugin it gives the fixture `postgres_server`; the first test that asks for it starts the server
(a second), so a run without such tests needs no PostgreSQL. `running_server` is for benchmarks and scripts.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.support.waiting import until

FOLDER_VARIABLE = "TESTS_POSTGRES_FOLDER"
"""Tells the test processes which folder the run's server lives in, whether it was started yet or not."""

SUPERUSER = "postgres"

CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
jit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
"""


_SHAPE = """
    SELECT md5(string_agg(concat(c.oid, c.relname, a.attname, a.atttypid), ',' ORDER BY c.oid, a.attnum))
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace
"""
_KEEP = """
    CREATE SCHEMA kept;
    DO $$ DECLARE t record; BEGIN
        FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', t.name, t.name);
        END LOOP;
    END $$;
    CREATE TABLE kept.shape_and_sequences AS
        SELECT (SHAPE) AS shape, sequencename AS name, last_value AS last FROM pg_sequences
        WHERE schemaname = 'public';
    -- How many rows a table was filled with, and by which transaction: none so far.
    CREATE TABLE kept.filled AS
        SELECT tablename AS name, 0::bigint AS rows, NULL::xid AS filler FROM pg_tables WHERE schemaname = 'public';
    CREATE FUNCTION kept.restore() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        t record;
        untouched boolean;
        put bigint;
    BEGIN
        IF EXISTS (SELECT FROM kept.shape_and_sequences WHERE shape <> (SHAPE)) THEN
            RAISE EXCEPTION 'its tables were changed';
        END IF;
        SET LOCAL session_replication_role = replica;  -- no foreign key asks for an order
        FOR t IN SELECT name, rows, filler FROM kept.filled LOOP
            -- Whoever changes a row or puts one in leaves a number of his own, whoever takes one away a lower count.
            EXECUTE format('SELECT count(*) = $1 AND count(*) FILTER (WHERE xmin = $2) = $1 FROM public.%I', t.name)
                INTO untouched USING t.rows, t.filler;
            CONTINUE WHEN untouched AND t.filler IS NOT NULL;
            EXECUTE format('DELETE FROM public.%I', t.name);
            EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', t.name, t.name);
            GET DIAGNOSTICS put = ROW_COUNT;
            UPDATE kept.filled SET rows = put, filler = pg_current_xact_id()::xid WHERE name = t.name;
        END LOOP;
        PERFORM setval(format('public.%I', name)::regclass, coalesce(last, 1), last IS NOT NULL)
            FROM kept.shape_and_sequences;
    END $$;
"""
_RESTORE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SELECT kept.restore();
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server, reached by the Unix socket in `folder`: who can open that is its superuser."""

    folder: Path
    restoring: dict[str, psycopg.Connection] = field(default_factory=dict, compare=False)
    """This process's connections to what it restores, by database: making one takes longer than to restore."""

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one database."""
        url = URL.create("postgresql+psycopg", SUPERUSER, database=database, query={"host": str(self.folder)})
        return url.render_as_string(hide_password=False)

    def create_database(self, template: str | None = None) -> str:
        """Makes a database and returns its URL: empty, or a copy of the one at the URL `template`.

        Nobody may be connected to the template meanwhile: dispose of its engine first.
        """
        name = f"test_{uuid.uuid4().hex}"
        source = make_url(template).database if template else "template0"
        self._let_go(source or "")
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, source or "template0")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drops the database at `url` with whoever is still connected to it."""
        self._let_go(name := make_url(url).database or "")
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def keep(self, url: str) -> None:
        """Remembers the rows of the database at `url`, for `restore`."""
        with self._connect(make_url(url).database or "") as connection:
            connection.execute(_KEEP.replace("SHAPE", _SHAPE).encode())

    def restore(self, url: str) -> bool:
        """Gives the database at `url` back the rows that were kept, whoever is still connected: of the tables
        that were touched. False where it cannot: it is gone, or its tables were changed."""
        name = make_url(url).database or ""
        try:
            if name not in self.restoring:
                self.restoring[name] = self._connect(name)
            self.restoring[name].execute(_RESTORE)
        except psycopg.Error:
            self._let_go(name)
            return False
        return True

    def close(self) -> None:
        """Ends the connections that stayed open."""
        for name in list(self.restoring):
            self._let_go(name)

    def _let_go(self, database: str) -> None:
        if connection := self.restoring.pop(database, None):
            connection.close()

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True)

    def _execute(self, statement: str, *names: str) -> None:
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


_ENDED = """
    SELECT 1 WHERE pg_snapshot_xmin(pg_current_snapshot()) >= %s::xid8 AND NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_xmin::text::bigint < %s::bigint)
"""
"""Neither who writes since then is at work any more, nor who only reads and holds a snapshot."""


def write_anew(url: str) -> None:
    """Rewrites the database at `url`: no row that was removed is left in its files.

    VACUUM keeps what a transaction may still see that is open anywhere on the server, in whichever database: the
    tests of another process have some, and those under way are waited for.
    """
    place = make_url(url)
    host, user = str(place.query["host"]), place.username
    with psycopg.connect(host=host, user=user, dbname=place.database, autocommit=True) as own:
        next_one = own.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        assert next_one is not None
        until(lambda: own.execute(_ENDED, next_one * 2).fetchone(), "the transactions that may see removed rows", 120)
        own.execute("VACUUM FULL")


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server for the length of a `with` block."""
    with _server_folder() as folder:
        yield _shared_server(folder)


@contextmanager
def _server_folder() -> Iterator[Path]:
    """A folder in the temporary folder; the server that was started in it stops at the end, if any.

    Not below the clone: user postgres could not reach a clone under root's home.
    """
    folder = Path(tempfile.mkdtemp(prefix="yuliang-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SUPERUSER, SUPERUSER)
        yield folder
    finally:
        if (folder / "data/postmaster.pid").exists():
            # Fast (SIGINT): the default of a plain SIGTERM waits for pooled connections to close.
            _run(folder, "pg_ctl", "stop", "--mode=fast", f"--pgdata={folder}/data")
        shutil.rmtree(folder)


def _shared_server(folder: Path) -> PostgresServer:
    """The server in `folder`, started by whichever process asks first."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data/postmaster.pid").exists():
            _start(folder)
    return PostgresServer(folder)


def _start(folder: Path) -> None:
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    _run(
        folder,
        "initdb",
        "--no-sync",
        "--locale=C.UTF-8",
        "--encoding=UTF8",
        "--auth=trust",
        f"--username={SUPERUSER}",
        f"--pgdata={data}",
    )
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(CONFIGURATION.format(folder=folder))
    _run(folder, "pg_ctl", "start", "--wait", f"--log={folder}/log", f"--pgdata={data}")


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs; as root as user postgres, for the server refuses root."""
    user = pwd.getpwnam(SUPERUSER) if os.geteuid() == 0 else None
    # Not pipes: the server would inherit them, and reading to their end would wait for it.
    with (folder / "programs.log").open("a+") as output:
        done = subprocess.run(
            [_program(program), *arguments],
            check=False,
            cwd=folder,
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
        )
        if done.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{program} failed:\n{output.read()}")


def _program(name: str) -> str:
    """Debian keeps each version's programs in a folder of their own, off the PATH; the newest wins."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]), reverse=True
    )
    found = str(installed[0]) if installed else shutil.which(name)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is missing: `make test` installs it, or says how")
    return found


def pytest_configure(config: pytest.Config) -> None:
    """Names the run's folder, in the process that starts the others."""
    if not hasattr(config, "workerinput"):
        run = ExitStack()
        os.environ[FOLDER_VARIABLE] = str(run.enter_context(_server_folder()))
        config.add_cleanup(run.close)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's PostgreSQL server."""
    with closing(_shared_server(Path(os.environ[FOLDER_VARIABLE]))) as server:
        yield server
