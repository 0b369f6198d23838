"""Nothing personal and no secret leaves its seal: a whole day at the desk, then every byte that was kept is searched.

Planted are synthetic people, an AppCode and passwords. Searched are the database (every byte of the SQLite file and
its log, every table of PostgreSQL), all files of the instance, all logs, and all that pages say outside of the card
and the form that are there to show it.
"""

from __future__ import annotations

import base64
import contextlib
import html
import io
import json
import logging
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from sqlalchemy import make_url, text
from werkzeug.test import TestResponse

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, PASSWORD, Desk
from webapp.foundation.database import db
from webapp.vendor.client import VendorClient
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations
from webapp.watching import logs

NUMBER, OTHERS_NUMBER = "100101199003080023", "440524188001010014"
"""Of nobody: a region that was never assigned, and the standard's own example."""
SECRETS = {
    "name": "陈小满",
    "another name": "欧阳\U00020bb7演示",
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


def forms(secret: str) -> set[bytes]:
    """Every way in which the secret could stand somewhere, in small letters."""
    utf8 = secret.encode()
    written = {
        *(secret, secret[::-1], utf8.decode("latin-1"), quote(secret), quote(secret, safe=""), quote_plus(secret)),
        *(
            json.dumps(secret)[1:-1],
            json.dumps(secret).replace("\\", "\\\\")[1:-1],
            ascii(secret)[1:-1],
            repr(utf8)[2:-1],
        ),
        *(utf8.hex(), base64.b64encode(utf8).decode().rstrip("="), base64.urlsafe_b64encode(utf8).decode().rstrip("=")),
        *(html.escape(secret), "".join(f"&#{ord(character)};" for character in secret)),
    }
    encoded = {utf8, secret.encode("gb18030"), secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    return {form.lower() for form in {text.encode() for text in written} | encoded}


FORMS = {name: forms(secret) for name, secret in SECRETS.items()}


def found(kept: bytes | str) -> list[str]:
    """Names of the secrets that stand in it, in whichever form."""
    where = (kept.encode("utf-8", "surrogatepass") if isinstance(kept, str) else kept).lower()
    return [name for name, written in FORMS.items() if any(form in where for form in written)]


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


def kept(app: Flask, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte that stays: files of the instance, and all tables where the database is a server."""
    with app.app_context():
        db.session.remove()
        yield from (
            (str(path.relative_to(tmp_path)), path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()
        )
        url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
        if url.drivername == "sqlite":
            db.engine.dispose()
            yield "the file once its log was written back", Path(str(url.database)).read_bytes()
        else:
            command = ["pg_dump", f"--host={url.query['host']}", f"--username={url.username}", str(url.database)]
            yield "pg_dump", subprocess.run(command, check=True, capture_output=True).stdout


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
