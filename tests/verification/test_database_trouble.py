"""The database is busy or gone: a plain page with the request's id, and no call that could not be recorded first."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import create_engine, event, make_url, text
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, card_of
from tests.vendor.scripted import MATCH as MATCH_BYTES
from tests.vendor.scripted import ScriptedVendor, Turn
from tests.verification.calls import MATCH, ask, buy, differences, give_up, lot_figures, outcomes, somebody
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.vendor.contract import Reply
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations
from webapp.verification.operations import NotBegun, NotRecorded

pytestmark = pytest.mark.both_databases  # it is about what differs between the two

PERSON = somebody(1)
LATER = timedelta(minutes=10)
NOT_SENT = "The call could not be recorded first, so it was not sent; nothing was charged."
NOT_STORED = "The call was sent, but its outcome could not be stored. It will be shown as unknown."


def impatient(app: Flask) -> Flask:
    """The app, waiting a tenth of a second for other writers instead of seconds."""
    with app.app_context():
        engine = db.engine
        engine.dispose()

    @event.listens_for(engine, "connect")
    def _hurry(connection: sqlite3.Connection | psycopg.Connection, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA busy_timeout = 100")
        else:
            connection.execute("SET lock_timeout = '100ms'")
            connection.commit()

    return app


@contextmanager
def another_writer(database: str) -> Iterator[None]:
    """Holds the database as a long write of another process does."""
    engine = create_engine(database)
    with engine.connect() as connection:
        if database.startswith("sqlite"):
            connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE verification, app_user, audit_record IN SHARE ROW EXCLUSIVE MODE"))
        yield
        connection.rollback()
    engine.dispose()


@contextmanager
def gone(database: str) -> Iterator[None]:
    """The database file is moved away; a PostgreSQL database lets nobody in."""
    if database.startswith("sqlite"):
        files = sorted(Path(database.removeprefix("sqlite:///")).parent.glob("yuliang.db*"))
        for file in files:
            file.rename(file.with_name(f"away-{file.name}"))
        yield
        assert not files[0].exists(), "no empty database was made in its place"
        for file in files:
            file.with_name(f"away-{file.name}").rename(file)
        return
    url = make_url(database)
    name, folder = url.database or "", str(url.query["host"])
    with psycopg.connect(host=folder, user=url.username, dbname="postgres", autocommit=True) as server:
        let_in = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        server.execute(let_in.format(sql.Identifier(name), sql.SQL("false")))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        server.execute(let_in.format(sql.Identifier(name), sql.SQL("true")))


Trouble = Callable[[str], AbstractContextManager[None]]
TROUBLES = pytest.mark.parametrize("trouble", [another_writer, gone])


def send(desk: Desk, token: str) -> TestResponse:
    """Submits the desk form without looking at any page first."""
    name, number = PERSON
    data = {"csrf_token": token, "name": name, "id_number": number, "purpose": "1", "consent": "yes"}
    return desk.client.post("/verify", data=data, headers={"Accept-Language": "en"})


def said_on(page: TestResponse) -> str:
    """What a plain page says: 503, the request's id, nothing personal, no trace of code."""
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text)).replace("&#39;", "'")
    assert page.status_code == 503
    assert re.fullmatch(r"[0-9a-f]{32}", page.headers["X-Request-Id"])
    assert page.headers["X-Request-Id"] in shown
    assert not any(word in page.text for word in (*PERSON, "Traceback", "sqlite", "psycopg", "SELECT", "yuliang.db"))
    return shown


@TROUBLES
def test_no_call_is_sent_that_cannot_be_recorded_first(
    app: Flask, database: str, sandbox: Sandbox, trouble: Trouble
) -> None:
    lot = buy(impatient(app), 10)
    operator = Desk(app, OPERATOR)
    token = operator.token()

    with trouble(database):
        said = said_on(send(operator, token))

    assert ("The database is busy." in said) is (trouble is another_writer)
    assert ("The database cannot be reached." in said) is (trouble is gone)
    assert sandbox.counts().received == 0
    assert outcomes(app) == {}
    assert lot_figures(app, lot) == (10, 0, 0)
    assert card_of(operator.verify(*PERSON).text) == ("no_such_number", "yes"), "afterwards the desk goes on"
    assert differences(app) == []


def test_a_writer_that_comes_between_is_said_to_have_cost_no_call(app: Flask, database: str, sandbox: Sandbox) -> None:
    """The page itself still reads and the person is known; only the intent cannot be stored."""
    buy(impatient(app), 10)
    with app.app_context(), another_writer(database), pytest.raises(NotBegun):
        ask(app, PERSON)

    assert sandbox.counts().received == 0
    assert outcomes(app) == {}


