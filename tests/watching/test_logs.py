"""Logs: one JSON object a line, each with the number of its request, none with an address, a name or a number."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from tests.support.cast import ADMIN, OPERATOR, Desk
from webapp.foundation.redaction import conceal, forget
from webapp.watching import logs
from webapp.watching.gunicorn_log import Log

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER = "张三丰", "11010519491231002X"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(app: Flask) -> Iterator[Lines]:
    """What was logged since the last look, line by line, configured as the product does it."""
    written = io.StringIO()
    with contextlib.redirect_stderr(written):
        logs.configure()

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    forget()
    logs.configure("ERROR")


def test_a_request_is_one_line_with_its_number_page_and_status(app: Flask, lines: Lines) -> None:
    answer = Desk(app, ADMIN).get("/history?outcome=match")

    (line,) = lines()
    assert line["event"] == "request"
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["page"], line["status"], line["level"]) == ("GET", "history.index", 200, "info")
    assert line["ms"] >= 0
    assert line["timestamp"].endswith("Z")
    assert "outcome=match" not in json.dumps(line)


def test_every_request_has_a_number_of_its_own(app: Flask, lines: Lines) -> None:
    desk = Desk(app, ADMIN)
    numbers = [desk.get("/quota").headers["X-Request-Id"] for _ in range(5)]

    assert len(set(numbers)) == 5
    assert [line["request_id"] for line in lines()] == numbers
    forged = desk.get("/quota", headers={"X-Request-Id": "forged-line"}).headers["X-Request-Id"]
    assert forged.isalnum()


def test_health_checks_and_files_are_not_logged(app: Flask, lines: Lines) -> None:
    client = app.test_client()
    client.get("/healthz")
    client.get("/static/favicon.svg").close()

    assert lines() == []


def test_a_page_that_is_not_there_is_logged_without_its_address(app: Flask, lines: Lines) -> None:
    app.test_client().get(f"/{NAME}/{NUMBER}")

    (line,) = lines()
    assert (line["page"], line["status"]) == ("–", 404)
    assert NAME not in json.dumps(line, ensure_ascii=False)
    assert NUMBER not in json.dumps(line)


def test_a_fault_is_logged_with_its_trace_number_and_nobodys_name(app: Flask, lines: Lines) -> None:
    def broken() -> str:
        conceal(NAME)
        structlog.get_logger("yuliang.test").warning("before", who=NAME, note=f"for {NAME}")
        raise RuntimeError(f"cannot verify {NAME} {NUMBER}")

    app.view_functions["quota.index"] = broken

    answer = Desk(app, OPERATOR).get("/quota")

    before, fault, request = lines()
    assert {line["request_id"] for line in (before, fault, request)} == {answer.headers["X-Request-Id"]}
    assert fault["level"] == "error"
    assert "RuntimeError" in fault["exception"]
    assert "cannot verify" in fault["exception"]
    whole = json.dumps([before, fault, request], ensure_ascii=False)
    assert NAME not in whole
    assert NUMBER not in whole


def test_what_libraries_log_goes_the_same_way(app: Flask, lines: Lines) -> None:
    with app.test_request_context():
        conceal(NAME)
        logging.getLogger("urllib3.connectionpool").warning("Retrying %s for %s", NUMBER, NAME)
        logging.getLogger("sqlalchemy.pool").error("APPCODE %s", "0123456789abcdef0123456789abcdef")
        logging.getLogger("urllib3").info("quiet")

    first, second = lines()
    assert (first["logger"], first["level"], first["event"]) == (
        "urllib3.connectionpool",
        "warning",
        "Retrying … for …",
    )
    assert second["event"] == "APPCODE …"


def test_a_concealed_word_of_one_request_is_forgotten_in_the_next(app: Flask, lines: Lines) -> None:
    def told() -> str:
        structlog.get_logger("yuliang.test").info("told", note="王小明")
        return "ok"

    def concealing() -> str:
        conceal("王小明")
        return told()

    app.view_functions["quota.index"] = concealing
    app.view_functions["history.index"] = told
    desk = Desk(app, ADMIN)
    desk.get("/quota")
    desk.get("/history")

    assert [line["note"] for line in lines() if line["event"] == "told"] == ["…", "王小明"]


def test_gunicorn_speaks_through_the_same_log(app: Flask, lines: Lines) -> None:
    from gunicorn.config import Config

    Log(Config()).error("Error handling request /%s", NUMBER)

    (line,) = lines()
    assert (line["logger"], line["level"]) == ("gunicorn.error", "error")
    assert NUMBER not in json.dumps(line)
