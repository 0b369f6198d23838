"""What people, scripts and spreadsheets send to the desk: refused beside the field, no call spent, nothing stored."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import OPERATOR, Desk, Member, attribute, card_of
from tests.support.faults import fault_beside
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import Base, db
from webapp.foundation.instance import this_instance
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import identities

Open = Callable[[Member | None], Desk]
NAME, NUMBER = "张三", "11010519491231002X"
SOUND = {"name": NAME, "id_number": NUMBER, "purpose": "1", "consent": "yes", "reference": ""}
MEGABYTE = 1_000_000
GARBLED = b"\xed\xa0\x80"
"""Half of a surrogate pair, as no browser but any program can send it."""

BAD: list[tuple[str, str | bytes]] = [
    *(("name", text) for text in (
        "", " ", "\u3000\u3000", "\u200b\u200b", "\x00", "张\x00三", "张\n三", "张\r\n三", "张\t三", "\x1b[31m张三",
        "张\x7f三", "张\x85三", "张\u2028三", "😀", "张😀三", "👨\u200d👩\u200d👧", "★张三", "张" * 101, "张" * 10_000,
        "x" * MEGABYTE, " " * MEGABYTE, GARBLED, "张".encode() + GARBLED + "三".encode(), b"\xff\xfe",
    )),
    *(("id_number", text) for text in (
        "", " ", "\u200b", "0", NUMBER[:17], NUMBER + "1", NUMBER * 2, "1" * 17, "1" * 19, "A" * 18, "１" * 18,
        "110105194912310021", "11010519490231002X", "110105204912310025", "11010500000000002X", "110105194912310O2X",
        "11010519491231\x00002X", "\x00", "😀" * 18, "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨", "<b>11010519491231</b>", "1.10105E+17",
        "-" * 18, "1" * 10_000, "1" * MEGABYTE, "\u202e" * 200_000, GARBLED,
        NUMBER[:9].encode() + GARBLED + NUMBER[9:].encode(),
    )),
    *(("purpose", text) for text in (
        "", " ", "0", "2", "99", "-1", "1.0", "one", "1 OR 1=1", "\x00", "1\x00", "😀", "1" * MEGABYTE, GARBLED,
    )),
    *(("consent", text) for text in ("", "no", "false", "0", "\x00", "😀", "y" * MEGABYTE)),
    *(("reference", text) for text in (
        "x" * 81, "案" * 10_000, "x" * MEGABYTE, "\x00", "a\x00b", "a\nb", "a\tb", "\x1b[31m", "\x7f", "a\x85b",
    )),
]  # fmt: skip


def everything_stored(app: Flask) -> dict[str, str]:
    """Each table's rows as text."""
    with app.app_context():
        return {
            name: "\n".join(str(tuple(row)) for row in db.session.execute(select(table)))
            for name, table in Base.metadata.tables.items()
        }


def assert_nothing_was_spent_or_kept(app: Flask, sandbox: Sandbox) -> None:
    """No call, no verification, no trace of who was meant."""
    assert sandbox.counts().received == 0
    stored = everything_stored(app)
    for table in ("verification", "identity", "identity_index", "ledger_entry", "usage_delta", "usage_day"):
        assert stored[table] == "", f"{table} holds something"
    for table, rows in stored.items():
        for word in (NAME, NUMBER, NUMBER[:14], "张", "案"):
            assert word not in rows, f"{table} holds {word}"


def test_what_no_call_can_be_made_of_is_refused_beside_its_field(
    desk: Open, app: Flask, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    operator = desk(OPERATOR)
    token = operator.token()
    for field, text in BAD:
        with subtests.test(f"{field}={text[:20]!a} ({len(text)})"):
            body = urlencode({"csrf_token": token} | SOUND | {field: text})  # the test client would write b'' as text
            page = operator.client.post("/verify", data=body, content_type="application/x-www-form-urlencoded")

            assert page.status_code == 422
            assert fault_beside(page.text, field)
            assert [other for other in SOUND if other != field and fault_beside(page.text, other)] == []
            assert card_of(page.text) == ("blocked", "no")
    assert_nothing_was_spent_or_kept(app, sandbox)


def test_a_blocked_attempt_is_recorded_with_the_fields_at_fault_and_not_with_what_stood_in_them(
    desk: Open, app: Flask, sandbox: Sandbox
) -> None:
    desk(OPERATOR).verify(NAME, "110105194912310021", consent="", reference="案卷 42")

    with app.app_context():
        records = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.VERIFICATION_BLOCKED)).all()
        assert [(record.actor_id, record.success) for record in records] == [(OPERATOR.id, False)]
        assert records[0].detail == {"fields": "id_number consent"}
    assert_nothing_was_spent_or_kept(app, sandbox)


