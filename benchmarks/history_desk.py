"""An admin at the history: pages and searches as their browser asks for them."""

from __future__ import annotations

import re

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from benchmarks.history_peers import Record
from tests.support.cast import ADMIN, Desk
from webapp.foundation.database import db


class Reader:
    """Logged in, with the token of a form at hand."""

    def __init__(self, app: Flask) -> None:
        self.app, self._desk = app, Desk(app, ADMIN)
        self._token = self._desk.token()

    def first(self) -> TestResponse:
        """The newest verifications."""
        return self.get("/history")

    def get(self, address: str, **filters: str) -> TestResponse:
        """A page, whole."""
        answer = self._desk.get(address, query_string=filters or None)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        return answer

    def stream(self, address: str) -> TestResponse:
        """An answer of which only the first piece is there."""
        return self._desk.get(address, buffered=False)

    def handle(self, text: str) -> str:
        """Sends a search; what it is found under."""
        answer = self._desk.client.post("/history", data={"csrf_token": self._token, "q": text})
        found = re.search(r"[?&]s=([^&]+)", answer.headers.get("Location", ""))
        if found is None:
            raise RuntimeError(f"the search answered {answer.status_code}")
        return found[1]

    def search(self, text: str) -> None:
        """Sends a search and opens its page, which must show somebody."""
        if "data-verification" not in self.get("/history", s=self.handle(text)).text:
            raise RuntimeError("nobody was found")

    def numbers(self, many: int) -> list[str]:
        """ID numbers of people from all over the history."""
        with self.app.app_context():
            last = db.session.scalar(select(func.max(Record.id))) or 0
            step = max(last // (many + 1), 1)
            wanted = select(Record.number).where(Record.id.in_([last - step * one for one in range(1, many + 1)]))
            return list(db.session.scalars(wanted))
