"""Opening an instance: settings, folder, keys, application, and the proof that they and the database belong together.

Every entry point comes through here (`yuliang …`, `wsgi.py`), so none can skip the redaction of logs or the guards.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, inspect, text

from webapp.application import create_app
from webapp.audit.trail import SYSTEM, Action, append
from webapp.configuration import kind
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import be, this_instance
from webapp.scheduler import holder_name
from webapp.settings import Settings, SettingsError, read_settings
from webapp.verification import rollups
from webapp.watching import logs


class NotReady(Exception):
    """The instance cannot be used as it is; the message says what to do."""


def open_new_or_known(environ: Mapping[str, str]) -> tuple[Flask, str | None]:
    """Opens an instance to serve it: makes keys for a new database, migrates, and sees that all belongs together.

    Returns the application and where an SQLite file was backed up before its migration. Raises `SettingsError`,
    `NotReady`, `SchemaNewer`, `WrongKind`.
    """
    settings = _prepare(environ)
    known = _is_known(settings)
    app = create_app(settings, make_keys=not known)
    with app.app_context():
        if known and schema.state() != "empty":
            kind.keys_agree(this_instance())  # a migration records itself in the trail
        backup = _migrate()
        be(kind.agree(this_instance(), utc_now()))
        rollups.make_current(this_instance(), holder_name())
    return app, backup


def _migrate() -> str | None:
    """Brings the schema up to date, and records that of a database that was there before; returns its copy, if any."""
    before = schema.state()
    backup = schema.migrate(utc_now())
    if before == "behind":
        with transaction():
            append(SYSTEM, Action.SCHEMA_MIGRATED, utc_now(), to=schema.revisions()[-1],
                   copy=Path(backup).name if backup else None)  # fmt: skip
    return backup


def open_known(environ: Mapping[str, str], *, agreeing: bool = True) -> Flask:
    """Opens an instance that was served or migrated before. `agreeing`: False only to change what it is for.

    Raises as `open_new_or_known`.
    """
    settings = _prepare(environ)
    if not _is_known(settings):
        raise NotReady("the schema of the database is empty: run `yuliang serve` or `yuliang migrate` first")
    app = create_app(settings, make_keys=False)
    with app.app_context():
        found = schema.state()
        if found != "current":
            raise NotReady(f"the schema of the database is {found}: run `yuliang migrate` first")
        if agreeing:
            be(kind.agree(this_instance(), utc_now()))
        if not rollups.are_current(this_instance()):
            raise NotReady("the charts' counts are for another YULIANG_TIMEZONE or version: run `yuliang migrate` "
                           "once, it counts all calls anew")  # fmt: skip
    let_go(app)
    return app


def let_go(app: Flask) -> None:
    """Closes every connection to the database: none may be shared with a process that is forked after this."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _prepare(environ: Mapping[str, str]) -> Settings:
    settings = read_settings(environ)
    os.umask(0o077)
    logs.configure()
    _prepare_folder(settings.instance)
    return settings


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError("YULIANG_INSTANCE", f"cannot be made ({error.strerror}).", "/var/lib/yuliang") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError("YULIANG_INSTANCE", f"{folder} cannot be written by this user.", "/var/lib/yuliang")


def _is_known(settings: Settings) -> bool:
    """Whether the database holds something sealed already: then keys must be found, never made."""
    engine = create_engine(settings.database)
    try:
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
            return False
        with engine.connect() as connection:
            if not inspect(connection).has_table("setting"):
                return False
            return connection.execute(text("SELECT 1 FROM setting LIMIT 1")).first() is not None
    finally:
        engine.dispose()
