"""A person's request, legal holds and the purge: nothing leaks on the way, and what went is nowhere any more."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import make_url, select

from tests.receipts.papers import paper_of
from tests.secrecy.planted import (
    APPCODE,
    FORMS,
    NUMBER,
    OTHERS_NUMBER,
    REFERENCE,
    SECRETS,
    found,
    in_the_servers_log,
    kept,
    leaks,
    outside_the_card,
)
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, PASSWORD, Desk
from tests.support.postgres import write_anew
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import utc_now
from webapp.foundation.database import Base, db, end_read
from webapp.foundation.instance import this_instance
from webapp.history import export_operations
from webapp.retention import purging
from webapp.retention.columns import COLUMNS
from webapp.vendor.sandbox.server import Sandbox

RARE = SECRETS["a name of two rare characters"]
ERASED = {"name": SECRETS["name"], "id_number": NUMBER}
HELD = {"name": RARE, "id_number": OTHERS_NUMBER}
ASKED = {"filled": "yes", "words": "request 2026-17", "password": PASSWORD, "confirm": "yes"}
BYTES = 12
"""What is shorter may stand somewhere by chance."""


def everything_of_them(app: Flask, sandbox: Sandbox) -> None:
    """Both are verified, shown again, searched, viewed, looked for; a file of them waits for its owner."""
    admin, operator = Desk(app, ADMIN), Desk(app, OPERATOR)
    admin.post("/settings", {"appcode": APPCODE})
    sandbox.change(appcode=APPCODE)
    admin.record_lot(100)
    for person in (ERASED, HELD):
        for _ in range(2):  # the second is shown again
            operator.verify(person["name"], person["id_number"], reference=REFERENCE)
    paper_of(app)
    for words in (ERASED["id_number"], ERASED["name"]):
        handle = (admin.post("/history", {"q": words}).location or "").rpartition("=")[2]
        assert admin.post("/history/views", {"name": f"查 {words}", "s": handle, "shared_with": ""}).status_code == 303
    Desk(app, AUDITOR).post("/audit/person", {"id_number": ERASED["id_number"]})
    assert admin.post(f"/history/export?s={handle}", {"format": "csv"}).status_code == 303
    with app.app_context():
        while export_operations.prepare_piece(this_instance(), utc_now()):
            pass
        db.session.remove()


def requests(app: Flask) -> Iterator[tuple[str, str]]:
    """What is done for the one, and why nothing is done for the other; what is said where no person belongs."""
    admin = Desk(app, ADMIN)
    for person in (ERASED, HELD):
        assert admin.post("/rights", person).status_code == 200
    assert admin.post("/rights/hold", HELD | ASKED).status_code == 303
    assert admin.post("/rights/erase", HELD | ASKED).status_code == 409
    for page in ("export", "erase"):
        assert admin.post(f"/rights/{page}", ERASED | ASKED | {"words": f"for {NUMBER}"}).status_code == 422
    handed_out = admin.post("/rights/export", ERASED | ASKED)
    assert {"name", "number", "reference"} <= set(found(handed_out.text)), "the file is there to be read"
    assert admin.post("/retention/holds", {"verification": "1", "words": f"of {NUMBER}"}).status_code == 422
    for person, verification in ((ERASED, "1"), (HELD, "2")):
        named = {"verification": verification, "words": f"case of {person['name']}"}
        assert admin.post("/retention/holds", named).status_code == 422
    assert admin.post("/retention/holds/1/lift", {"words": f"{HELD['name']} agreed"}).status_code == 422
    for member in (ADMIN, AUDITOR):
        yield f"retention, for {member.role}", Desk(app, member).get("/retention").text
        yield f"processing record, for {member.role}", Desk(app, member).post("/retention/processing-record").text
    erased = admin.post("/rights/erase", ERASED | ASKED)
    assert 'data-erased="1"' in erased.text
    yield "erased", erased.text
    for member in (ADMIN, AUDITOR, COLLEAGUE):
        for path in ("/", "/history", "/history/exports", "/history/exports/1", "/audit", "/verifications/1"):
            assert Desk(app, member).get(path).status_code in (200, 403, 404)


def sealed(app: Flask) -> set[bytes]:
    """Whatever stands, sealed or as a mark, in the columns that an erasure empties."""
    with app.app_context():
        columns = [Base.metadata.tables[table].c[column] for table, column in
                   (name.split(".") for name, end in COLUMNS.items() if end.erased)]  # fmt: skip
        values = {value for column in columns for value in db.session.scalars(select(column))}
        end_read()
    return {value for value in map(as_bytes, values) if len(value) >= BYTES}


def as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode() if isinstance(value, str) else b""


def left_over(app: Flask, gone: set[bytes], tmp_path: Path) -> list[str]:
    """Where something of it still stands: in whichever file, in the clear or as a dump writes it."""
    fresh(app)
    forms = gone | {value.hex().encode() for value in gone}
    return [place for place, content in kept(app, tmp_path) if any(form in content for form in forms)]


def fresh(app: Flask) -> None:
    """A server writes its tables anew; an SQLite file is looked at as it is."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if make_url(url).drivername != "sqlite":
        with app.app_context():
            db.session.remove()
        write_anew(url)


def purge(app: Flask) -> None:
    with app.app_context():
        later = utc_now() + timedelta(days=1200)
        purging.purge_now(SYSTEM, this_instance(), lambda: later)
        db.session.remove()


def test_after_an_erasure_and_a_purge_nothing_is_left_neither_read_nor_sealed(
    app: Flask, sandbox: Sandbox, logged: io.StringIO, tmp_path: Path
) -> None:
    everything_of_them(app, sandbox)
    before = sealed(app)
    told: list[tuple[str, bytes | str]] = list(requests(app))
    theirs = sealed(app)
    assert len(before - theirs) > 15, "an identity, its indexes, a salt, searches, views, a file"

    assert left_over(app, before - theirs, tmp_path) == []
    purge(app)
    assert sealed(app) == theirs, "what is held stays"
    lifted = Desk(app, ADMIN).post("/retention/holds/1/lift", {"words": "case closed"})
    assert lifted.status_code == 303
    purge(app)
    assert sealed(app) == set()
    assert left_over(app, before, tmp_path) == []

    told += kept(app, tmp_path)
    told += [(f"log {line[:200]}", line) for line in logged.getvalue().splitlines()]
    for path, answer in app.test_client_class.answers:  # type: ignore[union-attr]
        told += outside_the_card(path, answer)
    assert leaks(told) == []
    long = [form for form in FORMS["a name of two rare characters"] if len(form) > 7]
    assert [place for place, content in in_the_servers_log(app) if any(form in content for form in long)] == []
