"""Searching: the text is posted, kept sealed for who sent it, and never stands in an address, a page or the trail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.audit import subjects
from webapp.audit.trail import LISTED, SYSTEM, Action, AuditRecord, Who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import forget, redact_text
from webapp.history import search_operations
from webapp.history.search_models import StoredSearch
from webapp.receipts import operations as receipts
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER, REFERENCE = "欧阳演练", "11010519491231002X", "业务-7788"
OTHER = "440524188001010014"
REQUEST = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"
ENGLISH = {"Accept-Language": "en"}


def rows_of(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-verification="(\d+)"', page)]


def search(desk: Desk, text: str, **filters: str) -> TestResponse:
    return desk.post("/history", {"q": text} | filters, follow_redirects=True, headers=ENGLISH)


@pytest.fixture
def people(app: Flask) -> list[int]:
    """The person in question (twice, once by a colleague), a namesake, and somebody else."""
    with app.app_context(), transaction():
        return [
            *store(NOW, person=Person(NAME, NUMBER, REFERENCE, "广东省", "汕头市"), request_id=REQUEST),
            *store(
                NOW, person=Person(NAME, NUMBER, "", "广东省", "汕头市"), operator_id=COLLEAGUE.id, outcome="unknown"
            ),
            *store(NOW, person=Person("欧阳小满", OTHER, "", "广东", "广州市")),
            *store(NOW, person=Person("陈小满", OTHER, "2024", "北京市", "北京市")),
        ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (NAME, [1, 0]), ("欧阳", [2, 1, 0]), ("欧阳演", [1, 0]), ("阳演", []), ("欧", []), (NUMBER, [1, 0]),
        (NUMBER.lower(), [1, 0]), ("110105491231002", [1, 0]), ("1101 0519 4912 3100 2x", [1, 0]), ("002X", [1, 0]),
        ("0014", [3, 2]), ("2024", [3]), (REFERENCE, [0]), (REQUEST, [0]), (REQUEST.lower(), [0]), ("%", []),
        ("欧阳%", []), ("____", []), ("' OR 1=1 --", []), ("🙂", []),
    ],
)  # fmt: skip
def test_each_kind_of_text_finds_who_is_meant(desk: Open, people: list[int], text: str, found: list[int]) -> None:
    page = search(desk(ADMIN), text)

    assert page.status_code == 200
    assert rows_of(page.text) == [people[place] for place in found]


LONG, LONGER = "阿不都热依木·阿不都热合曼", "阿不都热依木·阿不都外力·演练"


@pytest.fixture
def long_names(app: Flask) -> list[int]:
    """Two people whose names share their first ten characters, and one who has no more than these."""
    with app.app_context(), transaction():
        return [row for name in (LONG, LONGER, LONG, LONG[:10], LONG[:11])
                for row in store(NOW, person=Person(name, NUMBER))]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LONG[:10], [4, 3, 2, 1, 0]), (LONG[:11], [4, 2, 0]), (LONG[:12], [2, 0]), (LONG, [2, 0]), (LONGER[:11], [1]),
        (LONGER[:13], [1]), (LONGER, [1]), (f"{LONG[:6]} {LONG[7:12]}", []), (LONG.replace("·", "．")[:12], [2, 0]),
        (f"{LONG}曼", []),
    ],
)  # fmt: skip
def test_a_name_longer_than_what_is_indexed_is_found_by_its_beginning(
    desk: Open, long_names: list[int], text: str, found: list[int]
) -> None:
    assert rows_of(search(desk(ADMIN), text).text) == [long_names[place] for place in found]


@on_one_database
def test_a_long_name_beyond_what_is_opened_is_found_as_a_whole(
    app: Flask, desk: Open, long_names: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.history.long_names.LOOKED_AT", 2)

    assert rows_of(search(desk(ADMIN), LONG[:12]).text) == [], "the two newest have other names"
    assert rows_of(search(desk(ADMIN), LONG).text) == [long_names[2], long_names[0]]


@on_one_database
def test_who_looked_for_somebody_by_more_than_ten_characters_is_told(
    app: Flask, desk: Open, long_names: list[int]
) -> None:
    search(desk(ADMIN), LONG[:12])

    page = desk(AUDITOR).post("/audit/person", {"name": LONG, "id_number": NUMBER}, headers=ENGLISH)

    assert "History searched" in page.text


def test_a_receipt_finds_its_verification(app: Flask, desk: Open, people: list[int]) -> None:
    with app.app_context():
        number = receipts.issue(people[0], SYSTEM, this_instance(), NOW)

    assert rows_of(search(desk(ADMIN), number).text) == [people[0]]
    assert rows_of(search(desk(OPERATOR), number.lower()).text) == [people[0]]
    assert rows_of(search(desk(COLLEAGUE), number).text) == [], "one's own only"


def test_a_search_and_filters_go_together_both_ways(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)

    page = search(admin, "欧阳", outcome="unknown", size="7")

    assert rows_of(page.text) == [people[1]]
    assert "outcome=unknown" in page.request.query_string.decode()
    assert "size=7" in page.request.query_string.decode()
    handle = page.request.args["s"]
    assert rows_of(admin.get(f"/history?s={handle}").text) == people[2::-1]
    assert rows_of(admin.get(f"/history?s={handle}&province=广东省&city=汕头市").text) == people[1::-1]
    assert rows_of(search(admin, "", outcome="unknown").text) == [people[1]], "an empty search is none"


def test_places_are_found_however_the_vendor_writes_them(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)

    assert rows_of(admin.get("/history?province=广东省").text) == people[2::-1]
    assert rows_of(admin.get("/history?province=广东省&city=汕头市").text) == people[1::-1]
    assert rows_of(admin.get("/history?province=北京市&city=北京市").text) == [people[3]]
    assert rows_of(admin.get("/history?province=湖南省").text) == []
    for wrong in ("city=汕头市", "province=湖南省&city=汕头市", "province=广东", "province=欧阳演练", "province=%25"):
        assert admin.get(f"/history?{wrong}").status_code == 422, wrong


def test_operators_find_their_own_only(desk: Open, people: list[int]) -> None:
    for text in (NAME, "欧阳", NUMBER, "002X"):
        assert people[1] not in rows_of(search(desk(OPERATOR), text).text)
        assert rows_of(search(desk(COLLEAGUE), text).text) == [people[1]]


def test_the_text_stands_in_no_address_no_page_and_nowhere_in_the_clear(
    app: Flask, desk: Open, people: list[int]
) -> None:
    admin = desk(ADMIN)
    for text in (NAME, NUMBER, REFERENCE):
        sent = admin.post("/history", {"q": text})

        assert (sent.status_code, (sent.location or "")[:11]) == (303, "/history?s=")
        assert re.fullmatch(r"[\w-]{22}", (sent.location or "")[11:])
        assert text not in admin.get(sent.location or "").text
    with app.app_context():
        kept = b"".join(db.session.scalars(select(StoredSearch.sealed)))
        said = repr([(one.detail, one.object_id) for one in db.session.scalars(select(AuditRecord))])
    for secret in (NAME, NUMBER, REFERENCE):
        assert secret.encode() not in kept
        assert secret not in said


def test_a_page_says_as_what_it_was_looked_for_and_lets_the_search_be_taken_off(desk: Open, people: list[int]) -> None:
    page = search(desk(ADMIN), "2024", outcome="match")

    assert "the last four of an ID number, a reference" in page.text
    assert "2***" in page.text
    assert 'href="/history?outcome=match"' in page.text


def test_a_search_and_each_look_at_it_are_recorded_by_kind_and_fingerprint(
    app: Flask, desk: Open, people: list[int]
) -> None:
    page = search(desk(AUDITOR), "2024")
    desk(AUDITOR).get("/history?s=" + page.request.args["s"])

    with app.app_context():
        told = Action.HISTORY_SEARCHED, Action.HISTORY_VIEWED, Action.PERSON_MEANT
        query = select(AuditRecord).where(AuditRecord.action.in_(told))
        records = db.session.scalars(query.order_by(AuditRecord.id)).all()
        keys = this_instance().keys
        by_kind = {kind: subjects.fingerprint(kind, "2024", keys) for kind in ("last4", "reference")}
    view = ["history_viewed", "person_meant", "person_meant"]
    assert [one.action for one in records] == ["history_searched"] * 2 + view * 2
    assert {one.actor_id for one in records} == {AUDITOR.id}
    about = [one for one in records if one.action != Action.HISTORY_VIEWED]
    assert {(one.detail["kind"], one.subject) for one in about} == set(by_kind.items())
    assert records[3].detail == {"kind": "last4", "act": "history_viewed", "found": True}
    assert records[2].detail == {"filters": "s", "rows": 1, LISTED: str(people[3])}


def test_no_record_holds_whom_a_search_meant_and_what_it_found_nor_joins_them(
    app: Flask, desk: Open, people: list[int]
) -> None:
    search(desk(AUDITOR), NAME)

    with app.app_context():
        records = db.session.scalars(select(AuditRecord)).all()
    held = [one for one in records if one.shown is not None]
    meant = [one for one in records if one.subject is not None]
    apart = [one for one in meant if one.action == Action.PERSON_MEANT]
    assert (len(held), len(meant), len(apart)) == (1, 4, 2)
    assert not {one.id for one in held} & {one.id for one in meant}
    assert not {one.request_id for one in held} & {one.request_id for one in meant}
    assert {(one.at.microsecond, one.request_id) for one in apart} == {(0, "")}
    assert all("rows" not in one.detail and LISTED not in one.detail and one.object_id is None for one in meant)


def test_a_handle_is_ones_own_and_expires(app: Flask, desk: Open, people: list[int]) -> None:
    handle = search(desk(ADMIN), NAME).request.args["s"]
    assert rows_of(desk(ADMIN).get(f"/history?s={handle}").text)
    auditor = desk(AUDITOR)
    foreign = auditor.get(f"/history?s={handle}", headers=ENGLISH)
    unknown = auditor.get("/history?s=" + "A" * 22, headers=ENGLISH)
    assert (foreign.status_code, rows_of(foreign.text)) == (422, [])
    assert "expired, or it is not yours" in foreign.text
    hide = 'data-left="[0-9]+"|[0-9a-f]{32}|s=[\\w-]{22}|csrf_token" value="[^"]+'
    assert re.sub(hide, "", foreign.text) == re.sub(hide, "", unknown.text), "nothing tells that it exists"

    with app.app_context():
        assert search_operations.forget_expired(utc_now()) is False
        with transaction() as session:
            session.execute(update(StoredSearch).values(expires_at=utc_now() - timedelta(seconds=1)))
        assert desk(ADMIN).get(f"/history?s={handle}").status_code == 422
        search_operations.forget_expired(utc_now())
        assert db.session.scalars(select(StoredSearch)).all() == []


@pytest.mark.parametrize("text", ["x" * 101, "x" * 5_000, "甲" * 101, "a\0b", "张\n三", "\x1b[31m", "\ud800"])
def test_what_nothing_can_look_like_is_said_beside_the_box(desk: Open, people: list[int], text: str) -> None:
    page = search(desk(ADMIN), text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), outcome="match")

    if "\ud800" not in text:
        assert (page.status_code, rows_of(page.text)) == (422, [])
        assert 'id="q-error"' in page.text
        assert '<option selected value="match">' in page.text, "the filters stay"
    assert page.status_code in (200, 422)


def test_broken_handles_and_unknown_filters_get_a_clear_answer(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    for odd in ("x", "\0", "张三", "..", "%00", "x" * 5_000, "' OR 1=1 --", "%"):
        page = admin.get("/history", query_string={"s": odd})
        assert (page.status_code, rows_of(page.text)) == (422, []), odd[:20]
        for path in ("/history/export", "/history/views"):
            assert admin.get(path, query_string={"s": odd}).status_code in (200, 422), (path, odd[:20])
    assert admin.get("/history?s=a&s=b").status_code == 422
    page = admin.get(
        "/history", query_string={"outcom": "match", "<b>": "1", "x" * 5_000: "", "张三": "2"}, headers=ENGLISH
    )
    assert page.status_code == 200
    assert "Not a filter, so not looked at: outcom, &lt;b&gt;, " + "x" * 40 + ", 张三." in page.text


def test_a_form_that_was_made_up_is_answered_plainly(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    for sent in ({}, {"q": ""}, {"outcome": "moon"}, {"q": "张三", "outcome": "x" * 5_000},
                 {"q": "张三", "from": "2026-02-30"},
                 {"q": "张三", "s": "x", "after": "y"}):  # fmt: skip
        page = admin.post("/history", sent, follow_redirects=True)
        assert page.status_code in (200, 422), sent
    twice = admin.client.post("/history", data={"csrf_token": admin.token(), "q": ["a1", "b2"]})
    assert twice.status_code == 422


@on_one_database
def test_no_log_line_of_a_request_that_searches_shows_for_whom(app: Flask, people: list[int]) -> None:
    who, now = Who(ADMIN.id, ADMIN.name), utc_now()
    with app.app_context():
        forget()
        handle = search_operations.search(NAME, who, this_instance(), now)
        assert NAME not in redact_text(f"a fault with {NAME}")

        forget()
        assert search_operations.text_of(handle, ADMIN.id, this_instance(), now) == NAME
        assert NAME not in redact_text(f"a fault with {NAME}")
        forget()
