"""Rows that nobody but a tamperer stores: times that are none, other kinds of values. They are shown, as not ours, on
the page and in its file, and keep nobody from paging on."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from tests.audit.test_audit_page import all_pages, lots, read
from tests.audit.trails import filled, seal, sql
from tests.support.cast import ADMIN, AUDITOR, NOW, Desk
from webapp.audit import heads, queries, views
from webapp.audit.queries import Place, Timeless
from webapp.audit.trail import SYSTEM, Action, append
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TIMES = {"sqlite": ["''", "'soon'", "7", "x'00ff'", "'2026-99-99 99:99:99.000000'", "CAST(x'ff' AS TEXT)",
                    "'2026-11-02 04:02:00'", "'-infinity'"],
         "postgresql": ["'infinity'", "'-infinity'", "'0044-03-15 00:00:00 BC'", "'12026-11-02 04:00:00'"]}  # fmt: skip
"""What can be stored as a time and is none, or is written otherwise."""


def write(app: Flask, many: int) -> None:
    with app.app_context(), transaction():
        for number in range(1, many + 1):
            append(SYSTEM, Action.LOT_RECORDED, NOW + timedelta(minutes=number), on=("lot", number))


def file_of(app: Flask) -> list[dict[str, str]]:
    answer = Desk(app, AUDITOR).post("/audit/file?action=lot_recorded", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def lots_of_pages(app: Flask) -> list[list[int]]:
    """The lots of each page, from the first to the last."""
    return [lots(page) for page in all_pages(Desk(app, AUDITOR))]


def kind_of(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


def test_a_record_without_a_time_is_shown_as_not_ours_on_the_page_and_in_the_file(app: Flask) -> None:
    write(app, 3)
    seal(app)
    for value in TIMES[kind_of(app)]:
        sql(app, f"UPDATE audit_record SET at = {value} WHERE object_id = 2 AND object_type = 'lot'")  # noqa: S608

        page = read(Desk(app, AUDITOR), "/audit?action=lot_recorded")
        assert sorted(lots(page)) == [1, 2, 3], value
        assert page.count(">not ours<") == 1, value
        rows = file_of(app)
        assert {row["Object"]: row["Proof"] for row in rows} == {"Lot 1": "", "Lot 2": "not ours", "Lot 3": ""}, value
        assert read(Desk(app, ADMIN), "/retention"), value
        assert Desk(app, AUDITOR).post("/audit/person", {"name": "王五"}).status_code == 200, value


def test_pages_lead_past_records_without_a_time_and_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 12
    write(app, many)
    for value in TIMES[kind_of(app)]:
        for size in (1, 2, 5):
            monkeypatch.setattr(views, "SIZE", size)
            sql(app, f"UPDATE audit_record SET at = {value} WHERE object_id IN (4, 5, 9) AND object_type = 'lot'")  # noqa: S608
            if "BC" in value:
                continue  # shown as of after Christ: a page may begin with the last one of the page before
            seen = lots_of_pages(app)
            assert sorted(number for page in seen for number in page) == list(range(1, many + 1)), (value, size)


def test_a_place_without_a_time_is_a_place(app: Flask) -> None:
    write(app, 5)
    with app.app_context():
        ids = list(db.session.scalars(text("SELECT id FROM audit_record WHERE action = 'lot_recorded' ORDER BY id")))
    auditor = Desk(app, AUDITOR)

    assert lots(read(auditor, f"/audit?action=lot_recorded&below=-{ids[2]}")) == [2, 1]
    assert lots(read(auditor, f"/audit?action=lot_recorded&above=-{ids[2]}")) == [5, 4]
    assert lots(read(auditor, "/audit?action=lot_recorded&below=-1")) == [5, 4, 3, 2, 1], "below a later record"
    assert lots(read(auditor, f"/audit?below=-{10**17}")) == [], "nobody stands there"
    assert (str(queries.read_place("-7")), queries.read_place("-7")) == ("-7", Timeless(7))
    assert isinstance(queries.read_place("7-7"), Place)


@on_sqlite
def test_whatever_else_stands_in_a_row_keeps_no_page_from_opening(app: Flask) -> None:
    write(app, 1)
    wrong = ["7", "'x'", "x'ff00'", "CAST(x'ff41' AS TEXT)", "9.5", "' '", "'=1+1'"]
    columns = ["actor_id", "actor", "object_id", "success", "address", "request_id", "detail", "subject", "shown",
               "stamp"]  # fmt: skip
    for column in columns:
        for value in wrong:
            with app.app_context():
                was = db.session.execute(
                    text(f"SELECT {column} FROM audit_record WHERE object_type = 'lot' LIMIT 1")  # noqa: S608
                ).scalar()
            sql(app, f"UPDATE audit_record SET {column} = {value} WHERE object_type = 'lot'")  # noqa: S608
            page = read(Desk(app, AUDITOR), "/audit?action=lot_recorded")
            assert len(re.findall(r'<th scope="row"', page)) == 1, (column, value)
            assert page.count(">not ours<") == 1, (column, value)
            assert {row["Proof"] for row in file_of(app)} == {"not ours"}, (column, value)
            sql(app, f"UPDATE audit_record SET {column} = :was WHERE object_type = 'lot'", was=was)  # noqa: S608
    assert "not ours" not in read(Desk(app, AUDITOR), "/audit?action=lot_recorded")


def test_a_segment_without_a_time_keeps_the_page_open_and_the_head_logged(app: Flask) -> None:
    filled(app, segments=1)
    value = "'soon'" if kind_of(app) == "sqlite" else "'infinity'"
    sql(app, f"UPDATE audit_segment SET sealed_at = {value}")  # noqa: S608

    assert "Sealed up to record" in read(Desk(app, AUDITOR), "/audit")
    with app.app_context():
        assert heads.log_head(this_instance().keys) is False
