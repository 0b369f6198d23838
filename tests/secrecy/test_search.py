"""The byte search itself: whatever is planted is found, wherever it stands and however it is written."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from tests.secrecy.planted import FORMS, NUMBER, SECRETS, found, kept, leaks
from tests.support.cast import OPERATOR
from webapp.audit.trail import SYSTEM, Action, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction


def test_the_search_finds_every_form_of_every_secret() -> None:
    for name, written in FORMS.items():
        assert len(written) >= 4, name
        for form in written:
            assert name in found(b"before\x00" + form.upper() + b"after") or name in found(b"before" + form), name
    assert found(f"{OPERATOR.email} 2026-11-02 match") == []


def test_a_number_in_groups_is_found_in_a_dump_too(app: Flask, tmp_path: Path) -> None:
    with app.app_context(), transaction():
        append(SYSTEM, Action.HISTORY_SEARCHED, utc_now(), words=f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}")

    places = [place for place, content in kept(app, tmp_path) if "number" in found(content)]

    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    assert any(place.endswith(".db-wal") if is_sqlite else place == "pg_dump" for place in places)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["a name of two rare characters", "number", "reference"])
@pytest.mark.parametrize("write", [str, ascii, quote, lambda text: base64.b64encode(f"x{text}".encode()).decode(),
                                   lambda text: text.encode("utf-16-be").hex()])  # fmt: skip
def test_one_planted_leak_is_found_in_the_database_and_in_its_log(
    app: Flask, tmp_path: Path, name: str, write: Callable[[str], str]
) -> None:
    with app.app_context(), transaction():
        append(SYSTEM, Action.HISTORY_SEARCHED, utc_now(), words=write(SECRETS[name]))

    places = [leak.rpartition(": ")[0] for leak in leaks(kept(app, tmp_path)) if leak.endswith(f": {name}")]

    assert "the file once its log was written back" in places
    assert any(place.endswith(".db-wal") for place in places)
