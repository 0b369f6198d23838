"""Recording a lot: what the form takes, and what it refuses beside the field with nothing stored."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member, attribute
from tests.support.faults import fault_beside
from tests.support.waiting import together
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db
from webapp.quota.models import LedgerEntry, Lot

Open = Callable[[Member | None], Desk]
SOUND = {"calls": "1000", "bought_on": "2026-01-01", "expires_on": "", "price": "", "order_number": ""}
MEGABYTE = "1" * 1_000_000

BAD = [
    *(("calls", text) for text in (
        "", " ", "0", "-1", "-1000", "1.5", "1,00", "1,5", "1e3", "0x10", "一千",
        "¥1000", "1 00", "+", "NaN", "Infinity", "true",
        "1000000001", "9" * 30, "10\x00", "\x00", "😀", "<b>1</b>", MEGABYTE,
    )),
    *(("bought_on", text) for text in (
        "", "2026-02-29", "2026-13-01", "2026-00-10", "01.02.2026", "01/02/2026", "1/2/26", "26-01-01", "2026-01/01",
        "2026年13月1日", "2026年1月", "202601011", "2026101", "2026-1-1x", "tomorrow", "1999-12-31", "2101-01-01",
        "0001-01-01", "9999-12-31", "12026-01-01", "-2026-01-01", "2026-01-01T00:00", "2026-01-01\x00", "\x00", "😀",
        MEGABYTE,
    )),
    *(("expires_on", text) for text in (
        "2025-12-31", "1999-12-31", "2101-01-01", "9999-12-31", "2026-02-29", "31.12.2026", "2026/02/30", "\x00",
        MEGABYTE,
    )),
    *(("price", text) for text in (
        "-1", "-0.01", "1.005", "0.001", "1,5", "1.000.00", "$30", "30次", "abc", "NaN", "sNaN", "Infinity",
        "-Infinity", "1e400", "1e-9", "10000000.01", "9" * 40, "\x00", "😀", MEGABYTE,
    )),
    *(("order_number", text) for text in (
        "x" * 81, "\x00", "a\x00b", "a\nb", "a\tb", "\x1b[31m", "\x7f", "a\x85b", MEGABYTE,
    )),
]  # fmt: skip


def stored(app: Flask) -> tuple[int, int]:
    """(lots, ledger entries)"""
    with app.app_context():
        lots = db.session.scalar(select(func.count()).select_from(Lot))
        return lots or 0, db.session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


def test_a_lot_is_recorded_as_it_was_typed(desk: Open, app: Flask) -> None:
    page = desk(ADMIN).record_lot(
        10_000, bought_on="2026-03-01", expires_on="2027-04-02", price="289.5", order_number=" A-1 "
    )

    assert page.status_code == 200
    assert attribute(page.text, "data-lot") == "1"
    with app.app_context():
        lot = db.session.get_one(Lot, 1)
        assert (lot.calls, lot.available, lot.price_fen, lot.order_number) == (10_000, 10_000, 28_950, "A-1")
        assert (lot.bought_on, lot.expires_on, lot.recorded_by) == (date(2026, 3, 1), date(2027, 4, 2), ADMIN.id)
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.LOT_RECORDED)).one()
        assert (record.actor_id, record.object_id, record.detail["calls"]) == (ADMIN.id, lot.id, 10_000)


@pytest.mark.parametrize(("bought_on", "expires_on"), [("2026-05-06", "2027-05-06"), ("2028-02-29", "2029-02-28")])
def test_a_lot_without_an_expiry_is_valid_for_a_year(desk: Open, app: Flask, bought_on: str, expires_on: str) -> None:
    desk(ADMIN).record_lot(500, bought_on=bought_on, expires_on="", price="", ahead="yes")

    with app.app_context():
        lot = db.session.get_one(Lot, 1)
        assert (lot.expires_on, lot.price_fen) == (date.fromisoformat(expires_on), None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23",
        "2026/11/23",
        "2026.11.23",
        "20261123",
        "2026年11月23日",
        "2026年11月23",
        " 2026-11-23 ",
        "２０２６－１１－２３",
    ],
)
def test_a_day_may_be_written_in_any_way_that_can_be_read_only_one_way(desk: Open, app: Flask, text: str) -> None:
    assert desk(ADMIN).post("/quota/lots/new", SOUND | {"bought_on": text, "expires_on": ""}).status_code == 303

    with app.app_context():
        assert db.session.get_one(Lot, 1).bought_on == date(2026, 11, 23)


def test_what_to_type_is_said_where_a_day_can_be_read_in_two_ways(desk: Open) -> None:
    page = desk(ADMIN).post("/quota/lots/new", SOUND | {"bought_on": "11/12/2026"}, headers={"Accept-Language": "en"})

    assert "2026-11-23" in fault_beside(page.text, "bought_on")


def test_an_order_number_that_another_lot_has_is_asked_about_first(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    order = SOUND | {"order_number": "A-1"}
    assert admin.post("/quota/lots/new", order).status_code == 303

    asked = admin.post("/quota/lots/new", order | {"calls": "77", "order_number": " A-1 "})
    assert asked.status_code == 422
    assert fault_beside(asked.text, "order_number")
    assert 'value="77"' in asked.text, "what was typed is still there"
    assert stored(app) == (1, 1)

    assert admin.post("/quota/lots/new", order | {"again": "yes"}).status_code == 303
    assert stored(app) == (2, 2)


def test_figures_may_be_written_as_pages_and_spreadsheets_show_them(desk: Open, app: Flask) -> None:
    assert desk(ADMIN).post("/quota/lots/new", SOUND | {"calls": "１,000", "price": "¥3,100.00"}).status_code == 303

    with app.app_context():
        lot = db.session.get_one(Lot, 1)
        assert (lot.calls, lot.price_fen) == (1000, 310_000)


@pytest.mark.parametrize("text", ["many", "0", "1000000001", "1.5", " "])
def test_of_a_number_one_thing_is_said(desk: Open, text: str) -> None:
    page = desk(ADMIN).post("/quota/lots/new", SOUND | {"calls": text}, headers={"Accept-Language": "en"})

    assert fault_beside(page.text, "calls").strip() in (
        "Enter a whole number.",
        "Enter a whole number from 1 to 1,000,000,000.",
    )


@pytest.mark.parametrize("text", ["a1", "Ａ1", " ａ１ ", "A1"])
def test_width_and_case_make_no_other_order_number(desk: Open, app: Flask, text: str) -> None:
    admin = desk(ADMIN)
    assert admin.post("/quota/lots/new", SOUND | {"order_number": "A1"}).status_code == 303

    asked = admin.post("/quota/lots/new", SOUND | {"order_number": text})

    assert (asked.status_code, stored(app)) == (422, (1, 1))
    assert fault_beside(asked.text, "order_number")


def test_lots_without_an_order_number_are_never_asked_about(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    assert [admin.post("/quota/lots/new", SOUND).status_code for _ in range(2)] == [303, 303]
    assert 'name="again"' not in admin.get("/quota/lots/new").text
    assert stored(app) == (2, 2)


def test_of_two_who_record_the_same_order_at_once_one_is_asked(app: Flask) -> None:
    def record() -> None:
        desk = Desk(app, ADMIN)
        answers.append(desk.post("/quota/lots/new", SOUND | {"order_number": "A-1"}).status_code)

    answers: list[int] = []
    together(record, record, record)

    assert sorted(answers) == [303, 422, 422]
    assert stored(app) == (1, 1)


def test_what_the_fields_just_allow_is_recorded(desk: Open, app: Flask, subtests: pytest.Subtests) -> None:
    admin = desk(ADMIN)
    edges = [
        {"calls": "1"}, {"calls": "1000000000"}, {"calls": " 7 "}, {"price": "0"}, {"price": "0.01"},
        {"price": "30.10"}, {"price": "10000000"}, {"price": "030.0"}, {"bought_on": "2000-01-01"},
        {"expires_on": "2026-01-01"}, {"expires_on": "2100-12-31"}, {"order_number": "单" * 80},
    ]  # fmt: skip
    for number, edge in enumerate(edges, start=1):
        with subtests.test(str(edge)[:40]):
            assert admin.post("/quota/lots/new", SOUND | edge).status_code == 303
            assert stored(app) == (number, number)


def test_what_no_lot_can_be_is_refused_beside_its_field_and_nothing_is_stored(
    desk: Open, app: Flask, subtests: pytest.Subtests
) -> None:
    admin = desk(ADMIN)
    token = admin.token()
    for field, text in BAD:
        with subtests.test(f"{field}={text[:30]!a}"):
            page = admin.client.post("/quota/lots/new", data={"csrf_token": token} | SOUND | {field: text})

            assert page.status_code == 422
            assert fault_beside(page.text, field)
            others = set(SOUND) - {field} - ({"expires_on"} if field == "bought_on" else set())
            assert [other for other in others if fault_beside(page.text, other)] == []
    assert stored(app) == (0, 0)


def test_a_missing_or_repeated_field_is_a_fault_beside_it(desk: Open, app: Flask, subtests: pytest.Subtests) -> None:
    admin = desk(ADMIN)
    token = admin.token()
    for field in ("calls", "bought_on"):
        with subtests.test(f"without {field}"):
            data = {name: text for name, text in SOUND.items() if name != field}
            page = admin.client.post("/quota/lots/new", data={"csrf_token": token} | data)
            assert page.status_code == 422
            assert fault_beside(page.text, field)
    for field, text in (SOUND | {"expires_on": "2027-01-01", "price": "3", "order_number": "A"}).items():
        with subtests.test(f"{field} twice"):
            page = admin.client.post("/quota/lots/new", data={"csrf_token": token} | SOUND | {field: [text, text]})
            assert page.status_code == 422
            assert fault_beside(page.text, field)
    assert stored(app) == (0, 0)


def test_a_body_of_another_kind_is_refused_and_nothing_is_stored(
    desk: Open, app: Flask, subtests: pytest.Subtests
) -> None:
    admin = desk(ADMIN)
    token = admin.token()
    header = {"X-CSRFToken": token}
    bodies: dict[str, dict[str, Any]] = {
        "a JSON object": {"json": SOUND | {"calls": 1000}},
        "JSON of odd types": {"json": {"calls": {"a": 1}, "bought_on": [1, None], "price": True}},
        "a JSON array": {"json": [1, 2]},
        "broken JSON": {"data": "{", "content_type": "application/json"},
        "plain text": {"data": "calls=1", "content_type": "text/plain"},
        "a file for a field": {"data": SOUND | {"calls": (io.BytesIO(b"1000"), "calls.txt")}},
        "garbage as multipart": {"data": b"\xff\xfe--", "content_type": "multipart/form-data; boundary=x"},
    }
    for name, body in bodies.items():
        with subtests.test(name):
            page = admin.client.post("/quota/lots/new", headers=header, **body)
            assert page.status_code == 422
            assert fault_beside(page.text, "calls")
    assert stored(app) == (0, 0)


def test_html_in_an_order_number_is_shown_as_text(desk: Open) -> None:
    page = desk(ADMIN).record_lot(order_number="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_record_lots(desk: Open, app: Flask, member: Member) -> None:
    assert desk(member).record_lot().status_code == 403
    assert stored(app) == (0, 0)


def test_a_purchase_that_is_more_than_a_month_ahead_is_asked_about(desk: Open, app: Flask) -> None:
    admin, today = desk(ADMIN), day_of(utc_now(), ZoneInfo("Asia/Shanghai"))
    soon, late = today + timedelta(days=31), today + timedelta(days=32)
    assert admin.post("/quota/lots/new", SOUND | {"bought_on": soon.isoformat()}).status_code == 303

    asked = admin.post("/quota/lots/new", SOUND | {"bought_on": late.isoformat()})
    assert (asked.status_code, stored(app)) == (422, (1, 1))
    assert fault_beside(asked.text, "bought_on")
    assert 'name="ahead"' in asked.text

    assert admin.post("/quota/lots/new", SOUND | {"bought_on": late.isoformat(), "ahead": "yes"}).status_code == 303
    changed = {"bought_on": "2099-01-01", "expires_on": "2100-01-01", "reason": "papers"}
    assert 'name="ahead"' in admin.post("/quota/lots/1/change", changed).text
    assert admin.post("/quota/lots/1/change", changed | {"ahead": "yes"}).status_code == 303
