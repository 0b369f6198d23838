"""The standing cast of the tests: who they are, how they log in, and a client that behaves like their browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from webapp.accounts.models import Role
from webapp.accounts.operations import Profile, create_user
from webapp.accounts.sessions import begin
from webapp.audit.trail import SYSTEM
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction

PASSWORD = "correct-horse-9"


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast; `id` is the user's row in every test database."""

    id: int
    email: str
    name: str
    role: Role
    department: str = ""


ADMIN = Member(1, "admin@yuliang.test", "甲管理", Role.ADMIN)
OPERATOR = Member(2, "operator@yuliang.test", "乙核验", Role.OPERATOR, "前台")
COLLEAGUE = Member(3, "colleague@yuliang.test", "丙同事", Role.OPERATOR, "后台")
AUDITOR = Member(4, "auditor@yuliang.test", "丁审计", Role.AUDITOR)
CAST = (ADMIN, OPERATOR, COLLEAGUE, AUDITOR)
NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
"""An ordinary Monday noon in the reporting zone, for tests that hand the time in."""


def hire() -> None:
    """Makes the cast in an empty, migrated database."""
    for member in CAST:
        with transaction():
            profile = Profile(member.name, member.email, member.role, member.department)
            assert create_user(profile, PASSWORD, SYSTEM, utc_now()).id == member.id


class Desk:
    """A member's browser: logged in, with the CSRF token in every form it posts."""

    def __init__(self, app: Flask, member: Member | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.member = member
        if member is not None:
            with app.app_context():
                token = begin(member.id, utc_now())
                db.session.remove()
            with self.client.session_transaction() as session:
                session["token"] = token
                session["_user_id"] = str(member.id)
                session["_fresh"] = True
                session["active_at"] = int(utc_now().timestamp())

    def get(self, url: str, **options: Any) -> TestResponse:
        """GET, not following redirects unless told."""
        return self.client.get(url, **options)

    def post(self, url: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """POST with a valid CSRF token."""
        return self.client.post(url, data={"csrf_token": self.token(), **(data or {})}, **options)

    def token(self) -> str:
        """The CSRF token that stands in the forms of this browser's pages."""
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", token_hex(20))
        return str(URLSafeTimedSerializer(self.client.application.secret_key or "", salt="wtf-csrf-token").dumps(raw))

    def verify(self, name: str, id_number: str, **fields: str) -> TestResponse:
        """Submits the desk form with consent and the first purpose."""
        data = {"name": name, "id_number": id_number, "purpose": "1", "consent": "yes", "reference": ""} | fields
        return self.post("/verify", data, follow_redirects=True)

    def record_lot(self, calls: int = 1000, **fields: str) -> TestResponse:
        """Submits the lot form."""
        data = {"calls": str(calls), "bought_on": "2026-01-01", "expires_on": "2099-12-31", "price": "30"} | fields
        return self.post("/quota/lots/new", data, follow_redirects=True)


def card_of(page: str) -> tuple[str, str]:
    """(`data-outcome`, `data-billed`) of the one result card of a page."""
    cards = re.findall(r"<section[^>]*data-result[^>]*>", page)
    assert len(cards) == 1, f"{len(cards)} result cards"
    return attribute(cards[0], "data-outcome"), attribute(cards[0], "data-billed")


def attribute(html: str, name: str) -> str:
    """The value of the first attribute called `name`."""
    found = re.search(rf'{name}="([^"]*)"', html)
    assert found is not None, f"no {name}"
    return found[1]
