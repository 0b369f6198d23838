"""Nothing personal and no secret leaves its seal: a whole day at the desk, then every byte that was kept is searched.

Planted are synthetic people, an AppCode and passwords. Searched are the database (every byte of the SQLite file and
its log, every table of PostgreSQL), all files of the instance, all logs, and all that pages say outside of the card
and the form that are there to show it.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import structlog
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from sqlalchemy import make_url, text
from werkzeug.test import TestResponse

from tests.configuration.rotating import rotate
from tests.notify.servers import Inbox, mail_server
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, PASSWORD, Desk
from tests.support.traces import Traces, files
from webapp.audit.trail import SYSTEM, Action, append
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_operations
from webapp.notify import sending
from webapp.persons.id_numbers import check_character
from webapp.scheduler import JOBS, run_job
from webapp.vendor.client import VendorClient
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations
from webapp.watching import logs

NUMBER, OTHERS_NUMBER = "100101199003080023", "440524188001010014"
"""Of nobody: a region that was never assigned, and the standard's own example."""
SECRETS = {
    "name": "陈小满",
    "another name": "欧阳\U00020bb7演示",
    "a name of two rare characters": "\U00021d2d\U0002a700",
    "a name that was not sent": "司徒未送",
    "number": NUMBER,
    "number without its check character": NUMBER[:17],
    "another number": OTHERS_NUMBER,
    "a mistyped number": "100101199003080024",
    "reference": "业务单-K7Q2-甲",
    "place": "演练省",
    "city": "演练市",
    "AppCode": "a7f3c9e1b5d24860secret0appcode00",
    "password": PASSWORD,
    "wrong password": "falsches-Pferd-8",
    "new password": "neues-Pferd-7",
}
APPCODE, REFERENCE = SECRETS["AppCode"], SECRETS["reference"]
SHOWN = re.compile(r"^/(verify|receipts/verify|verifications/\d+|reuses/\d+|sandbox)\b")
"""Pages that are there to show a person (or the sandbox's register) to those who may see."""


TRACES = Traces(SECRETS)
FORMS, found = TRACES.forms, TRACES.found_in


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that the product logs, at the most talkative level."""
    written = io.StringIO()
    quiet = [logging.getLogger(name) for name in ("urllib3", "werkzeug", "alembic", "sqlalchemy.engine")]
    levels = [logger.level for logger in quiet]
    with contextlib.redirect_stderr(written):
        logs.configure("DEBUG")
    for logger in quiet:
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(quiet, levels, strict=True):
        logger.setLevel(level)
    logs.configure("ERROR")


class Witness(FlaskClient):
    """A browser that remembers every answer."""

    answers: list[tuple[str, TestResponse]]

    def open(self, *args: Any, **options: Any) -> TestResponse:
        answer = super().open(*args, **options)
        self.answers += [(one.request.path, one) for one in (*answer.history, answer)]
        return answer


@pytest.fixture(autouse=True)
def nothing_left_over(request: pytest.FixtureRequest) -> None:
    """What other tests removed from a server's database still stands in its files, and they plant the same people."""
    if "postgresql" in request.node.name:
        url = make_url(request.getfixturevalue("database"))
        with psycopg.connect(
            host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
        ) as own:
            own.execute("VACUUM FULL")


@pytest.fixture
def app(logged: io.StringIO, make_app: Callable[..., Flask]) -> Flask:
    """The product, with browsers that remember; the AppCode is entered on its page."""
    app = make_app(APPCODE="")
    app.test_client_class = type("Remembering", (Witness,), {"answers": []})
    return app


