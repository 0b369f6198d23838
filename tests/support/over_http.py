"""The product over real HTTP: an app behind a real server, and a visitor with a cookie jar."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from flask import Flask
from werkzeug.serving import make_server

from tests.support.cast import PASSWORD, Member

PATIENT = 60.0
"""Seconds for one answer."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of a server that answers with `app`, a thread for each request."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Visitor:
    """Somebody's browser; `copy` is another tab of it."""

    def __init__(self, address: str, session: requests.Session | None = None) -> None:
        self.address = address
        self.session = session or requests.Session()
        self.csrf = ""

    def log_in(self, email: str, password: str = PASSWORD) -> Visitor:
        """Logs in by the form, as people do."""
        fields = {"csrf_token": field(self.get("/login").text, "csrf_token"), "email": email, "password": password}
        answer = self.session.post(f"{self.address}/login", fields, timeout=PATIENT, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        self.csrf = field(self.get("/profile").text, "csrf_token")
        return self

    def copy(self) -> Visitor:
        """The same log-in with connections of its own, for a thread of its own."""
        session = requests.Session()
        session.cookies.update(self.session.cookies)
        tab = Visitor(self.address, session)
        tab.csrf = self.csrf
        return tab

    def get(self, path: str) -> requests.Response:
        """One page."""
        return self.session.get(f"{self.address}{path}", timeout=PATIENT)

    def post(self, path: str, fields: dict[str, str]) -> requests.Response:
        """One form, and the page it leads to."""
        return self.session.post(f"{self.address}{path}", {"csrf_token": self.csrf} | fields, timeout=PATIENT)

    def verify(self, name: str, number: str, **fields: str) -> requests.Response:
        """Submits the desk's form."""
        data = {"name": name, "id_number": number, "purpose": "1", "consent": "yes", "reference": ""}
        return self.post("/verify", data | fields)


def visit(address: str, member: Member) -> Visitor:
    """A member of the cast, logged in."""
    return Visitor(address).log_in(member.email)


def field(page: str, name: str) -> str:
    """The value of a form's hidden field."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, f"no {name}"
    return found[1]
