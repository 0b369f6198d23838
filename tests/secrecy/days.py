"""What is done with the planted people: a day at the desk, its troubles, and whatever the history is used for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog
from flask import Flask
from sqlalchemy import text

from tests.secrecy.planted import (
    ALL_PLACES,
    APPCODE,
    NUMBER,
    OTHERS_NUMBER,
    REFERENCE,
    SECRETS,
    found,
    texts_of,
    unzipped,
)
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, PASSWORD, Desk
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.history import export_operations
from webapp.persons.id_numbers import check_character
from webapp.scheduler import JOBS, run_job
from webapp.vendor.client import VendorClient
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import operations


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


MISTYPED = (NUMBER[:17], f"{NUMBER[:17]}03", f"{NUMBER}-{NUMBER[:4]}", f"{RARE}{NUMBER}")
"""A number with a digit too few and too many, with something behind it, and glued to a name: as each a request id may
look, too."""


def _mistyped(admin: Desk, auditor: Desk, words: str) -> Iterator[tuple[str, str]]:
    """A search that means nobody: its page, the page of its file, the views, and what the second approver reads."""
    handle = admin.post("/history", {"q": words}).location.partition("s=")[2]
    assert admin.post("/history/views", {"name": "查", "shared_with": "auditor", "s": handle}).status_code == 303
    plain = admin.post(f"/history/export?s={handle}", WHY | {"plain": "yes", "format": "csv"}).location
    pages = [(admin, f"/history?s={handle}"), (admin, f"/history/export?s={handle}"), (auditor, plain),
             (admin, f"/history/views?s={handle}")]  # fmt: skip
    for desk, address in pages:
        page = desk.get(address)
        assert page.status_code == 200
        assert "data-verification" not in page.text
        yield f"{address} for {words[:1]}", ALL_PLACES.sub("", page.text)
    auditor.post(f"{plain}/decide", {"decision": "decline", "password": PASSWORD})


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
    for words in MISTYPED:
        yield from _mistyped(admin, auditor, words)
    for view in re.findall(r"/history/views/(\d+)/open", auditor.get("/history/views").text):
        auditor.post(f"/history/views/{view}/open", follow_redirects=True)
    for format in ("csv", "xlsx"):
        asked = admin.post(f"/history/export?s={address.partition('s=')[2]}", {"format": format}).location
        plain = admin.post("/history/export", WHY | {"plain": "yes", "format": format}).location
        auditor.post(f"{plain}/decide", {"decision": "approve", "confirm": "yes", "password": PASSWORD})
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