def a_day_at_the_desk(app: Flask, sandbox: Sandbox) -> None:
    """Everything that goes well, and whatever can go wrong."""
    admin, operator, stranger = Desk(app, ADMIN), Desk(app, OPERATOR), Desk(app, None)
    admin.post("/settings", {"appcode": APPCODE})
    sandbox.change(appcode=APPCODE)
    admin.record_lot(100)
    for password in (SECRETS["wrong password"], PASSWORD):
        stranger.post("/login", {"email": OPERATOR.email, "password": password})
    said = operator.verify(SECRETS["name"], NUMBER, reference=REFERENCE)
    assert {"name", "place"} <= set(found(said.text)), "the card shows the person: the search does find"
    operator.verify(SECRETS["name"], NUMBER, reference=REFERENCE)  # reused
    operator.verify(SECRETS["another name"], NUMBER)  # a mismatch
    operator.verify(SECRETS["another name"], OTHERS_NUMBER)
    operator.verify(SECRETS["name"], SECRETS["a mistyped number"], reference=REFERENCE)  # blocked
    operator.verify(SECRETS["a name that was not sent"], "x" * 50)
    operator.verify(SECRETS["a name that was not sent"] + "\0", NUMBER)
    for magic in ("演练未知编码五", "演练重置已计次"):  # unexpected, unknown
        operator.verify(magic, OTHERS_NUMBER, reference=REFERENCE)
    receipt = operator.post("/verifications/1/receipt").location
    [printed] = re.findall("data-secret>([^<]+)", operator.get(f"{receipt}/print").text)
    for name in (SECRETS["name"], SECRETS["another name"], SECRETS["name"] + "\0"):
        entered = {"receipt_number": receipt.rpartition("/")[2], "name": name, "id_number": NUMBER, "secret": printed}
        Desk(app, None).post("/receipts/verify", entered)
    for member in (ADMIN, AUDITOR, OPERATOR, COLLEAGUE):
        desk = Desk(app, member)
        desk.get(receipt)
        for path in ("/", "/history", "/history?outcome=match", "/audit", "/quota", "/verifications/1", "/unknowns",
                     "/settings", "/users", f"/history?q={SECRETS['name']}", f"/verifications/{NUMBER}"):  # fmt: skip
            desk.get(path)
    stranger.get(f"/history?q={quote(SECRETS['name'])}")
    stranger.get(f"/{NUMBER}/{quote(SECRETS['name'])}")
    operator.post("/profile", {"current_password": SECRETS["wrong password"], "new_password": SECRETS["new password"]})
    operator.post("/profile", {"current_password": PASSWORD, "new_password": SECRETS["new password"]})


def trouble(app: Flask) -> None:
    """The vendor's code fails, the database fails: with a person in hand."""

    def broken(name: str, number: str) -> None:
        structlog.get_logger("yuliang.test").warning("in hand", name=name, text=f"{name} {number} APPCODE {APPCODE}")
        raise RuntimeError(f"cannot ask about {name}, {number}, {REFERENCE}")

    operator = Desk(app, COLLEAGUE)
    token = operator.token()
    asked = {"csrf_token": token, "name": SECRETS["name"], "id_number": OTHERS_NUMBER, "purpose": "1", "consent": "yes",
             "reference": REFERENCE}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VendorClient, "verify", lambda _self, name, number, **_given: broken(name, number))
        assert operator.client.post("/verify", data=asked).status_code == 500
        patch.setattr(operations, "begin", lambda *_given: broken(SECRETS["name"], NUMBER))
        assert operator.client.post("/verify", data=asked).status_code == 500
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text("ALTER TABLE identity RENAME TO away"))
        connection.commit()
        refused = operator.client.post("/verify", data=asked | {"id_number": "11010519491231002X"})
        assert refused.status_code == 503
        connection.execute(text("ALTER TABLE away RENAME TO identity"))
        connection.commit()


RARE, WHY = SECRETS["a name of two rare characters"], {"reason": "audit", "words": "case 2026-17", "password": PASSWORD}
OUTCOMES = ("演练开户名为空", "演练无此号码", "演练信息不匹配", "演练系统维护", "演练后端报错", "演练余量用尽")
"""The sandbox's names for what the desk's day above does not meet; the last stops all calls."""


def looking_back(app: Flask) -> Iterator[tuple[str, str]]:
    """All that is done with the history: what is sent to whom may not have it is told, to be searched."""
    admin, operator, auditor = Desk(app, ADMIN), Desk(app, COLLEAGUE), Desk(app, AUDITOR)
    operator.verify(RARE, NUMBER, reference=REFERENCE)
    for name in OUTCOMES:
        operator.verify(name, NUMBER, reference=REFERENCE)
    admin.post("/calls/let-through")
    for words in (RARE, SECRETS["name"], NUMBER, NUMBER[-4:], REFERENCE):
        address = admin.post("/history", {"q": words, "outcome": ""}).location
        assert "data-verification" in admin.get(address).text, "it was found"
        admin.post("/history/views", {"name": f"查 {words}", "shared_with": "auditor", "s": address.partition("s=")[2]})
        yield f"masked file of a search for {words[:1]}", admin.get(address.replace("?", "/export?format=csv&")).text
        sheet = admin.get(address.replace("?", "/export?format=xlsx&"))
        assert sheet.status_code == 200
        yield "masked sheet", "".join(unzipped(sheet.data))
    for view in re.findall(r"/history/views/(\d+)/open", auditor.get("/history/views").text):
        auditor.post(f"/history/views/{view}/open", follow_redirects=True)
    for format in ("csv", "xlsx"):
        asked = admin.post(f"/history/export?s={address.partition('s=')[2]}", {"format": format}).location
        plain = admin.post("/history/export", WHY | {"plain": "yes", "format": format}).location
        auditor.post(f"{plain}/decide", {"decision": "approve", "password": PASSWORD})
        with app.app_context():
            while export_operations.prepare_piece(this_instance(), utc_now()):
                pass
            yield "masked file of the background", "".join(texts_of(admin.post(f"{asked}/fetch").data))
        got = "".join(texts_of(admin.post(f"{plain}/fetch").data))
        assert {"name", "a name of two rare characters", "number"} <= set(found(got)), "what was asked for in plaintext"
    nonce = re.search(r'name="nonce"[^>]*value="([^"]+)"', auditor.get("/verifications/1/reveal").text)
    assert nonce is not None
    shown = auditor.post("/verifications/1/reveal", WHY | {"nonce": nonce[1]})
    assert "name" in found(shown.text)
    for asked_for in ({"name": RARE}, {"id_number": NUMBER}, {"name": SECRETS["name"], "id_number": NUMBER}):
        assert auditor.post("/audit/person", asked_for).status_code == 200
    yield "audit file", auditor.post("/audit/file").text
    for number in range(12):  # more numbers under one name than is decent: auditors get a notice
        operator.verify(RARE, f"{NUMBER[:14]}{number:03}{check_character(f'{NUMBER[:14]}{number:03}')}")
    yield "notices", "".join(re.findall(r'class="notice.*?</', auditor.get("/").text, re.DOTALL))
    for job in JOBS:
        run_job(app, job, "test")


