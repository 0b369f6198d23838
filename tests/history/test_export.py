"""The history as a file: exactly the filtered rows, masked, inert in a spreadsheet, for each role what it may see."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.audit import subjects
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_streaming, export_views, totals
from webapp.history.export_files import FileFormat
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PERSON = Person("欧阳演练", "11010519491231002X", "业务-7788", "演练省", "演练市", "演练县", "19491231", "F", "76")
OUTCOMES = ("match", "mismatch", "unknown")
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def many(app: Flask) -> list[int]:
    """Twelve verifications of two operators, the newest last; the first of somebody who was erased."""
    with app.app_context(), transaction():
        return [
            store(NOW + timedelta(minutes=n), person=PERSON if n else None, operator_id=(OPERATOR, COLLEAGUE)[n % 2].id,
                  outcome=OUTCOMES[n % 3], request_id=f"={n}")[0]
            for n in range(12)
        ]  # fmt: skip


def rows_of(desk: Desk, query: str = "", kind: str = "csv") -> list[list[str]]:
    """The file's rows, its heading included."""
    answer = desk.get(f"/history/export?format={kind}&{query}", headers=ENGLISH)
    assert answer.status_code == 200
    if kind == "csv":
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


def numbers(rows: list[list[str]]) -> list[int]:
    return [int(row[0]) for row in rows[1:]]


def records(app: Flask, *actions: Action) -> list[AuditRecord]:
    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.action.in_(actions)).order_by(AuditRecord.id)
        return list(db.session.scalars(query))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_holds_the_filtered_rows_newest_first(desk: Open, many: list[int], kind: str) -> None:
    admin = desk(ADMIN)

    assert numbers(rows_of(admin, kind=kind)) == many[::-1]
    assert numbers(rows_of(admin, "outcome=mismatch", kind)) == many[1::3][::-1]
    assert numbers(rows_of(admin, f"operator={OPERATOR.id}&from=2026-11-02&to=2026-11-02", kind)) == many[::2][::-1]
    assert rows_of(admin, "to=2026-11-01", kind)[1:] == []


def test_both_kinds_of_file_say_the_same(desk: Open, many: list[int]) -> None:
    assert rows_of(desk(ADMIN), kind="csv") == rows_of(desk(ADMIN), kind="xlsx")


@on_one_database
def test_csv_begins_with_the_mark_by_which_spreadsheets_know_utf_8(desk: Open, many: list[int]) -> None:
    assert desk(ADMIN).get("/history/export?format=csv").data.startswith(b"\xef\xbb\xbf")


def test_a_row_says_what_the_history_says_in_the_readers_language(desk: Open, many: list[int]) -> None:
    heading, newest, *_more, erased = rows_of(desk(ADMIN))

    assert heading == [
        "Verification no.", "Time (Asia/Shanghai)", "Result", "Charge", "Cause", "Purpose", "Operator", "Department",
        "Source", "Vendor's request id", "Name", "ID number",
    ]  # fmt: skip
    assert newest[:3] == [str(many[-1]), "2026-11-02 12:11:00", "Unknown"]
    assert newest[6:] == [COLLEAGUE.name, "前台", "Desk", "'=11", "欧***", "1****************X"]
    assert erased[-2:] == ["erased", ""]
    chinese = desk(ADMIN).get("/history/export?format=csv", headers={"Accept-Language": "zh-CN"})
    assert "时间（Asia/Shanghai）" in chinese.data.decode()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_is_masked_for_everyone(desk: Open, many: list[int], kind: str) -> None:
    for member in (ADMIN, AUDITOR, OPERATOR, COLLEAGUE):
        text = str(rows_of(desk(member), kind=kind))
        assert "欧***" in text
        for secret in (PERSON.name, PERSON.number[:6], "1949", "002X", PERSON.reference, "演练"):
            assert secret not in text, f"{member.email} reads {secret}"


