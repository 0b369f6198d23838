"""Every failure is a page of the product: what happened, whether a call was spent, what to do, the request's number."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.support.cast import ADMIN, AUDITOR, OPERATOR, PASSWORD, Desk
from tests.watching.outage import take_away
from webapp.foundation.database import db
from webapp.vendor.sandbox.server import Sandbox

MakeApp = Callable[..., Flask]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ENGLISH = {"Accept-Language": "en"}
NUMBER = "11010519491231002X"


def check(answer: TestResponse, status: int, *words: str) -> None:
    """An error page with its status, its words, and the number by which the log knows the request."""
    assert answer.status_code == status, answer.text[:2000]
    assert answer.mimetype == "text/html"
    assert f'<p class="error-status">{status}</p>' in answer.text
    number = answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", number)
    assert number in answer.text
    assert "Traceback" not in answer.text
    for word in words:
        assert word in answer.text, word


def execute(app: Flask, statement: str) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text(statement))
        connection.commit()


@on_one_database
def test_what_cannot_be_answered_is_said_on_a_page(app: Flask) -> None:
    admin, auditor, nobody = Desk(app, ADMIN), Desk(app, AUDITOR), Desk(app, None)

    check(admin.client.post("/quota/lots/new", data={}, headers=ENGLISH), 400, "no call was sent")
    check(admin.get("/history?q=x", headers=ENGLISH), 400, "never stands in an address")
    check(auditor.get("/verify", headers=ENGLISH), 403, "was recorded")
    check(admin.get("/verifications/99", headers=ENGLISH), 404)
    check(nobody.get("/no/such/page", headers=ENGLISH), 404)
    check(admin.post("/audit", {}, headers=ENGLISH), 405)
    check(admin.post("/users/new", {"name": "x" * 20_000_000}, headers=ENGLISH), 413, "too large")


@on_one_database
def test_what_a_page_says_is_in_the_readers_language(app: Flask) -> None:
    assert "返回首页" in Desk(app, None).get("/no/such/page", headers={"Accept-Language": "zh-CN"}).text
    assert "Back to the first page" in Desk(app, None).get("/no/such/page", headers=ENGLISH).text


@on_one_database
def test_a_page_that_takes_another_method_names_it(app: Flask) -> None:
    refused = Desk(app, ADMIN).client.delete("/audit")

    check(refused, 405)
    assert "GET" in refused.headers["Allow"]


@on_one_database
def test_odd_requests_never_break_the_product(app: Flask) -> None:
    client = Desk(app, ADMIN).client
    form = "application/x-www-form-urlencoded"
    paths = ["/%00", "/%ff%fe", "/..%2f..%2fetc/passwd", "/static/..%2f..%2fwsgi.py", "/" + "x" * 9000, "/users/٣",
             "/history?%ff=%fe&outcome=%ff", "//evil.example/", "/login/", "/Login"]  # fmt: skip
    headers = [{"Host": "evil example"}, {"Host": "a" * 300}, {"Host": "[::1"}, {"Host": ""}, {"Range": "bytes=9-1"},
               {"Accept-Language": "\x7f" * 500}, {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "\x00"},
               {"Cookie": "yuliang=\x01; yuliang=" + "x" * 5000}]  # fmt: skip
    bodies: list[tuple[bytes | str, str]] = [
        (b"\xff\xfe\x00", form), (b"%ff=%fe&email", form), ("&".join(f"a{n}=1" for n in range(5000)), form),
        (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"), (b"x", "multipart/form-data"),
        (b"{", "application/json"), (b"\x00" * 100, ""),
    ]  # fmt: skip
    odd: list[tuple[str, dict[str, Any]]] = [
        *((path, {}) for path in paths),
        *(("/", {"headers": one}) for one in headers),
        *(("/login", {"method": "POST", "data": data, "content_type": kind}) for data, kind in bodies),
        ("/login", {"method": "BREW"}),
    ]

    statuses = {(url[:30], str(options)[:60]): client.open(url, **options).status_code for url, options in odd}

    assert {case: status for case, status in statuses.items() if status >= 500} == {}


@on_one_database
def test_a_forged_host_does_not_come_back_in_a_page_or_a_redirect(app: Flask) -> None:
    for desk, url in ((Desk(app, None), "/quota"), (Desk(app, ADMIN), "/quota")):
        answer = desk.get(url, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

        assert "evil.example" not in answer.text + str(answer.headers)


@on_one_database
def test_a_fault_of_ours_is_a_page_that_tells_nothing_of_it(app: Flask) -> None:
    def broken() -> str:
        raise KeyError("张三 11010519491231002X")

    app.view_functions["quota.index"] = broken

    answer = Desk(app, ADMIN).get("/quota", headers=ENGLISH)

    check(answer, 500, "was recorded", "history before you repeat")
    assert "张三" not in answer.text
    assert NUMBER not in answer.text


def test_keys_that_are_not_the_databases_own_are_named_as_such(make_app: MakeApp) -> None:
    app = make_app(APPCODE="")
    Desk(app, ADMIN).post("/settings", {"appcode": "stored"})
    other = make_app(APPCODE="", DATA_KEYS="k1:" + "QUFB" * 10 + "QUE=")

    check(Desk(other, ADMIN).get("/settings", headers=ENGLISH), 500, "keys of this instance")


def test_without_a_database_every_page_says_so_and_no_call_is_sent(
    app: Flask, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    operator, nobody = Desk(app, OPERATOR), Desk(app, None)
    token, before = operator.token(), nobody.token()
    take_away(app, request)

    for path in ("/", "/history", "/verifications/1", "/quota", "/users"):
        check(operator.get(path, headers=ENGLISH), 503, "Try again in a minute")
    asked = {"csrf_token": token, "name": "张三", "id_number": NUMBER, "purpose": "1", "consent": "yes"}
    refused = operator.client.post("/verify", data=asked, headers=ENGLISH)
    check(refused, 503)
    assert "张三" not in refused.text
    log_in = {"csrf_token": before, "email": OPERATOR.email, "password": PASSWORD}
    check(nobody.client.post("/login", data=log_in, headers=ENGLISH), 503)
    assert sandbox.counts().received == 0


def test_a_busy_database_is_said_to_be_busy(database: str, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.foundation.database.BUSY_SECONDS", 1 if database.startswith("postgresql") else 0)
    app = make_app()
    admin = Desk(app, ADMIN)
    token = admin.token()
    with app.app_context(), db.engine.connect() as holder:
        holder.execution_options(writes=True)
        holder.execute(text("UPDATE lot SET held = held"))
        holder.execute(text("LOCK TABLE lot") if holder.dialect.name == "postgresql" else text("SELECT 1"))
        lot = {"csrf_token": token, "calls": "10", "bought_on": "2026-01-01"}

        check(admin.client.post("/quota/lots/new", data=lot, headers=ENGLISH), 503, "busy")
        holder.rollback()

    assert admin.record_lot(10).status_code == 200, "and afterwards all is well"


def test_a_table_that_is_missing_is_no_traceback(app: Flask) -> None:
    execute(app, "ALTER TABLE ledger_entry RENAME TO away")

    check(Desk(app, ADMIN).get("/quota", headers=ENGLISH), 503)