@pytest.mark.parametrize("path", ["/", "/verify", "/history", "/quota", "/verifications/1", "/profile", "/login"])
def test_every_page_says_plainly_that_the_database_is_gone(app: Flask, database: str, path: str) -> None:
    desks = [Desk(app, member) for member in (OPERATOR, ADMIN, AUDITOR)]
    with gone(database):
        for desk in desks:
            page = desk.get(path, headers={"Accept-Language": "en"})
            if path == "/login" and page.status_code == 200:
                continue
            assert "The database cannot be reached." in said_on(page)


def test_readiness_follows_the_database(app: Flask, database: str) -> None:
    nobody = Desk(app, None)
    assert nobody.get("/readyz").status_code == 200

    with gone(database):
        assert nobody.get("/readyz").status_code == 503
        assert nobody.get("/healthz").status_code == 200

    assert nobody.get("/readyz").status_code == 200


@TROUBLES
def test_an_outcome_that_cannot_be_stored_is_said_and_becomes_unknown(
    make_app: MakeApp, database: str, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setattr(operations, "RECORD_PAUSES", (0.01, 0.01))
    called, answer = threading.Event(), threading.Event()

    def vendor_answers(turn: Turn) -> bool:
        called.set()
        assert answer.wait(30)
        turn.send(MATCH_BYTES)
        return True

    with ScriptedVendor(vendor_answers) as vendor:
        app = impatient(make_app(VENDOR_URL=vendor.url))
        lot = buy(app, 10)
        operator = Desk(app, OPERATOR)
        token, pages = operator.token(), list[TestResponse]()
        sending = threading.Thread(target=lambda: pages.append(send(operator, token)))
        sending.start()
        assert called.wait(30)
        with trouble(database):
            answer.set()
            sending.join()

    said = said_on(pages[0])
    assert NOT_STORED in said
    assert "Do not submit again" in said
    assert NOT_SENT not in said
    assert len(vendor.received) == 1
    assert outcomes(app) == {("sending", "unknown", None): 1}
    assert give_up(app, utc_now() + LATER) == 1
    assert outcomes(app) == {("unknown", "unknown", "abandoned"): 1}
    assert lot_figures(app, lot) == (9, 1, 0)
    assert differences(app) == []


def test_an_outcome_is_tried_again_until_the_database_has_time_for_it(
    app: Flask, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "RECORD_PAUSES", (0.01, 0.01))
    lot = buy(impatient(app), 10)
    times = list[str]()
    writers = ExitStack()

    def vendor(_name: str, _number: str) -> Reply:
        writers.enter_context(another_writer(database))
        return MATCH

    def clock() -> datetime:
        times.append("asked")
        if len(times) == 3:  # the intent, the first try, and now the second
            writers.close()
        return utc_now()

    ask(app, PERSON, vendor, clock=clock)

    assert len(times) == 3
    assert outcomes(app) == {("match", "yes", None): 1}
    assert lot_figures(app, lot) == (9, 0, 1)


@TROUBLES
def test_a_call_whose_outcome_is_lost_is_told_apart_from_one_that_was_not_sent(
    app: Flask, database: str, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setattr(operations, "RECORD_PAUSES", ())
    impatient(app)
    with ExitStack() as during_the_call:

        def vendor(_name: str, _number: str) -> Reply:
            during_the_call.enter_context(trouble(database))
            return MATCH

        with pytest.raises(NotRecorded) as lost:
            ask(app, PERSON, vendor)

    assert lost.value.verification_id == 1
    assert outcomes(app) == {("sending", "unknown", None): 1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_replaced_file_is_noticed_before_anything_is_written_into_the_old_one(
    app: Flask, database: str, tmp_path: Path
) -> None:
    """A restore puts another file in place: what open connections still wrote into the old one would be lost."""
    live, backup = Path(database.removeprefix("sqlite:///")), tmp_path / "backup.db"
    operator = Desk(app, OPERATOR)
    with sqlite3.connect(live) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    target.close()
    source.close()
    operator.verify(*PERSON)
    for file in live.parent.glob("yuliang.db-*"):
        file.unlink()
    backup.rename(live)

    assert operator.get("/verifications/1").status_code == 404, "the restored database knows nothing of it"
    assert card_of(operator.verify(*somebody(2)).text) == ("no_such_number", "yes")
    assert outcomes(app) == {("no_such_number", "yes", None): 1}
    with sqlite3.connect(live) as restored:
        assert restored.execute("SELECT count(*) FROM verification").fetchone() == (1,)
    restored.close()