def test_operators_export_their_own_admins_and_auditors_all(desk: Open, many: list[int]) -> None:
    assert numbers(rows_of(desk(OPERATOR))) == many[::2][::-1]
    assert numbers(rows_of(desk(COLLEAGUE))) == many[1::2][::-1]
    assert numbers(rows_of(desk(AUDITOR))) == many[::-1]
    assert desk(OPERATOR).get(f"/history/export?format=csv&operator={COLLEAGUE.id}").status_code == 422


@on_one_database
def test_a_browser_takes_it_for_a_file_of_that_day_and_keeps_no_copy(desk: Open, many: list[int]) -> None:
    for kind, media in (("csv", "text/csv; charset=utf-8"), ("xlsx", "application/vnd.openxmlformats-officedocument"
                                                             ".spreadsheetml.sheet")):  # fmt: skip
        answer = desk(ADMIN).get(f"/history/export?format={kind}")

        assert len(answer.data) > 1000
        assert answer.headers["Content-Type"] == media
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="yuliang-history-20')


@on_one_database
def test_batches_join_without_a_gap_or_a_row_twice(
    desk: Open, app: Flask, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), transaction():
        many += store(*[NOW + timedelta(hours=1)] * 9, person=PERSON)  # at one instant
    for first, size in ((1, 1), (2, 3), (3, 3), (21, 21), (22, 5)):
        monkeypatch.setattr(export_streaming, "FIRST_ROWS", first)
        monkeypatch.setattr(export_streaming, "BATCH_ROWS", size)

        assert numbers(rows_of(desk(ADMIN))) == many[::-1]
        assert numbers(rows_of(desk(ADMIN), kind="xlsx")) == many[::-1]


FILTERS = st.fixed_dictionaries({}, optional={
    "outcome": st.sampled_from(OUTCOMES), "operator": st.sampled_from(["2", "3"]), "department": st.just("1"),
    "source": st.just("desk"), "purpose": st.just("1"), "from": st.sampled_from(["2026-11-01", "2026-11-02"]),
    "to": st.sampled_from(["2026-11-02", "2026-11-03"]), "province": st.sampled_from(["演练省", "示例省"]),
})  # fmt: skip


def test_a_file_holds_what_the_pages_of_the_same_filters_show(
    desk: Open, app: Flask, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_streaming, "FIRST_ROWS", 2)
    monkeypatch.setattr(export_streaming, "BATCH_ROWS", 3)
    other = Person("李演练", "440524188001010014", "", "示例省", "示例市")
    with app.app_context(), transaction():  # stored last, verified in between: searches and places go by number
        store(NOW + timedelta(minutes=3, seconds=30), NOW + timedelta(seconds=30), person=other)
        store(NOW + timedelta(minutes=5, seconds=30), person=PERSON, operator_id=COLLEAGUE.id)
    admin = desk(ADMIN)
    searches = ["", ""] + [(admin.post("/history", {"q": text}).location or "").partition("?")[2]
                           for text in ("欧阳", "李演练", "11010519491231002X", "没有此人")]  # fmt: skip

    @given(FILTERS, st.sampled_from(searches))
    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    def compare(filters: dict[str, str], search: str) -> None:
        query = "&".join([f"{name}={value}" for name, value in filters.items()] + [search] * bool(search))
        page = admin.get(f"/history?size=200&{query}").text
        assert numbers(rows_of(admin, query)) == [int(row) for row in re.findall(r'data-verification="(\d+)"', page)]

    compare()


def test_begin_and_end_of_a_file_are_recorded_with_filters_and_count(app: Flask, desk: Open, many: list[int]) -> None:
    rows_of(desk(AUDITOR), "outcome=match&from=2026-11-02")

    begun, sent = records(app, Action.HISTORY_EXPORTED, Action.EXPORT_SENT)
    assert (begun.actor_id, begun.detail) == (AUDITOR.id, {"format": "csv", "filters": "outcome=match from=2026-11-02"})
    assert (sent.actor_id, sent.success, sent.detail) == (AUDITOR.id, True, {"rows": 4})


