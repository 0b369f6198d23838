"""Calls that were made before their lot was recorded: nothing had them, and the lot says what the vendor has left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.quota.books import WHO, entries, figures
from tests.reconciliation.counting import call, enter
from tests.reconciliation.test_page import ENGLISH, PAGE, words
from tests.support.cast import ADMIN, Desk, Member, attribute
from tests.verification.calls import REFUSED
from webapp.checking import check_everything
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger, operations, queries, uncovered
from webapp.quota.ledger import Purchase
from webapp.quota.rules import still_uncovered
from webapp.reconciliation import left
from webapp.reconciliation import queries as queries_of_readings

Open = Callable[[Member | None], Desk]
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
CALLS = {JAN: 10, FEB: 3}
DAY = timedelta(days=1)


@pytest.mark.parametrize(("taken", "since", "left"), [
    ([], JAN, 13), ([], FEB, 3), ([], MAR, 0),
    ([(JAN, MAR, 10)], JAN, 3), ([(JAN, MAR, 10)], FEB, 3), ([(JAN, MAR, 12)], FEB, 1), ([(FEB, MAR, 3)], JAN, 10),
    ([(FEB, MAR, 3)], FEB, 0), ([(JAN, MAR, 13)], JAN, 0), ([(JAN, JAN, 50)], JAN, 3),
    ([(JAN, MAR, 6), (FEB, MAR, 1), (JAN, MAR, 4)], JAN, 2), ([(FEB, MAR, 5)], JAN, 8), ([(MAR, MAR, 13)], JAN, 0),
    ([(FEB, FEB, 1), (MAR, MAR, 2)], FEB, 2),
])  # fmt: skip
def test_each_call_is_taken_once_the_oldest_first(taken: list[tuple[date, date, int]], since: date, left: int) -> None:
    assert still_uncovered(CALLS, taken, since) == left


def test_a_lot_recorded_late_gives_the_calls_that_were_made_since_its_purchase(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    _buy(app, 5)
    enter(app, 0, 5)
    for number in range(8):
        call(app, number)

    asked = _record(admin, today)
    assert asked.status_code == 422
    assert "3 calls made since the day of purchase are on no lot" in words(asked.text)
    with app.app_context():
        assert figures(1) == (0, 0, 5, 0), "nothing was recorded"
        assert entries(2) == []

    assert _record(admin, today, covers="yes").status_code == 303

    with app.app_context():
        assert entries(2) == [("purchase", 100, 100), ("covered_late", -3, 97)]
        assert check_everything() == []
    page = admin.get("/quota", headers=ENGLISH).text
    assert (attribute(page, "data-remaining"), "Uncovered" in page) == ("97", False)
    lot = words(admin.get("/quota/lots/2", headers=ENGLISH).text)
    assert "Covered late" in lot
    assert "Made before the lot was recorded, and on no lot" in lot

    enter(app, 8, 105)
    assert 'data-left-gap="0"' in admin.get(PAGE, headers=ENGLISH).text
    assert _record(admin, today).status_code == 303, "each call is taken once"


def test_calls_of_another_lot_are_left_and_asked_about_again(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    call(app, 1)
    call(app, 2, REFUSED)
    assert _record(admin, today + timedelta(days=1)).status_code == 303, "bought after them"
    assert "1 call made since" in words(_record(admin, today).text)
    assert _record(admin, today, covers="no").status_code == 303
    assert _record(admin, today).status_code == 422
    assert _record(admin, today, calls="1", covers="yes").status_code == 303
    with app.app_context():
        assert figures(2) == (100, 0, 0, 0)
        assert entries(3) == [("purchase", 1, 1), ("covered_late", -1, 0)], "never more than it has"


def test_an_answer_is_kept_while_something_else_is_asked(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    call(app, 1)
    _record(admin, today, covers="yes", order_number="A-1")
    page = _record(admin, today, covers="yes", order_number="a-1").text
    assert 'selected value="yes"' in page
    assert 'name="again"' in page


def test_while_other_calls_are_left_nothing_is_called_agreed_and_calls_on_no_lot_are_named(
    app: Flask, desk: Open
) -> None:
    admin, today = desk(ADMIN), _today(app)
    _buy(app, 5)
    enter(app, 0, 5)
    for number in range(8):
        call(app, number)
    _record(admin, today, covers="no")
    enter(app, 8, 105)

    page = admin.get(PAGE, headers=ENGLISH).text

    assert 'data-left-gap="-3"' in page
    assert "badge-outcome tone-good" not in page
    assert "calls agree, what is left does not" in words(page)
    assert "3 calls of this time are on no lot here." in words(page)
    admin.post("/quota/lots/2/correct", {"change": "-3", "reason": "为厂商已扣"})
    page = admin.get(PAGE, headers=ENGLISH).text
    assert 'data-left-gap="0"' in page
    assert "are on no lot" not in words(page)


def test_more_calls_covered_late_than_were_on_no_lot_are_named(app: Flask) -> None:
    call(app, 1)
    with app.app_context(), transaction():
        ledger.record_purchase(Purchase(10, FEB, date(2099, 12, 31), covered_late=1), WHO, utc_now())
    with app.app_context():
        assert check_everything() == []
        with transaction():
            ledger.record_purchase(Purchase(10, FEB, date(2099, 12, 31), covered_late=2), WHO, utc_now())

        assert check_everything(locale="en") == ["lots gave 3 calls late, but only 1 were charged on no lot"]


def test_calls_that_a_lot_gave_after_a_reading_were_left_at_it(app: Flask, desk: Open) -> None:
    """The vendor had the package at the reading, with all that was used of it since."""
    admin, today = desk(ADMIN), _today(app)
    _buy(app, 5)
    for number in range(8):
        call(app, number)
    enter(app, 8, 105)  # three of the package are used
    for number in range(10, 30):
        call(app, number)

    assert _record(admin, today, covers="yes").status_code == 303

    with app.app_context():
        assert entries(2) == [("purchase", 100, 100), ("covered_late", -23, 77)]
    page = admin.get(PAGE, headers=ENGLISH).text
    assert attribute(page, "data-left-gap") == "0"
    assert "is missing here" not in words(page)


def test_calls_of_before_the_baseline_that_a_lot_gave_since_do_not_count_for_those_after_it(
    app: Flask, desk: Open
) -> None:
    admin, today = desk(ADMIN), _today(app)
    for number in range(3):
        call(app, number, at=utc_now() - 2 * DAY)
    enter(app, 3, 105, at=utc_now() - DAY)
    assert _record(admin, today - 3 * DAY, covers="yes").status_code == 303
    for number in range(10, 14):
        call(app, number)
    assert "on no lot" not in words(admin.get(PAGE, headers=ENGLISH).text)
    with app.app_context(), transaction():
        operations.close(1, "记错了", WHO, today, utc_now())
    for number in range(20, 22):
        call(app, number)
    enter(app, 9, 105)

    with app.app_context():
        found = queries_of_readings.standing(this_instance().settings.zone)
        assert found is not None
        assert left.compared(found, this_instance().settings.zone, utc_now()).uncovered == 2


def test_what_an_opening_balance_begins_with_holds_the_calls_of_before(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    call(app, 1)
    admin.post("/quota/opening", {"used": "40", "total": "60", "expires_on": "2099-12-31"})
    with app.app_context():
        assert entries(1) == [("purchase", 60, 60), ("used_before", -39, 21), ("covered_late", -1, 20)]
        assert check_everything() == []
    page = admin.get("/quota", headers=ENGLISH).text
    assert (attribute(page, "data-remaining"), "Uncovered" in page) == ("20", False)
    assert _record(admin, today).status_code == 303


def test_calls_made_after_an_opening_of_the_same_day_are_asked_about(app: Flask, desk: Open) -> None:
    """Sixty of sixty are used; what comes after them, the next package had to give."""
    admin, today = desk(ADMIN), _today(app)
    for number in range(3):
        call(app, number)
    admin.post("/quota/opening", {"used": "60", "total": "60", "expires_on": "2099-12-31"})
    for number in range(10, 14):
        call(app, number)
    with app.app_context():
        zone = this_instance().settings.zone
        assert queries.balance(today, 0).uncovered == uncovered.since(uncovered.EARLIEST, today, zone) == 4

    asked = _record(admin, today)
    assert asked.status_code == 422
    assert "4 calls made since the day of purchase are on no lot" in words(asked.text)
    assert _record(admin, today, covers="yes").status_code == 303

    page = admin.get("/quota", headers=ENGLISH).text
    assert (attribute(page, "data-remaining"), "Uncovered" in page) == ("96", False)
    with app.app_context():
        assert check_everything() == []


def test_an_opening_takes_no_more_calls_than_the_console_shows_as_used(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    for number in range(5):
        call(app, number)
    admin.post("/quota/opening", {"used": "2", "total": "60", "expires_on": "2099-12-31"})
    with app.app_context():
        assert entries(1) == [("purchase", 60, 60), ("covered_late", -2, 58)]
        assert queries.balance(today, 0).uncovered == 3


def _today(app: Flask) -> date:
    with app.app_context():
        return day_of(utc_now(), this_instance().settings.zone)


def _buy(app: Flask, calls: int) -> None:
    with app.app_context(), transaction():
        ledger.record_purchase(Purchase(calls, date(2026, 1, 1), date(2099, 12, 31)), WHO, utc_now())


def _record(admin: Desk, bought_on: date, **fields: str) -> TestResponse:
    data = {"calls": "100", "bought_on": bought_on.isoformat(), "expires_on": "2099-12-31", "price": "30"} | fields
    return admin.post("/quota/lots/new", data, headers=ENGLISH)
