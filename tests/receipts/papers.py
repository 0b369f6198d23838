"""What the tests of receipts do: ask, issue, erase, read a sheet, enter it again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import delete, select, text, update
from werkzeug.test import TestResponse

from tests.support.cast import OPERATOR, Desk
from webapp.audit.trail import AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.verification.models import Identity, IdentityIndex, Verification

ZHANG = ("张三", "11010519491231002X")
T = TypeVar("T")
ENGLISH = {"Accept-Language": "en"}


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a sheet that is needed to prove it."""

    number: str
    secret: str

    def entered(self, name: str = ZHANG[0], number: str = ZHANG[1], **change: str) -> dict[str, str]:
        """The fields of the public form."""
        fields = {"receipt_number": self.number, "name": name, "id_number": number, "secret": self.secret}
        return fields | change


def issue(desk: Desk, path: str = "/verifications/1") -> str:
    """Presses "Receipt" on the page of a result; the receipt's address."""
    answer = desk.post(f"{path}/receipt")
    assert answer.status_code == 303
    assert answer.location.startswith("/receipts/"), answer.location
    return str(answer.location)


def print_sheet(desk: Desk, address: str) -> Paper:
    """Opens the sheet to print and reads it."""
    page = desk.get(f"{address}/print")
    assert page.status_code == 200
    return Paper(address.rpartition("/")[2], secret_of(page.text) or "")


def paper_of(app: Flask, path: str = "/verifications/1") -> Paper:
    """The operator issues and prints."""
    desk = Desk(app, OPERATOR)
    return print_sheet(desk, issue(desk, path))


def secret_of(page: str) -> str | None:
    """The printed code of a sheet."""
    found = re.search(r"data-secret>([^<]+)<", page)
    return found[1] if found else None


def said(page: TestResponse) -> str:
    """What the content of a page says, in one line."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main.partition(">")[2])).split())


def answer_of(page: TestResponse) -> str | None:
    """What the public page answers: `true`, `not_confirmed`, …; None: nothing was compared."""
    found = re.search(r'data-proof="([a-z_]+)"', page.text)
    return found[1] if found else None


def prove(desk: Desk, fields: dict[str, str], **options: Any) -> TestResponse:
    """Sends the public form."""
    return desk.post("/receipts/verify", fields, headers=ENGLISH, **options)


def erase(app: Flask, verification_id: int = 1) -> None:
    """What purge and erasure do: identity and indexes go, whatever else there is."""
    with app.app_context(), transaction() as session:
        for model in (IdentityIndex, Identity):
            session.execute(delete(model).where(model.verification_id == verification_id))


def tamper(app: Flask, statement: str) -> None:
    """Somebody writes into the database past the product."""
    with app.app_context(), transaction() as session:
        session.execute(text(statement))


def records(app: Flask, action: str) -> list[AuditRecord]:
    """The trail's records of one action, oldest first."""
    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.action == action).order_by(AuditRecord.id)
        return list(db.session.scalars(query))


def with_instance(app: Flask, do: Callable[[Instance, datetime], T]) -> T:
    """Calls an operation in an app context of its own."""
    with app.app_context():
        return do(this_instance(), utc_now())


def change_outcome(app: Flask, outcome: str) -> None:
    """Turns the first verification's stored outcome into another, past the product."""
    with app.app_context(), transaction() as session:
        session.execute(update(Verification).where(Verification.id == 1).values(outcome=outcome))