def texts_of(file: bytes) -> list[str]:
    return unzipped(file) if file.startswith(b"PK") else [file.decode()]


def unzipped(sheet: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(sheet)) as files:
        return [files.read(name).decode() for name in files.namelist()]


def kept(app: Flask, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte that stays: files of the instance, and all tables where the database is a server."""
    with app.app_context():
        db.session.remove()
        yield from files(tmp_path)
        url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
        if url.drivername == "sqlite":
            db.engine.dispose()
            yield "the file once its log was written back", Path(str(url.database)).read_bytes()
        else:
            command = ["pg_dump", f"--host={url.query['host']}", f"--username={url.username}", str(url.database)]
            yield "pg_dump", subprocess.run(command, check=True, capture_output=True).stdout
            host = str(url.query["host"])
            with psycopg.connect(host=host, user=url.username, dbname=url.database, autocommit=True) as own:
                own.execute("CHECKPOINT")
                found_oid = own.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
            assert found_oid is not None
            base = Path(host) / "data" / "base" / str(found_oid[0])
            yield from ((f"the server's {path.name}", path.read_bytes()) for path in base.iterdir())


def mailed(inbox: Inbox) -> Iterator[tuple[str, bytes]]:
    """Every mail as a server took it, its subject, and each part as its reader sees it."""
    for address, mail in inbox.mails:
        yield address, mail.as_bytes()
        yield f"{address}, subject", str(mail["Subject"]).encode()
        for part in mail.walk():
            yield f"{address}, {part.get_content_type()}", part.get_payload(decode=True) or b""  # type: ignore[misc]


def in_the_servers_log(app: Flask) -> Iterator[tuple[str, bytes]]:
    """PostgreSQL's write-ahead log and its messages, which all tests share."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.drivername != "sqlite":
        log = Path(str(url.query["host"])) / "data" / "pg_wal"
        yield from ((path.name, path.read_bytes()) for path in log.iterdir() if path.is_file())
        yield "messages", (log.parent.parent / "log").read_bytes()


ALL_PLACES = re.compile(r'<select[^>]*name="(?:province|city)".*?</select>', re.DOTALL)
"""The filters that offer every place there is: nobody's in particular."""


def outside_the_card(path: str, answer: TestResponse) -> Iterator[tuple[str, str]]:
    """What an answer says where no person belongs: its headers, title and links; all of it on other pages."""
    yield f"headers of {path}", str([(name, text) for name, text in answer.headers if name != "Set-Cookie"])
    if answer.mimetype == "text/html":
        yield f"title of {path}", "".join(re.findall(r"<title>.*?</title>", answer.text, re.DOTALL))
        links = re.findall(r'(?:href|src|action|hx-\w+)="([^"]*)"', answer.text)
        yield f"links of {path}", " ".join(links)
        if not SHOWN.match(path) or answer.status_code not in (200, 409, 422):
            yield f"{answer.status_code} {path}", ALL_PLACES.sub("", answer.text)


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


def test_a_day_leaves_no_name_number_appcode_or_password_anywhere(
    app: Flask, sandbox: Sandbox, logged: io.StringIO, tmp_path: Path
) -> None:
    a_day_at_the_desk(app, sandbox)
    trouble(app)
    cookies = SecureCookieSessionInterface().get_signing_serializer(app)
    assert cookies is not None
    leaks = []

    storage = dict(kept(app, tmp_path))
    assert any(OPERATOR.email.encode() in content for content in storage.values()), "the database was looked into"
    leaks += [f"{place}: {name}" for place, content in storage.items() for name in found(content)]

    lines = [line for line in logged.getvalue().splitlines() if line]
    assert sum('"event": "request"' in line for line in lines) > 50
    assert any("cannot ask about" in line for line in lines), "the fault was logged"
    leaks += [f"log {line[:200]}: {name}" for line in lines for name in found(line)]

    answers = app.test_client_class.answers  # type: ignore[union-attr]
    assert {200, 303, 400, 404, 422, 500, 503} <= {answer.status_code for _path, answer in answers}
    typed = {f"/{NUMBER}/{SECRETS['name']}", f"/verifications/{NUMBER}"}
    for path, answer in answers:
        for place, said in outside_the_card("as typed" if path in typed else path, answer):
            leaks += [f"{place}: {name}" for name in found(said)]
        for value in re.findall(r"yuliang=([^;]+)", " ".join(answer.headers.getlist("Set-Cookie"))):
            leaks += [f"cookie of {path}: {name}" for name in found(json.dumps(cookies.loads(value), default=str))]

    assert sorted(set(leaks)) == []


def test_looking_back_leaves_nothing_either_nor_does_a_copy_nor_a_rotation_of_keys(
    make_app: Callable[..., Flask], sandbox: Sandbox, logged: io.StringIO, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "there is no such folder"))  # nothing may write there
    with mail_server() as inbox:
        app = make_app(APPCODE="", SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
        app.test_client_class = type("Remembering", (Witness,), {"answers": []})
        Desk(app, ADMIN).post("/reminders/recipients/me")
        Desk(app, ADMIN).post("/reminders/recipients", {"email": "boss@outside.test", "locale": "zh_CN"})
        Desk(app, ADMIN).record_lot(50, expires_on=f"{utc_now() + timedelta(days=5):%Y-%m-%d}")  # a reminder is due
        a_day_at_the_desk(app, sandbox)
        leaks = [f"{place}: {name}" for place, said in looking_back(app) for name in found(said)]
        with app.app_context():
            sending.drain(this_instance(), utc_now())
            db.session.remove()
    assert {"boss@outside.test", ADMIN.email} <= {address for address, _mail in inbox.mails}
    leaks += [f"mail to {place}: {name}" for place, said in mailed(inbox) for name in found(said)]
    with app.app_context():
        copy = schema.back_up(utc_now())
    rotate(app)

    storage = dict(kept(app, tmp_path))
    assert (copy is None) == ("pg_dump" in storage)
    assert copy is None or str(Path(copy).relative_to(tmp_path)) in storage
    leaks += [f"{place}: {name}" for place, content in storage.items() for name in found(content)]
    leaks += [f"log {line[:200]}: {name}" for line in logged.getvalue().splitlines() for name in found(line)]
    planted_here = {form for form in FORMS["a name of two rare characters"] if len(form) > 7}
    leaks += [f"log of the server, {place}" for place, content in in_the_servers_log(app)
              if any(form in content for form in planted_here)]  # fmt: skip
    for path, answer in app.test_client_class.answers:  # type: ignore[attr-defined]
        if path.startswith(("/history", "/audit", "/verifications")) and quote(NUMBER) not in path:
            said = [str([one for one in answer.headers if one[0] != "Set-Cookie"])]
            if answer.mimetype == "text/html":
                said += re.findall(r"<title>.*?</title>", answer.text, re.DOTALL)
                said += re.findall(r'(?:href|src|action|hx-\w+)="([^"]*)"', answer.text)
            leaks += [f"address or title of {path}: {name}" for one in said for name in found(one)]

    assert sorted(set(leaks)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["a name of two rare characters", "number", "reference"])
@pytest.mark.parametrize("write", [str, ascii, quote, lambda text: base64.b64encode(f"x{text}".encode()).decode(),
                                   lambda text: text.encode("utf-16-be").hex()])  # fmt: skip
def test_one_planted_leak_is_found_in_the_database_and_in_its_log(
    app: Flask, tmp_path: Path, name: str, write: Callable[[str], str]
) -> None:
    with app.app_context(), transaction():
        append(SYSTEM, Action.HISTORY_SEARCHED, utc_now(), words=write(SECRETS[name]))

    places = [place for place, content in kept(app, tmp_path) if name in found(content)]

    assert "the file once its log was written back" in places
    assert any(place.endswith(".db-wal") for place in places)
