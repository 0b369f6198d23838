"""The database's schema: brought up to date before serving, never run on one that is newer than the code."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import inspect, make_url, text

from webapp.foundation.database import db

FOLDER = Path(__file__).parent.parent.parent / "migrations"
KEPT_BACKUPS = 5
COPIES = "backups"
"""The folder beside an SQLite file in which its copies lie."""


class SchemaNewer(Exception):
    """The database was written by a newer Yuliang than this one."""


class CannotBackUp(Exception):
    """The database was not copied, so it was not changed either."""


def state() -> str:
    """`empty`, `behind` or `current`. Raises `SchemaNewer`."""
    revision = _revision()
    if revision is None:
        return "empty"
    known = revisions()
    if revision not in known:
        raise SchemaNewer(
            f"this database has schema {revision}, which this version does not know: it was written by a newer "
            "Yuliang. Install that version, or restore a backup."
        )
    return "current" if revision == known[-1] else "behind"


def revisions() -> list[str]:
    """Every revision that this version knows, oldest first: a migration's file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def migrate(now: datetime) -> str | None:
    """Brings the schema up to date; returns where an SQLite file was backed up first.

    Raises `SchemaNewer`, `CannotBackUp`.
    """
    before = state()
    if before == "current":
        return None
    backup = back_up(now) if before == "behind" else None
    upgrade()
    return backup


def upgrade(revision: str = "head") -> None:
    """Runs the migrations up to `revision` on the application's database."""
    from alembic import command  # here: a start without a migration, which is nearly every one, needs none of it
    from alembic.config import Config

    command.upgrade(Config(FOLDER / "alembic.ini"), revision)


def _revision() -> str | None:
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def back_up(now: datetime) -> str | None:
    """Copies an SQLite file, complete and consistent, beside it; keeps the newest few."""
    source = _file()
    if source is None:
        return None
    folder = source.parent / COPIES
    # Of processes that start at once each makes a copy of its own.
    target = folder / f"{source.stem}-before-migration-{now:%Y%m%d-%H%M%S}-{os.getpid()}.db"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _copy(source, target)
        for old in sorted(folder.glob(f"{source.stem}-before-migration-*.db"))[:-KEPT_BACKUPS]:
            old.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise CannotBackUp(
            f"no copy could be made in {folder} ({error}), so nothing was migrated: make room"
        ) from error
    return str(target)


class Copy(NamedTuple):
    """A copy that was made before a migration, and when, as its name says."""

    path: Path
    made_at: datetime


def copies() -> list[Copy]:
    """The copies that `back_up` made of this database, oldest first: files of just that name, no links, in just that
    folder."""
    source = _file()
    if source is None:
        return []
    name = re.compile(rf"{re.escape(source.stem)}-before-migration-(\d{{8}}-\d{{6}})(?:-\d+)?\.db")
    found = []
    with suppress(OSError):  # no folder, or not ours to read: then there is nothing that we could remove
        for entry in os.scandir(source.parent / COPIES):
            given = name.fullmatch(entry.name)
            made_at = _time_of(given[1]) if given and entry.is_file(follow_symlinks=False) else None
            if made_at is not None:
                found.append(Copy(Path(entry.path), made_at))
    return sorted(found, key=lambda copy: (copy.made_at, copy.path.name))


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _file() -> Path | None:
    """The SQLite file of this database; None: it lies elsewhere."""
    url = make_url(db.engine.url)
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None


def _copy(source: Path, target: Path) -> None:
    target.touch(0o600)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
