"""The trail's filters and its file: exactly what the filters leave, whatever stands in it, and recorded."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.audit.trails import heads, seal
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.audit import queries
from webapp.audit.queries import NOBODY, Filters
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EVIL = '=HYPERLINK("x"),\n\'@\'"张'


@pytest.fixture
def filled(app: Flask) -> Flask:
    """Records of three people and the product, good and bad, over some days; several at each instant."""
    actors = [Who(one.id, one.name, "192.0.2.7", f"r{one.id}") for one in (OPERATOR, COLLEAGUE, ADMIN)] + [SYSTEM]
    with app.app_context(), transaction():
        for number in range(120):
            action = (Action.VERIFICATION_VIEWED, Action.LOGIN, Action.LOGIN_FAILED)[number % 3]
            on = ("verification", number % 7 + 1) if number % 3 == 0 else ("user", number % 5 + 1)
            at = NOW + timedelta(hours=number // 4)
            note = EVIL if number == 50 else number
            append(actors[number % 4], action, at, on=on, success=number % 3 != 2, note=note)
    return app


def fetched(desk: Desk, query: str = "") -> list[list[str]]:
    """The lines of the file, in English."""
    answer = desk.post(f"/audit/file{query}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def expected(app: Flask, keep: object) -> list[int]:
    """The numbers of the records that a plain filter keeps, newest first."""
    with app.app_context():
        every = db.session.scalars(select(AuditRecord)).all()
        found = [record for record in every if keep(record)]  # type: ignore[operator]
        return [record.id for record in sorted(found, key=lambda one: (one.at, one.id), reverse=True)]


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        (Filters(actor=OPERATOR.id), lambda one: one.actor_id == OPERATOR.id),
        (Filters(actor=NOBODY), lambda one: one.actor_id is None),
        (Filters(action="login", actor=COLLEAGUE.id),
         lambda one: (one.action, one.actor_id) == ("login", COLLEAGUE.id)),
        (Filters(object_type="verification", object_id=3),
         lambda one: (one.object_type, one.object_id) == ("verification", 3)),
        (Filters(success=False), lambda one: not one.success),
        (Filters(success=False, action="login_failed", actor=ADMIN.id),
         lambda one: (one.action, one.actor_id) == ("login_failed", ADMIN.id)),
        (Filters(success=False, actor=NOBODY), lambda one: not one.success and one.actor_id is None),
        (Filters(success=True, object_type="user", object_id=2),
         lambda one: one.success and (one.object_type, one.object_id) == ("user", 2)),
        (Filters(first=NOW.date(), last=NOW.date(), success=False),
         lambda one: not one.success and NOW <= one.at < NOW + timedelta(hours=12)),
    ],
)  # fmt: skip
def test_pages_and_file_are_what_a_plain_filter_keeps(filled: Flask, filters: Filters, keep: object) -> None:
    wanted = expected(filled, keep)
    with filled.app_context():
        conditions = filters.conditions(this_instance().settings.zone)
        down = [page := queries.page(conditions, 7)]
        while page.older:
            down.append(page := queries.page(conditions, 7, below=page.older))
        up = [page]
        while page.newer:
            up.append(page := queries.page(conditions, 7, above=page.newer))
        all_of_them = [record.id for record in queries.every(conditions)]

    assert [record.id for page in down for record in page.records] == wanted != []
    assert [[record.id for record in page.records] for page in up[::-1]] == [[r.id for r in p.records] for p in down]
    assert all_of_them == wanted


def test_the_address_says_the_filters(filled: Flask) -> None:
    auditor = Desk(filled, AUDITOR)

    chosen = fetched(auditor, f"?actor={COLLEAGUE.id}&action=login&success=yes")
    one = fetched(auditor, "?object=verification&number=3")

    assert {(line[2], line[5], line[7]) for line in chosen[1:]} == {(COLLEAGUE.name, "login", "yes")}
    assert {line[6] for line in one[1:]} == {"Verification 3"}
    assert 'value="2">' + OPERATOR.name in auditor.get("/audit").text, "whoever acted can be chosen"
    for wrong in ("actor=99", "actor=x", "success=maybe", "object=verification", "number=3", "object=user&number=0",
                  "object=nothing&number=1", "object=user&number=1e3", f"object=user&number={10**30}"):  # fmt: skip
        assert auditor.get(f"/audit?{wrong}").status_code == 422, wrong
        assert auditor.post(f"/audit/file?{wrong}").status_code == 400, wrong


@on_one_database
def test_the_file_reads_back_as_it_was_and_calculates_nothing(filled: Flask) -> None:
    lines = fetched(Desk(filled, ADMIN), "?from=2026-11-01&to=2026-11-10")

    assert lines[0][:3] == ["Record", "Time (Asia/Shanghai)", "Who"]
    assert len(lines) == 121
    assert lines[-1][1] == "2026-11-02 12:00:00"
    [evil] = [line for line in lines if "HYPERLINK" in line[10]]
    assert evil[10] == f"note {EVIL}"
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]


@on_one_database
def test_names_that_spreadsheets_would_calculate_are_quoted(app: Flask) -> None:
    with app.app_context(), transaction():
        append(Who(None, "=1+1", "+49"), Action.LOGIN, NOW)

    [_head, line] = fetched(Desk(app, ADMIN), "?to=2026-11-10&action=login")

    assert (line[2], line[8]) == ("'=1+1", "'+49")


@on_one_database
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_file_of_many_pages_holds_each_record_once(filled: Flask, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(queries, "CHUNK", size)

    lines = fetched(Desk(filled, ADMIN), "?to=2026-11-30")

    assert [int(line[0]) for line in lines[1:]] == expected(filled, lambda one: one.at < NOW + timedelta(days=60))


@pytest.mark.parametrize("reader", [ADMIN, AUDITOR])
def test_who_takes_the_file_is_recorded_with_the_filters(filled: Flask, reader: Member) -> None:
    fetched(Desk(filled, reader), "?action=login&below=7-7")

    with filled.app_context():
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record is not None
        assert (record.action, record.actor_id) == (Action.AUDIT_EXPORTED, reader.id)
        assert record.detail == {"filters": "action=login"}


@on_one_database
def test_the_page_shows_the_head_and_says_since_when_records_wait(filled: Flask) -> None:
    admin, english = Desk(filled, ADMIN), {"Accept-Language": "en"}
    assert "Nothing is sealed yet" in admin.get("/audit", headers=english).text
    seal(filled)
    page = admin.get("/audit", headers=english).text
    assert heads(filled)[-1] in page
    assert "is a worker running?" not in page

    seal(filled)
    with filled.app_context(), transaction():
        append(SYSTEM, Action.LOGIN, LONG_AGO)

    assert "Records since 2020-01-01 08:00:00 are not sealed" in admin.get("/audit", headers=english).text
