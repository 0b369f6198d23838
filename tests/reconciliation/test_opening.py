"""Beginning with the console's [used/total]: one lot, one reading, and books that agree from there on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.reconciliation.counting import call, enter, standing
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member, attribute
from tests.support.faults import fault_beside
from tests.support.waiting import together
from tests.verification.calls import buy, differences, who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import operations
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.reconciliation import opening
from webapp.reconciliation.models import MeterReading
from webapp.reconciliation.opening import LotsStand
from webapp.reconciliation.package_forms import MOST_PACKAGES, NAMES
from webapp.reconciliation.rules import Verdict

Open = Callable[[Member | None], Desk]
SOUND = {"used": "6700", "total": "9115", "expires_on": "2099-12-31", "price": "", "note": ""}


def counts(app: Flask) -> tuple[int, int]:
    """(lots, readings)"""
    with app.app_context():
        lots, readings = (db.session.scalar(select(func.count()).select_from(one)) for one in (Lot, MeterReading))
        return lots or 0, readings or 0


def test_the_books_begin_with_what_the_console_shows(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    assert admin.post("/quota/opening", SOUND).status_code == 303

    page = admin.get("/quota").text
    assert (attribute(page, "data-remaining"), attribute(page, "data-total")) == ("2415", "9115")
    with app.app_context():
        lot = db.session.get_one(Lot, 1)
        assert (lot.used_before, lot.charged, lot.bought_on) == (
            6700, 0, day_of(utc_now(), this_instance().settings.zone),
        )  # fmt: skip
    assert differences(app) == []


def test_reconciliation_compares_from_the_opening_on(desk: Open, app: Flask) -> None:
    desk(ADMIN).post("/quota/opening", SOUND)
    call(app, 1)
    enter(app, 6701, 9115, utc_now() + timedelta(minutes=1))

    found = standing(app)

    assert (found.comparison.vendor, found.comparison.drift, found.comparison.verdict) == (1, 0, Verdict.AGREED)
    assert found.total_grew == 0, "the total is the lot's, not a purchase that was never recorded"


def test_calls_used_up_to_the_last_are_an_opening_too(desk: Open) -> None:
    admin = desk(ADMIN)
    assert admin.post("/quota/opening", SOUND | {"used": "9115"}).status_code == 303
    assert attribute(admin.get("/quota").text, "data-remaining") == "0"


def test_an_instance_with_lots_is_asked_whether_the_total_holds_them(desk: Open, app: Flask) -> None:
    buy(app, 1000)
    enter(app, 8000, 9000)
    admin = desk(ADMIN)

    asked = admin.post("/quota/opening", SOUND)
    assert asked.status_code == 422
    assert fault_beside(asked.text, "total")
    assert counts(app) == (1, 1)

    assert admin.post("/quota/opening", SOUND | {"again": "yes"}).status_code == 303
    assert counts(app) == (2, 2)
    assert standing(app).comparison.drift == 0, "comparing begins anew, with lower figures too"


def test_of_two_beginnings_at_once_one_is_asked_whether_the_total_holds_the_others_lot(app: Flask) -> None:
    asked: list[int] = []

    def begin() -> None:
        with app.app_context():
            today = day_of(utc_now(), this_instance().settings.zone)
            purchase = Purchase(9115, today, today + timedelta(days=365), used_before=6700)
            try:
                opening.record([purchase], who(ADMIN), this_instance(), utc_now())
            except LotsStand as standing:
                asked.append(standing.calls)

    together(begin, begin, begin)

    assert asked == [9115, 9115]
    assert counts(app) == (1, 1)


def test_a_lot_that_is_over_holds_nothing_that_the_total_could(desk: Open, app: Flask) -> None:
    closed = buy(app, 1_000_000_000)
    with app.app_context(), transaction():
        operations.close(
            closed, "recorded twice", who(ADMIN), day_of(utc_now(), this_instance().settings.zone), utc_now()
        )
    admin = desk(ADMIN)

    assert admin.post("/quota/opening", SOUND | {"used": "6,700", "total": "9,115"}).status_code == 303

    asked = admin.post("/quota/opening", SOUND)
    assert "9,115" in fault_beside(asked.text, "total"), "of the lots in use only"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("used", ""), ("used", "-1"), ("used", "9116"), ("used", "1.5"), ("used", "6,70"), ("used", "9" * 30),
        ("total", ""), ("total", "0"), ("total", "-1"), ("total", "1000000001"), ("total", "九千"),
        ("expires_on", ""), ("expires_on", "2020-01-01"), ("expires_on", "12/11/2099"), ("expires_on", "2101-01-01"),
        ("price", "-1"), ("price", "1.001"), ("note", "x" * 501),
    ],
)  # fmt: skip
def test_what_no_opening_can_be_is_refused_beside_its_field(desk: Open, app: Flask, field: str, text: str) -> None:
    page = desk(ADMIN).post("/quota/opening", SOUND | {field: text})

    assert page.status_code == 422
    assert fault_beside(page.text, field)
    assert counts(app) == (0, 0)


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_begin_the_books(desk: Open, app: Flask, member: Member) -> None:
    assert desk(member).get("/quota/opening").status_code == 403
    assert desk(member).post("/quota/opening", SOUND).status_code == 403
    assert counts(app) == (0, 0)


PACKAGES = {
    "used": "6700", "total": "9115",
    "left_1": "2,000", "calls_1": "5,000", "expires_on_1": "2099-01-01", "order_number_1": "A-1",
    "left_2": "415", "calls_2": "4115", "expires_on_2": "2098-01-01", "order_number_2": "",
    "left_3": "", "calls_3": "", "expires_on_3": "", "order_number_3": "",
}  # fmt: skip
URL = "/quota/opening/packages"


def test_packages_that_end_on_several_days_become_a_lot_each(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    assert f'href="{URL}"' in admin.get("/quota/opening").text
    call(app, 1)
    assert admin.post(URL, PACKAGES).status_code == 303

    with app.app_context():
        rows = db.session.execute(
            select(Lot.calls, Lot.available, Lot.used_before, Lot.expires_on, Lot.order_number).order_by(Lot.id)
        )
        assert [tuple(row) for row in rows] == [
            (4115, 415, 3700, date(2098, 1, 1), ""), (5000, 2000, 3000, date(2099, 1, 1), "A-1"),
        ]  # fmt: skip
    page = admin.get("/quota").text
    assert (attribute(page, "data-remaining"), attribute(page, "data-total")) == ("2415", "9115")
    assert "data-uncovered" not in page, "the call made here before is among those that the console shows as used"
    assert differences(app) == []
    found = standing(app)
    assert (found.is_baseline, found.reading.used, found.reading.total) == (True, 6700, 9115)
    assert 'data-left-gap="0"' in admin.get("/quota/reconcile").text


@pytest.mark.parametrize(
    ("field", "text", "beside"),
    [
        ("used", "6699", "used"), ("total", "9116", "total"), ("total", "", "total"), ("used", "9116", "used"),
        ("left_1", "1999", "used"), ("calls_1", "5001", "total"), ("left_1", "", "left_1"), ("left_1", "-1", "left_1"),
        ("left_1", "1.5", "left_1"), ("left_1", "5001", "left_1"), ("calls_2", "0", "calls_2"),
        ("calls_2", "9" * 30, "calls_2"), ("expires_on_2", "", "expires_on_2"),
        ("expires_on_2", "2020-01-01", "expires_on_2"), ("expires_on_2", "12/11/2099", "expires_on_2"),
        ("order_number_2", "Ａ-1", "order_number_2"), ("order_number_2", "x" * 81, "order_number_2"),
        ("order_number_3", "only this", "left_3"),
    ],
)  # fmt: skip
def test_packages_that_cannot_be_are_refused_and_nothing_typed_is_lost(
    desk: Open, app: Flask, field: str, text: str, beside: str
) -> None:
    sent = PACKAGES | {field: text}
    page = desk(ADMIN).post(URL, sent)

    assert page.status_code == 422
    assert fault_beside(page.text, beside)
    for name, value in sent.items():
        assert f'value="{value}"' in page.text, name
    assert counts(app) == (0, 0)


def test_a_package_that_is_used_up_may_have_ended(desk: Open, app: Flask) -> None:
    sent = PACKAGES | {"left_2": "0", "expires_on_2": "2026-01-31", "used": "7115"}
    assert desk(ADMIN).post(URL, sent).status_code == 303
    assert attribute(desk(ADMIN).get("/quota").text, "data-remaining") == "2000"
    assert differences(app) == []


def test_one_order_of_several_packages_is_asked_about(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    same = PACKAGES | {"order_number_2": "a-1"}
    assert 'name="same_order"' in admin.post(URL, same).text
    assert admin.post(URL, same | {"same_order": "yes"}).status_code == 303

    again = admin.post(URL, PACKAGES)
    assert fault_beside(again.text, "total"), "lots stand that the total may hold"
    again = admin.post(URL, PACKAGES | {"again": "yes"})
    assert fault_beside(again.text, "order_number_1")
    assert counts(app) == (2, 1), "all or nothing"
    assert admin.post(URL, PACKAGES | {"again": "yes", "same_order": "yes"}).status_code == 303


def test_more_rows_come_without_a_script_and_keep_what_is_typed(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    shown = admin.get(URL).text.count("data-package")
    page = admin.post(URL, PACKAGES | {"more": "yes"})
    assert (page.status_code, page.text.count("data-package")) == (200, 2 * shown)
    assert 'value="2,000"' in page.text
    assert "aria-invalid" not in page.text
    everything = {f"{name}_{place}": "" for name in NAMES for place in range(1, MOST_PACKAGES + 1)}
    full = admin.post(URL, PACKAGES | everything | {"more": "yes"}).text
    assert (full.count("data-package"), 'name="more"' in full) == (MOST_PACKAGES, False)
    assert counts(app) == (0, 0)


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_begin_with_packages(desk: Open, app: Flask, member: Member) -> None:
    assert desk(member).get(URL).status_code == 403
    assert desk(member).post(URL, PACKAGES).status_code == 403
    assert counts(app) == (0, 0)
