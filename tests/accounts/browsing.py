"""What the tests of accounts do in a browser: log in by the form, copy a cookie, read what is said beside a field."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.cast import OPERATOR, PASSWORD, Desk, Member

ENGLISH = {"Accept-Language": "en"}
COOKIE = "yuliang"


def log_in(browser: Desk, email: str = OPERATOR.email, password: str = PASSWORD, **options: Any) -> TestResponse:
    """Sends the log-in form."""
    url = options.pop("url", "/login")
    csrf = csrf_in(browser.get("/login").text)
    sent = {"csrf_token": csrf, "email": email, "password": password}
    return browser.client.post(url, data=sent, headers=ENGLISH, **options)


def csrf_in(page: str) -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def stranger(app: Flask, address: str = "127.0.0.1") -> Desk:
    """The browser of somebody who is not logged in, at this address."""
    browser = Desk(app, None)
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


def logged_in(app: Flask, member: Member = OPERATOR) -> Desk:
    """The browser of a member who logged in by the form."""
    browser = Desk(app, None)
    assert log_in(browser, member.email).status_code == 303
    browser.member = member
    return browser


def cookie(browser: Desk) -> str:
    """The session cookie as it is sent."""
    found = browser.client.get_cookie(COOKIE)
    assert found is not None
    return found.value


def with_cookie(app: Flask, value: str) -> Desk:
    """Another browser that holds this cookie."""
    browser = Desk(app, None)
    browser.client.set_cookie(COOKIE, value)
    return browser


def is_in(browser: Desk) -> bool:
    """Whether the first page opens (or sends to the log-in)."""
    answer = browser.get("/")
    assert (answer.status_code, answer.location) in ((200, None), (303, "/login"))
    return answer.status_code == 200


def said_beside(page: TestResponse, field: str) -> str:
    """The error shown beside a field; empty where there is none."""
    found = re.search(rf'id="{field}-error"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""
