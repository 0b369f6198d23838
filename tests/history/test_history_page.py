"""The history as its people read it: masked, filtered, in pages; whatever stands in the address is answered plainly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.audit.showing import runs
from webapp.audit.trail import LISTED, Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER, REFERENCE = "欧阳演练", "11010519491231002X", "业务-7788"


def rows_of(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-verification="(\d+)"', page)]


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a [^>]*href="([^"]+)" rel="{rel}"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.fixture
def many(app: Flask) -> list[int]:
    """Twelve verifications of two operators, the newest last."""
    with app.app_context(), transaction():
        return [
            store(NOW + timedelta(minutes=n), person=Person(NAME, NUMBER, REFERENCE, "演练省", "演练市"),
                  operator_id=(OPERATOR, COLLEAGUE)[n % 2].id, outcome=("match", "mismatch", "unknown")[n % 3])[0]
            for n in range(12)
        ]  # fmt: skip


def test_links_lead_through_all_pages_and_back_with_the_filters_kept(desk: Open, many: list[int]) -> None:
    admin, seen = desk(ADMIN), []
    url: str | None = "/history?size=5&from=2026-11-02&to=2026-11-02"
    while url:
        page = admin.get(url).text
        seen.append(rows_of(page))
        last, url = url, link(page, "next")
        assert "from=2026-11-02" in last
        assert "size=5" in last
        assert len(seen) < 10, "the pages do not end"

    assert [row for rows in seen for row in rows] == many[::-1]
    assert [len(rows) for rows in seen] == [5, 5, 2]
    newer = link(admin.get(last).text, "prev")
    assert newer
    assert rows_of(admin.get(newer).text) == seen[1]


def test_each_filter_of_the_address_is_obeyed(desk: Open, many: list[int]) -> None:
    admin = desk(ADMIN)
    third = [row for n, row in enumerate(many) if n % 3 == 1][::-1]
    colleagues = [row for n, row in enumerate(many) if n % 2 == 1][::-1]

    assert rows_of(admin.get("/history?outcome=mismatch").text) == third
    assert rows_of(admin.get(f"/history?operator={COLLEAGUE.id}").text) == colleagues
    assert rows_of(admin.get("/history?outcome=mismatch&operator=3&department=1&source=desk&purpose=1").text) == [
        row for row in third if row in colleagues
    ]
    assert rows_of(admin.get("/history?to=2026-11-01").text) == []
    assert rows_of(admin.get("/history?from=2026-11-03").text) == []
    assert rows_of(admin.get("/history?outcome=&operator=&from=&to=&size=").text) == many[::-1]


def test_a_name_and_a_number_are_masked_for_everyone(desk: Open, many: list[int]) -> None:
    for member in (ADMIN, AUDITOR, OPERATOR, COLLEAGUE):
        page = desk(member).get("/history").text

        assert rows_of(page)
        assert "欧" in page
        for secret in (NAME, NUMBER, NUMBER[:14], "1949", REFERENCE):
            assert secret not in page, f"{member.email} reads {secret}"
        table = page.split("<tbody>")[1].split("</tbody>")[0]
        assert "演练" not in table, "neither province nor city beside a masked number"


def test_operators_see_their_own_admins_and_auditors_all(desk: Open, many: list[int]) -> None:
    assert rows_of(desk(OPERATOR).get("/history").text) == many[::-1][1::2]
    assert rows_of(desk(COLLEAGUE).get("/history").text) == many[::-1][::2]
    assert rows_of(desk(AUDITOR).get("/history").text) == many[::-1]
    assert desk(OPERATOR).get(f"/history?operator={COLLEAGUE.id}").status_code == 422


def test_one_who_was_erased_is_still_a_fact(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction():
        (row,) = store(NOW)

    assert rows_of(desk(ADMIN).get("/history").text) == [row]


def test_a_search_text_in_the_address_is_refused_and_not_repeated(desk: Open, many: list[int]) -> None:
    for query in (NAME, NUMBER, ""):
        page = desk(ADMIN).get("/history", query_string={"q": query})

        assert page.status_code == 400
        assert rows_of(page.text) == []
        assert not query or query not in page.text
    sent = desk(None).get("/history", query_string={"q": NUMBER, "outcome": "match"})
    assert (sent.status_code, sent.location) == (303, "/login?next=/history")


def test_a_wrong_filter_is_said_and_shows_nothing(desk: Open, many: list[int]) -> None:
    admin = desk(ADMIN)
    wrong = [
        ("outcome", "MATCH"), ("outcome", "blocked"), ("outcome", "x" * 5000), ("outcome", "\0"), ("outcome", "📛"),
        ("operator", "99"), ("operator", "0x1"), ("operator", "\0"), ("department", "-1"), ("source", "moon"),
        ("purpose", "1.0"), ("purpose", "9" * 400), ("from", "2026-13-01"), ("from", "yesterday"), ("from", "\0"),
        ("from", "1999-12-31"), ("from", "9999-12-31"), ("to", "0001-01-01"), ("to", "2101-01-01"), ("size", "0"),
        ("size", "201"), ("size", "-5"), ("size", "ten"), ("size", "9" * 5000), ("size", "1e2"),
    ]  # fmt: skip
    for name, value in wrong:
        page = admin.get("/history", query_string={name: value})

        assert (page.status_code, rows_of(page.text)) == (422, []), f"{name}={value[:20]!r}"
        assert 'aria-invalid="true"' in page.text
    assert admin.get("/history?from=2026-11-02&to=2026-11-01").status_code == 422
    assert admin.get("/history?outcome=match&outcome=mismatch").status_code == 422


def test_no_cursor_breaks_the_page(desk: Open, many: list[int]) -> None:
    admin = desk(ADMIN)
    odd = ["x", "\0", "%00", "张三", "W10", "e30", "WzEsMiwzLDRd", "bnVsbA", "MQ", "WzEsMCwwXQ", "x" * 5000, "=", "..",
           "WzEsMWUzMDAsMV0", "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5LDFd", "W251bGwsbnVsbCxudWxsXQ"]  # fmt: skip

    statuses = {text: admin.get("/history", query_string={"after": text}).status_code for text in odd}

    assert set(statuses.values()) == {400}, statuses
    assert rows_of(admin.get("/history?after=").text) == many[::-1]
    assert rows_of(admin.get("/history?after=WzEsMSwxXQ").text) == [], "a place before all rows"


def test_what_nobody_asked_for_is_not_looked_at(desk: Open, many: list[int]) -> None:
    page = desk(ADMIN).get("/history?utm_source=x&page=7&after=&<script>=1")

    assert rows_of(page.text) == many[::-1]
    assert "<script>=" not in page.text


def test_a_look_is_recorded_with_the_filters_names_only(app: Flask, desk: Open, many: list[int]) -> None:
    desk(AUDITOR).get("/history?outcome=mismatch&from=2026-11-02&size=3")

    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.action == Action.HISTORY_VIEWED)
        record = db.session.scalars(query).one()
        shown = record.detail.pop(LISTED)
        assert (record.actor_id, record.detail) == (AUDITOR.id, {"filters": "outcome from", "rows": 3})
        assert sum(last - first + 1 for first, last in runs(shown)) == 3


@on_one_database
def test_a_filter_in_force_can_be_taken_away(desk: Open, many: list[int]) -> None:
    page = desk(ADMIN).get("/history?outcome=mismatch&purpose=1").text

    assert 'href="/history?purpose=1"' in page
    assert 'href="/history?outcome=mismatch"' in page


@on_one_database
def test_an_empty_history_says_what_to_do_next(desk: Open) -> None:
    assert "/verify" in desk(OPERATOR).get("/history").text.split("<main")[1]
