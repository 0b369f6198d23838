"""Fixtures that all tests share: a real app on a real database (both kinds), and a real sandbox vendor."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from tests.support import once
from tests.support.cast import Desk, Member, hire
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.routing import LateRule
from webapp.settings import Settings, read_settings
from webapp.vendor.sandbox.server import Sandbox
from webapp.vendor.sandbox.settings import SandboxSettings
from webapp.verification import rollups
from webapp.watching import logs

if TYPE_CHECKING:  # imported as a plugin at run time: pytest wants to be the first
    from tests.support.postgres import PostgresServer

pytest_plugins = ["tests.support.postgres", "tests.support.browser", "tests.support.watchdog", "tests.support.chance",
                  "tests.support.halves", "pytester"]  # fmt: skip

MakeApp = Callable[..., Flask]
LONGEST = ("test_accessibility", "test_bounded", "test_fuzz", "test_pages_at_random", "test_ledger_at_random",
           "test_ledger_page", "test_many_at_once", "test_processes", "test_desk_input", "test_checking",
           "test_crashes")  # fmt: skip
"""Files that take some seconds of the processor even without a browser; a process has the whole of a file."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is left alone with it at the end."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (item.get_closest_marker("browser") is None, places.get(item.path.stem, len(LONGEST))))


def settings_for(instance: Path, database: str | None, **more: str) -> Settings:
    """Settings of a test instance; `more` are variables without their prefix."""
    environ = {"YULIANG_INSTANCE": str(instance), "YULIANG_LIMITS": ""}
    if database:
        environ["YULIANG_DATABASE_URL"] = database
    return read_settings(environ | {f"YULIANG_{name}": value for name, value in more.items()})


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What has been prepared once for this process: migrated databases with the cast, by kind, and their keys."""
    logs.configure("ERROR")
    once.take_addresses_apart_once(LateRule)
    return {"folder": tmp_path_factory.mktemp("templates")}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, templates: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """The URL of a database that holds the cast and nothing else; the test runs once on each kind."""
    instance = tmp_path / "instance"
    if request.param == "sqlite":
        template = _template("sqlite", templates, f"sqlite:///{templates['folder'] / 'template.db'}")
        shutil.copytree(templates["folder"] / "keys", instance / "keys")
        shutil.copyfile(template.removeprefix("sqlite:///"), instance / "yuliang.db")
        yield f"sqlite:///{instance / 'yuliang.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if "postgresql" not in templates or not server.restore(templates["postgresql"]):
        templates.pop("postgresql", None)
        server.keep(_template("postgresql", templates, server.create_database()))
    shutil.copytree(templates["folder"] / "keys", instance / "keys")
    yield templates["postgresql"]


def _template(kind: str, templates: dict[str, Any], url: str) -> str:
    """Migrates and fills the template database of a kind, once; returns its URL."""
    if kind not in templates:
        app = create_app(settings_for(templates["folder"], url))
        with app.app_context():
            schema.migrate(utc_now())
            hire()
            with transaction():
                rollups.remember(this_instance(), utc_now())
            db.session.remove()
            db.engine.dispose()
            once.keep_statements(db.engine)
        once.collect_rarely()
        templates[kind] = url
    return str(templates[kind])


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One sandbox vendor for all tests of a process."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The sandbox vendor, its counts at nothing and its settings at their defaults."""
    shared_sandbox.change(**asdict(SandboxSettings()))
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def make_app(database: str, sandbox: Sandbox, tmp_path: Path, templates: dict[str, Any]) -> Iterator[MakeApp]:
    """Makes apps on the test's database and vendor; keyword arguments are settings without their prefix."""
    apps: list[Flask] = []

    def make(**more: str) -> Flask:
        given = {"VENDOR_URL": sandbox.url, "APPCODE": "test-appcode"} | more
        app = create_app(settings_for(tmp_path / "instance", database, **given))
        once.share(app)
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.extensions["vendor"].close()
        app.extensions["meter"].close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The application."""
    return make_app()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with its context pushed, for tests that call operations."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def desk(app: Flask) -> Callable[[Member | None], Desk]:
    """The browser of a member of the cast, logged in; `None`: of nobody."""
    return lambda member: Desk(app, member)
