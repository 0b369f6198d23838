"""What is planted, and where every byte of it is looked for: synthetic people, an AppCode, passwords.

Looked into are the database (every byte of the SQLite file and its log; every table of PostgreSQL and its files), all
files of the instance, all logs, and all that pages say outside of the card and the form that are there to show it.
"""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from tests.notify.servers import Inbox
from tests.support.cast import PASSWORD
from tests.support.traces import Traces, files
from webapp.foundation.database import db

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
SHOWN = re.compile(
    r"^/(verify|receipts/verify|verifications/\d+|reuses/\d+|sandbox|rights|retention/holds|audit/person)\b"
)
"""Pages that are there to show a person (or the sandbox's register) to those who may see, or a form that was sent."""

TRACES = Traces(SECRETS)
FORMS, found, leaks = TRACES.forms, TRACES.found_in, TRACES.leaks


class Witness(FlaskClient):
    """A browser that remembers every answer."""

    answers: list[tuple[str, TestResponse]]

    def open(self, *args: Any, **options: Any) -> TestResponse:
        answer = super().open(*args, **options)
        self.answers += [(one.request.path, one) for one in (*answer.history, answer)]
        return answer


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