def test_a_file_of_a_search_holds_what_was_found_and_is_recorded_by_its_fingerprint(
    app: Flask, desk: Open, many: list[int]
) -> None:
    with app.app_context(), transaction():
        [other] = store(NOW, person=Person("李演练", "440524188001010014"))
    admin = desk(ADMIN)
    found = admin.post("/history", {"q": "李演练"})
    handle = (found.location or "").partition("s=")[2]

    assert numbers(rows_of(admin, f"s={handle}")) == [other]

    [begun], meant = records(app, Action.HISTORY_EXPORTED), records(app, Action.PERSON_MEANT)
    told = [one for one in meant if one.detail["act"] == Action.HISTORY_EXPORTED]
    with app.app_context():
        assert subjects.fingerprint("beginning", "李演练", this_instance().keys) in {one.subject for one in told}
    assert (begun.subject, {one.request_id for one in told}) == (None, {""}), "nothing joins both"
    assert "李" not in str([one.detail for one in (begun, *told)])
    assert desk(AUDITOR).get(f"/history/export?format=csv&s={handle}").status_code == 422, "a search is its searcher's"


@on_one_database
def test_who_goes_away_half_way_has_seen_what_was_sent(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_streaming, "FIRST_ROWS", 5)
    answer = desk(ADMIN).client.get("/history/export?format=csv", buffered=False)
    next(iter(answer.response))
    answer.close()

    [sent] = records(app, Action.EXPORT_SENT)
    assert (sent.success, sent.detail) == (False, {"rows": 5})


@pytest.mark.parametrize("counted", [12, None], ids=["counted", "looked up"])
def test_more_rows_than_a_file_holds_is_said_and_what_to_do(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch, counted: int | None
) -> None:
    monkeypatch.setattr(totals, "total", lambda filters, *_: counted and (6 if filters.operator else counted))
    monkeypatch.setattr(export_views, "MOST", {FileFormat.CSV: 11, FileFormat.XLSX: 12})
    admin = desk(ADMIN)

    refused = admin.get("/history/export?format=csv", headers=ENGLISH)

    assert (refused.status_code, "Have the file prepared" in refused.text) == (422, True)
    assert len(rows_of(admin, kind="xlsx")) == 13
    assert len(rows_of(admin, f"operator={OPERATOR.id}")) == 7
    assert len(records(app, Action.HISTORY_EXPORTED)) == 2


def test_a_wrong_filter_or_kind_makes_no_file(desk: Open, many: list[int]) -> None:
    admin = desk(ADMIN)
    for query, status in (("format=csv&outcome=x", 422), ("format=csv&from=2026-02-30", 422), ("format=pdf", 400),
                          ("format=", 400), ("format=csv&operator=99999999999999999999", 422),
                          ("format=csv&from=2026-11-02&to=2026-11-01", 422), ("format=CSV", 400),
                          ("format=csv&s=%00", 422), ("s=%00", 422)):  # fmt: skip
        answer = admin.get(f"/history/export?{query}")

        assert answer.status_code == status, query
        assert "Content-Disposition" not in answer.headers


@on_one_database
def test_the_page_of_files_says_in_words_what_they_hold(desk: Open, many: list[int]) -> None:
    page = (
        desk(ADMIN).get(f"/history/export?outcome=match&operator={OPERATOR.id}&from=2026-11-02", headers=ENGLISH).text
    )

    assert OPERATOR.name in page
    assert "2026-11-02" in page
    assert "outcome=match&amp;operator=2&amp;from=2026-11-02&amp;format=csv" in page
    assert "Plaintext" in page
    assert "Plaintext" not in desk(OPERATOR).get("/history/export", headers=ENGLISH).text


@on_one_database
def test_the_history_leads_to_the_file_of_its_filters(desk: Open, many: list[int]) -> None:
    page: Any = desk(ADMIN).get("/history?outcome=match&from=2026-11-02").text

    assert 'href="/history/export?outcome=match&amp;from=2026-11-02"' in page
