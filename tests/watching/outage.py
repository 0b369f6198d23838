"""Takes a test's database away while the product runs: the file is removed, or the server lets nobody in."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgres import PostgresServer


def take_away(app: Flask, request: pytest.FixtureRequest) -> None:
    """From here on the app's database cannot be reached."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.drivername == "sqlite":
        for path in Path(str(url.database)).parent.glob("yuliang.db*"):
            path.unlink()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with psycopg.connect(host=str(server.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
        name = str(url.database)
        connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
