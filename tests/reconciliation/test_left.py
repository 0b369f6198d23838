"""What our lots had left at a reading, whatever happened since; and what the page says of a difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from tests.reconciliation.counting import BOSS, call, enter, notices, standing, unknown
from tests.reconciliation.test_page import ENGLISH, PAGE, words
from tests.support.cast import ADMIN, NOW, Desk, Member
from tests.verification.calls import REFUSED
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger, operations
from webapp.quota.ledger import Purchase
from webapp.reconciliation import left
from webapp.usage import counters
from webapp.verification import settling
from webapp.verification.models import Decision

Open = Callable[[Member | None], Desk]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TODAY = NOW.date()


def buy(app: Flask, calls: int, last: date = date(2099, 12, 31), *, at: datetime = NOW, first: int = -30) -> int:
    with app.app_context(), transaction():
        return ledger.record_purchase(Purchase(calls, TODAY + first * DAY, last), BOSS, at).id


def gap(app: Flask, now: datetime) -> int:
    found = standing(app)
    with app.app_context():
        return left.compared(found, this_instance().settings.zone, now).gap


@pytest.mark.parametrize("later", [timedelta(hours=2), 3 * DAY])
def test_what_happens_after_a_reading_makes_no_gap(app: Flask, later: timedelta) -> None:
    """Calls of all kinds, a lapse, a refund, a late answer: what was left at the reading stays what it was."""
    buy(app, 100)
    soon, back = buy(app, 10, TODAY + DAY), buy(app, 20)
    call(app, 1, at=NOW)
    older = unknown(app, 2, at=NOW)
    enter(app, 2, 130, NOW + MINUTE)
    assert gap(app, NOW + MINUTE) == 0

    for number in range(3):
        call(app, 10 + number, at=NOW + later - MINUTE)
    unknown(app, 20, at=NOW + later - MINUTE)
    call(app, 21, REFUSED, at=NOW + later - MINUTE)
    assert gap(app, NOW + later) == 0
    with app.app_context():
        settling.settle(older, Decision.CHARGED, "账单", BOSS, this_instance(), NOW + later)
        with transaction():
            operations.refund(back, 20, 0, "退订", BOSS, TODAY, NOW + later)
        with transaction():
            ledger.lapse_expired(TODAY + 2 * DAY, NOW + later)
        while counters.fold(this_instance().settings.zone):
            pass
    assert soon
    assert gap(app, NOW + later) == 0


def test_a_lot_that_is_missing_here_or_there_is_a_gap_until_it_is_mended(app: Flask) -> None:
    buy(app, 100)
    enter(app, 0, 1_100, NOW + MINUTE)
    assert gap(app, NOW + MINUTE) == 1_000
    lot = buy(app, 1_000, at=NOW + 2 * MINUTE)
    assert gap(app, NOW + 2 * MINUTE) == 0, "recorded late, but bought before"

    enter(app, 0, 1_100, NOW + 3 * MINUTE)
    assert gap(app, NOW + 3 * MINUTE) == 0
    with app.app_context(), transaction():
        ledger.correct(lot, 50, "多记了", BOSS, NOW + 4 * MINUTE)
    assert gap(app, NOW + 4 * MINUTE) == -50


def test_a_lot_that_the_vendor_does_not_have_yet_is_said(app: Flask, desk: Open) -> None:
    """Of its total where the lot was surely bought between the readings, else of what is left."""
    buy(app, 100, at=NOW - 3 * DAY)
    enter(app, 0, 100, NOW - 2 * DAY)
    buy(app, 500, first=-1, at=NOW - DAY)
    enter(app, 0, 100, NOW)
    assert (standing(app).total_grew, gap(app, NOW + MINUTE)) == (-500, 0)
    page = words(desk(ADMIN).get(PAGE, headers=ENGLISH).text)
    assert "The vendor's total has 500 calls fewer than the lots recorded here since the baseline" in page
    assert "has left its sum" not in page


def test_a_lot_that_may_stand_in_the_first_reading_is_compared_by_what_is_left(app: Flask) -> None:
    buy(app, 100)
    enter(app, 0, 100, NOW + MINUTE)
    buy(app, 500, at=NOW + 2 * MINUTE)
    enter(app, 0, 100, NOW + 3 * MINUTE)
    assert (standing(app).total_grew, gap(app, NOW + 4 * MINUTE)) == (0, -500)


def test_a_purchase_recorded_after_the_reading_that_holds_it_needs_no_word_any_more(app: Flask) -> None:
    buy(app, 100)
    enter(app, 0, 100, NOW + MINUTE)
    enter(app, 0, 600, NOW + 2 * MINUTE)
    assert (standing(app).total_grew, gap(app, NOW + 2 * MINUTE)) == (500, 0)

    buy(app, 500, at=NOW + 3 * MINUTE)

    assert (standing(app).total_grew, gap(app, NOW + 3 * MINUTE)) == (0, 0)


def test_the_first_reading_says_what_the_vendor_has_more_or_fewer_and_how_to_mend_it(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    admin.record_lot(12_266)
    admin.post(PAGE, {"used": "0", "total": "1000000"})
    page = admin.get(PAGE, headers=ENGLISH).text
    assert "baseline set" in page
    assert re.search(r'tone-good">\s*agreed', page) is None
    assert 'data-left-gap="987734"' in page
    assert "The vendor has 987,734 calls more left than our lots: a lot is missing here, or too small." in words(page)
    assert page.count('href="/quota/lots/new"') == 1
    assert 'href="/quota/opening"' in page

    admin.post(PAGE, {"used": "0", "total": "12000", "anew": "yes"})
    admin.post(PAGE, {"used": "5", "total": "12000"})
    assert "baseline set" not in admin.get(PAGE, headers=ENGLISH).text


def test_a_risky_correction_is_asked_twice_on_the_page(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    admin.record_lot(12_266)
    admin.post(PAGE, {"used": "0", "total": "1000000"})
    admin.post(PAGE, {"used": "6700", "total": "9115"})
    page = admin.get(PAGE, headers=ENGLISH).text
    assert 'data-risks="1"' in page
    assert "The vendor's total fell by 990,885 calls" in words(page)
    consent = {"reading": "2", "drift": "6700", "reason": "looked"}

    refused = admin.post(f"{PAGE}/rebase", consent, headers=ENGLISH)
    assert refused.status_code == 422
    assert "Look into what is said above first" in refused.text
    assert 'value="looked"' in refused.text

    assert admin.post(f"{PAGE}/rebase", consent | {"sure": "yes"}).status_code == 303
    assert 'data-remaining="5566"' in admin.get("/quota").text


def test_both_figures_of_what_remains_are_of_the_reading_and_ours_of_now_stands_apart(app: Flask, desk: Open) -> None:
    buy(app, 100)
    now = utc_now()
    enter(app, 0, 100, now - 4 * MINUTE)
    for number in range(10):
        call(app, number, at=now - 3 * MINUTE)
    unknown(app, 11, at=now - 3 * MINUTE)
    enter(app, 10, 100, now - 2 * MINUTE)
    for number in range(20, 60):
        call(app, number, at=now - MINUTE)

    page = desk(ADMIN).get(PAGE, headers=ENGLISH).text

    assert 'data-left="89–90"' in page
    assert "Remaining at the reading 90 89 – 90 Remaining now 1 more are held here – 49" in words(page)


def test_other_calls_left_in_two_readings_are_told_to_admins_until_that_ends(app: Flask, desk: Open) -> None:
    buy(app, 100)
    enter(app, 0, 105, NOW + MINUTE)
    enter(app, 0, 105, NOW + 2 * MINUTE)
    assert notices(app, "left_gap") == [], "five calls are few"

    lot = buy(app, 20, at=NOW + 3 * MINUTE)
    enter(app, 0, 105, NOW + 4 * MINUTE)
    assert notices(app, "left_gap") == [], "one reading proves nothing"
    enter(app, 0, 105, NOW + 5 * MINUTE)
    assert notices(app, "left_gap") == [{"calls": 15, "more": 0}]
    assert "The vendor has 15 calls fewer left than our lots." in words(desk(ADMIN).get("/", headers=ENGLISH).text)

    with app.app_context(), transaction():
        ledger.correct(lot, -15, "多记了", BOSS, NOW + 6 * MINUTE)
    enter(app, 0, 105, NOW + 7 * MINUTE)
    assert notices(app, "left_gap") == []
