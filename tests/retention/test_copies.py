"""Copies that were made before migrations go by their age, and nothing else in their folder does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.retention.ages import DAY, night, said
from tests.support.cast import ADMIN, NOW, Desk
from webapp.audit.trail import Action
from webapp.foundation import schema
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.retention import command, copies

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def folder(app: Flask) -> Path:
    """A folder with files that are no copies of ours, however old they look."""
    with app.app_context():
        source = Path(str(db.engine.url.database))
        made = schema.back_up(NOW)
    assert made is not None
    beside = source.parent / "backups"
    old = f"{NOW - 400 * DAY:%Y%m%d-%H%M%S}"
    for name in (
        "my-own.db", f"other-before-migration-{old}-7.db", f"{source.stem}-before-migration-{old}-7.db.gz",
        f"{source.stem}-before-migration-20260231-000000-7.db", f"{source.stem}-before-migration-{old}-x.db",
    ):  # fmt: skip
        (beside / name).touch()
    (beside / f"{source.stem}-before-migration-{old}-8.db").symlink_to(beside / "my-own.db")
    (beside / f"{source.stem}-before-migration-{old}-9.db").mkdir()
    return beside


def copy(folder: Path, at: datetime) -> Path:
    """A copy that was made then."""
    with_stem = next(path for path in folder.glob("*-before-migration-*.db") if path.stat().st_size > 1000)
    path = folder / f"{with_stem.name.partition('-before-')[0]}-before-migration-{at:%Y%m%d-%H%M%S}-5.db"
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # of others no copies are made
def test_old_copies_go_with_the_purge_and_a_record_and_nothing_else_of_the_folder(app: Flask, folder: Path) -> None:
    old, older = copy(folder, NOW - copies.KEPT - timedelta(seconds=1)), copy(folder, NOW - 90 * DAY)
    kept = {path.name for path in folder.iterdir()} - {old.name, older.name}

    night(app, NOW)
    night(app, NOW)

    assert {path.name for path in folder.iterdir()} == kept
    [(_action, told)] = said(app, Action.COPIES_REMOVED)
    assert told == {"copies": 2, "oldest": (NOW - 90 * DAY).replace(microsecond=0).isoformat(),
                    "newest": (NOW - copies.KEPT - timedelta(seconds=1)).isoformat()}  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_tells_how_many_there_are_how_old_and_how_to_remove_one(app: Flask, folder: Path) -> None:
    old = copy(folder, NOW - 20 * DAY)

    page = Desk(app, ADMIN).get("/retention", headers=ENGLISH).text

    assert "2 copies of the whole database" in page
    assert f"rm {old}" in page
    assert "30 days" in page[page.index("data-copies") :]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command_removes_them_too_and_says_how_many(app: Flask, folder: Path) -> None:
    copy(folder, NOW - 40 * DAY)
    with app.app_context():
        assert command.purge(this_instance(), lambda: NOW)[0][-1] == "Copies of before migrations that were removed: 1."
        assert len(schema.copies()) == 1


def test_where_no_copies_are_made_there_are_none(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    with app.app_context():
        assert schema.copies() == []
        assert copies.remove_old(NOW) == 0
    assert "data-copies" not in Desk(app, ADMIN).get("/retention").text
