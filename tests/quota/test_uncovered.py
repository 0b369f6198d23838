"""Calls that no lot had: each is booked on one later, once, and then what is left is what the vendor has left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from tests.quota.books import REASON, WHO, entries, figures
from tests.reconciliation.counting import call, enter, records
from tests.reconciliation.test_page import ENGLISH, PAGE, words
from tests.support.cast import ADMIN, Desk, Member, attribute
from tests.support.faults import fault_beside
from tests.support.waiting import together
from tests.verification.calls import REFUSED
from webapp.audit.trail import Action
from webapp.checking import check_everything
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import covering, ledger, operations, queries, uncovered
from webapp.quota.covering import CannotCarry, Offer
from webapp.quota.ledger import Purchase
from webapp.quota.models import EntryKind
from webapp.quota.rules import Covering, covered, still_uncovered
from webapp.reconciliation import left
from webapp.reconciliation import queries as queries_of_readings
from webapp.usage import counters
from webapp.usage.models import UsageDelta

Open = Callable[[Member | None], Desk]
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
CALLS = {JAN: 10, FEB: 3}
DAY = timedelta(days=1)


END = date(2026, 12, 31)


def _covering(first: date, day: date, calls: int, last: date = END) -> Covering:
    return Covering(1, first, last, day, calls)


@pytest.mark.parametrize(("taken", "since", "left"), [
    ([], JAN, 13), ([], FEB, 3), ([], MAR, 0),
    ([(JAN, MAR, 10)], JAN, 3), ([(JAN, MAR, 10)], FEB, 3), ([(JAN, MAR, 12)], FEB, 1), ([(FEB, MAR, 3)], JAN, 10),
    ([(FEB, MAR, 3)], FEB, 0), ([(JAN, MAR, 13)], JAN, 0), ([(JAN, JAN, 50)], JAN, 3),
    ([(JAN, MAR, 6), (FEB, MAR, 1), (JAN, MAR, 4)], JAN, 2), ([(FEB, MAR, 5)], JAN, 8), ([(MAR, MAR, 13)], JAN, 0),
    ([(FEB, FEB, 1), (MAR, MAR, 2)], FEB, 2),
])  # fmt: skip
def test_each_call_is_booked_once_the_oldest_first(taken: list[tuple[date, date, int]], since: date, left: int) -> None:
    assert still_uncovered(CALLS, [_covering(*one) for one in taken], since) == left


def test_calls_made_while_the_lot_was_valid_are_booked_before_older_and_newer_ones() -> None:
    calls = {JAN: 2, FEB: 2, MAR: 2}
    assert covered(calls, [_covering(FEB, MAR, 2, last=FEB)]) == [{FEB: 2}]
    assert covered(calls, [_covering(FEB, MAR, 5, last=FEB), _covering(JAN, MAR, 9)]) == [
        {FEB: 2, JAN: 2, MAR: 1}, {MAR: 1},
    ]  # fmt: skip


def test_recording_a_lot_leads_to_the_calls_made_since_its_purchase_that_no_lot_has(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    _buy(app, 5)
    enter(app, 0, 5)
    for number in range(8):
        call(app, number)

    recorded = _record(admin, today)
    assert (recorded.status_code, recorded.location) == (303, "/quota/lots/2/cover")
    page = admin.get("/quota/lots/2/cover", headers=ENGLISH).text
    assert (attribute(page, "data-uncovered"), attribute(page, "data-most")) == ("3", "3")
    assert 'value="3"' in page, "what is most likely stands there"

    assert _cover(admin, 2, 3).status_code == 303

    with app.app_context():
        assert entries(2) == [("purchase", 100, 100), ("covered_late", -3, 97)]
        assert check_everything() == []
    page = admin.get("/quota", headers=ENGLISH).text
    assert (attribute(page, "data-remaining"), "Uncovered" in page) == ("97", False)
    lot = words(admin.get("/quota/lots/2", headers=ENGLISH).text)
    assert "Covered late" in lot
    assert REASON in lot
    assert ADMIN.name in lot
    record = records(app, Action.LOT_COVERED)[0]
    assert record.detail == {"reason": REASON, "calls": 3, "first": today.isoformat(), "last": today.isoformat(),
                             "outside": 0, "reinstated": 0}  # fmt: skip

    enter(app, 8, 105)
    assert 'data-left-gap="0"' in admin.get(PAGE, headers=ENGLISH).text
    assert _record(admin, today).location == "/quota", "each call is booked once"


def test_calls_are_booked_on_a_lot_that_stands(app: Flask, desk: Open) -> None:
    """The lot was exhausted, and is corrected: the calls that were made between are its own."""
    admin = desk(ADMIN)
    _buy(app, 2)
    for number in range(5):
        call(app, number)
    assert "/cover" not in admin.get("/quota/lots/1").text, "there is nothing left that could carry them"
    admin.post("/quota/lots/1/correct", {"change": "10", "reason": REASON})
    assert "/quota/lots/1/cover" in admin.get("/quota/lots/1").text
    assert "/quota/lots/1/cover" in admin.get("/quota").text

    assert _cover(admin, 1, 2).status_code == 303
    with app.app_context():
        assert figures(1) == (8, 0, 2, 0)
        assert queries.balance(_today(app), 0).uncovered == 1
    assert _cover(admin, 1, 1).status_code == 303
    with app.app_context():
        assert check_everything() == []
    assert "/cover" not in admin.get("/quota").text


@pytest.mark.parametrize(("calls", "said"), [
    ("4", "Only 3 calls are uncovered."), ("0", "from 1 to"), ("-1", "from 1 to"), ("1.5", "whole number"),
    ("", "whole number"), ("9" * 30, "from 1 to"),
])  # fmt: skip
def test_what_cannot_be_booked_is_refused_beside_its_field(app: Flask, desk: Open, calls: str, said: str) -> None:
    for number in range(3):
        call(app, number)
    _buy(app, 10)
    page = _cover(desk(ADMIN), 1, calls)
    assert page.status_code == 422
    assert said in fault_beside(page.text, "calls")
    with app.app_context():
        assert figures(1) == (10, 0, 0, 0)


def test_never_more_is_booked_than_the_lot_has(app: Flask, desk: Open) -> None:
    for number in range(3):
        call(app, number)
    _buy(app, 2)
    page = _cover(desk(ADMIN), 1, 3)
    assert (page.status_code, fault_beside(page.text, "calls")) == (422, "The lot has 2 calls for that.")
    assert _cover(desk(ADMIN), 1, 2).status_code == 303
    with app.app_context():
        assert entries(1) == [("purchase", 2, 2), ("covered_late", -2, 0)]


def test_calls_of_before_the_purchase_are_booked_only_if_that_is_meant(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    call(app, 1, at=utc_now() - 2 * DAY)
    call(app, 2, REFUSED)
    call(app, 3)
    assert _record(admin, today).location == "/quota/lots/1/cover"

    asked = _cover(admin, 1, 2)
    assert asked.status_code == 422
    assert fault_beside(asked.text, "calls").startswith("1 of them was made before the purchase")
    with app.app_context():
        assert figures(1) == (100, 0, 0, 0)

    assert _cover(admin, 1, 2, outside="yes").status_code == 303
    with app.app_context():
        assert figures(1) == (98, 0, 0, 0)
        assert check_everything() == []
    assert records(app, Action.LOT_COVERED)[0].detail["outside"] == 1


def test_what_lapsed_with_a_lot_carries_the_calls_made_while_it_was_valid(app: Flask, desk: Open) -> None:
    """Nothing was recorded when they were made; the lot that gave them is over by now."""
    admin, today = desk(ADMIN), _today(app)
    for number in range(3):
        call(app, number, at=utc_now() - 5 * DAY)
    call(app, 9)
    with app.app_context(), transaction():
        purchase = Purchase(10, today - 30 * DAY, today - 2 * DAY)
        ledger.record_purchase(purchase, WHO, utc_now())
    with app.app_context(), transaction():
        assert ledger.lapse_expired(today, utc_now())

    refused = _cover(admin, 1, 4)
    assert fault_beside(refused.text, "calls") == "Only 3 uncovered calls were made while this lot was valid."
    assert _cover(admin, 1, 3).status_code == 303

    with app.app_context():
        assert figures(1) == (0, 0, 0, 7)
        assert entries(1) == [
            ("purchase", 10, 10), ("lapse", -10, 0), ("reinstatement", 3, 3), ("covered_late", -3, 0),
        ]  # fmt: skip
        assert check_everything() == []
        assert queries.balance(today, 0).uncovered == 1


def test_what_has_not_lapsed_yet_of_a_lot_that_is_over_lapses_first(app: Flask, desk: Open) -> None:
    today = _today(app)
    call(app, 1, at=utc_now() - 5 * DAY)
    with app.app_context(), transaction():
        ledger.record_purchase(Purchase(10, today - 30 * DAY, today - DAY), WHO, utc_now())
    assert _cover(desk(ADMIN), 1, 1).status_code == 303
    with app.app_context():
        assert figures(1) == (0, 0, 0, 9)
        assert check_everything() == []


def test_nothing_is_booked_on_a_closed_lot(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    call(app, 1)
    _buy(app, 10)
    admin.post("/quota/lots/1/close", {"reason": REASON})
    assert _cover(admin, 1, 1).status_code == 422
    assert 'name="calls"' not in admin.get("/quota/lots/1/cover").text
    with app.app_context():
        assert figures(1) == (0, 0, 0, 10)


def test_of_many_who_book_at_once_none_books_a_call_that_another_did(app: Flask) -> None:
    for number in range(3):
        call(app, number)
    for _ in range(2):
        _buy(app, 10)
    refused: list[Offer] = []

    def book(lot: int) -> Callable[[], None]:
        def act() -> None:
            with app.app_context():
                try:
                    with transaction():
                        covering.cover(lot, 2, REASON, WHO, utc_now())
                except CannotCarry as nothing:
                    refused.append(nothing.offer)

        return act

    together(book(1), book(2), book(1), book(2))

    assert [(one.uncovered, one.most) for one in refused] == [(1, 1)] * 3
    with app.app_context():
        assert queries.balance(_today(app), 0).uncovered == 1
        assert check_everything() == []


def test_an_entry_that_books_calls_without_a_record_is_named(app: Flask) -> None:
    call(app, 1)
    _buy(app, 10)
    with app.app_context():
        with transaction() as session:
            lot = ledger.locked(1)
            lot.available, lot.used_before = 9, 1
            session.flush()
            ledger.enter(EntryKind.COVERED_LATE, 1, -1, 9, utc_now(), actor_id=ADMIN.id, reason=REASON)
        assert len(check_everything(locale="en")) == 1


def test_while_other_calls_are_left_nothing_is_called_agreed_and_calls_on_no_lot_are_named(
    app: Flask, desk: Open
) -> None:
    admin, today = desk(ADMIN), _today(app)
    _buy(app, 5)
    enter(app, 0, 5)
    for number in range(8):
        call(app, number)
    _record(admin, today)
    enter(app, 8, 105)

    page = admin.get(PAGE, headers=ENGLISH).text

    assert 'data-left-gap="-3"' in page
    assert "badge-outcome tone-good" not in page
    assert "calls agree, what is left does not" in words(page)
    assert "3 calls of this time are on no lot here." in words(page)
    assert "/quota/lots/2/cover" in page
    _cover(admin, 2, 3)
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

    _record(admin, today)
    assert _cover(admin, 2, 23).status_code == 303

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
    _record(admin, today - 3 * DAY)
    assert _cover(admin, 1, 3).status_code == 303
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


def test_how_many_are_uncovered_is_read_from_counters_and_is_what_the_ledger_says(app: Flask) -> None:
    for number in range(3):
        call(app, number)
    call(app, 9, REFUSED)
    read: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: read.append(told[2]))
        for _ in ("before folding", "after folding"):
            db.session.rollback()
            read.clear()
            found = queries.balance(_today(app), 0).uncovered
            assert not [one for one in read if "ledger_entry" in one and "verification_id IS NULL" not in one]
            assert found == queries.charged_on_no_lot() == 3
            counters.fold(this_instance().settings.zone)
        assert _rows(UsageDelta) == 0
    _buy(app, 2)
    with app.app_context():
        with transaction():
            covering.cover(1, 2, REASON, WHO, utc_now())
        assert queries.balance(_today(app), 0).uncovered == 1


def _rows(model: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_what_an_opening_balance_begins_with_holds_the_calls_of_before(app: Flask, desk: Open) -> None:
    admin, today = desk(ADMIN), _today(app)
    call(app, 1)
    admin.post("/quota/opening", {"used": "40", "total": "60", "expires_on": "2099-12-31"})
    with app.app_context():
        assert entries(1) == [("purchase", 60, 60), ("used_before", -39, 21), ("covered_late", -1, 20)]
        assert check_everything() == []
    page = admin.get("/quota", headers=ENGLISH).text
    assert (attribute(page, "data-remaining"), "Uncovered" in page) == ("20", False)
    assert _record(admin, today).location == "/quota"


def test_calls_made_after_an_opening_of_the_same_day_are_booked_on_the_next_lot(app: Flask, desk: Open) -> None:
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

    assert _record(admin, today).location == "/quota/lots/2/cover"
    assert _cover(admin, 2, 4).status_code == 303

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


def _cover(admin: Desk, lot: int, calls: int | str, **fields: str) -> TestResponse:
    data = {"calls": str(calls), "reason": REASON} | fields
    return admin.post(f"/quota/lots/{lot}/cover", data, headers=ENGLISH)


def _record(admin: Desk, bought_on: date, **fields: str) -> TestResponse:
    data = {"calls": "100", "bought_on": bought_on.isoformat(), "expires_on": "2099-12-31", "price": "30"} | fields
    return admin.post("/quota/lots/new", data, headers=ENGLISH)