def test_a_field_that_is_missing_or_sent_twice_is_a_fault_beside_it(
    desk: Open, app: Flask, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    operator = desk(OPERATOR)
    token = operator.token()
    for field in ("name", "id_number", "purpose", "consent"):
        with subtests.test(f"without {field}"):
            data = {name: text for name, text in SOUND.items() if name != field}
            page = operator.client.post("/verify", data={"csrf_token": token} | data)
            assert page.status_code == 422
            assert fault_beside(page.text, field)
    for field, text in (SOUND | {"reference": "42"}).items():
        for second in (text, "1"):
            with subtests.test(f"{field} twice: {second}"):
                twice: dict[str, Any] = {"csrf_token": token} | SOUND | {field: [text, second]}
                page = operator.client.post("/verify", data=twice)
                assert page.status_code == 422
                assert fault_beside(page.text, field)
    assert_nothing_was_spent_or_kept(app, sandbox)


def test_a_body_that_is_no_form_is_refused(desk: Open, app: Flask, sandbox: Sandbox, subtests: pytest.Subtests) -> None:
    operator = desk(OPERATOR)
    header = {"X-CSRFToken": operator.token()}
    bodies: dict[str, dict[str, Any]] = {
        "JSON": {"json": SOUND},
        "JSON of odd types": {"json": {"name": {"a": 1}, "id_number": 110105194912310021, "purpose": None}},
        "a JSON array": {"json": [SOUND]},
        "broken JSON": {"data": "{", "content_type": "application/json"},
        "plain text": {"data": "name=x", "content_type": "text/plain"},
        "nothing": {"data": b""},
        "a file for the name": {"data": SOUND | {"name": (io.BytesIO(NAME.encode()), "name.txt")}},
        "garbage as multipart": {"data": b"\xff\xfe--", "content_type": "multipart/form-data; boundary=x"},
    }
    for name, body in bodies.items():
        with subtests.test(name):
            page = operator.client.post("/verify", headers=header, **body)
            assert page.status_code == 422
            assert fault_beside(page.text, "name")
    with subtests.test("a megabyte of Chinese, nine on its way"):
        page = operator.client.post("/verify", headers=header, data=SOUND | {"name": "张" * MEGABYTE})
        assert page.status_code == 422
        assert fault_beside(page.text, "name")
        assert attribute(control(page.text, "id_number"), "value") == SOUND["id_number"]
        assert len(page.data) < 200_000, "what nobody typed is not sent back"
    with subtests.test("twenty megabytes"):
        page = operator.client.post("/verify", headers=header, data=SOUND | {"name": "x" * 20 * MEGABYTE})
        assert page.status_code == 413
        assert page.headers["X-Request-Id"] in page.text
    with subtests.test("no CSRF token"):
        assert operator.client.post("/verify", data=SOUND).status_code == 400
    assert_nothing_was_spent_or_kept(app, sandbox)


def test_nothing_that_was_typed_is_lost_when_one_field_is_at_fault(desk: Open) -> None:
    page = desk(OPERATOR).verify(NAME, "110105194912310021", reference="案卷 42").text

    assert attribute(control(page, "name"), "value") == NAME
    assert attribute(control(page, "id_number"), "value") == "110105194912310021"
    assert attribute(control(page, "reference"), "value") == "案卷 42"
    assert "checked" in control(page, "consent")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'; DROP TABLE lot; --"]
)
def test_code_in_a_name_is_text_on_every_page(desk: Open, sandbox: Sandbox, name: str) -> None:
    operator = desk(OPERATOR)

    for page in (operator.verify(name, NUMBER).text, operator.verify(name, "1").text):
        assert name not in page
        assert html.escape(name) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert sandbox.counts().received == 1


def test_a_name_is_sent_as_the_register_writes_it_whatever_marks_came_with_it(
    desk: Open, app: Flask, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    operator = desk(OPERATOR)
    typed = [
        (" 张三 ", NUMBER), ("张\u3000三", NUMBER), ("\u202e张三\u202c", NUMBER), ("张\u200b三", NUMBER),
        (NAME, " 110105 19491231 002x "), (NAME, "\u202e1101051949\u200f1231002x"), (NAME, "110105-19491231-002X"),
        (NAME, "１１０１０５１９４９１２３１００２Ｘ"),
    ]  # fmt: skip
    for made, (name, number) in enumerate(typed, start=1):
        with subtests.test(f"{name!a} {number!a}"):
            page = operator.verify(name, number, again="yes")

            assert card_of(page.text) == ("match", "yes")
            with app.app_context():
                person = identities.open_person(made, this_instance().sealer)
                assert person is not None
                assert (person.name, person.number) == (NAME, NUMBER)
    assert sandbox.calls(NAME, NUMBER).received == len(typed)


def control(page: str, name: str) -> str:
    """The input called `name`."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert found is not None, f"no {name}"
    return found[0]
