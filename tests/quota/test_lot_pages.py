"""A lot's own page and its actions: what they show, what they take, and what they refuse beside the field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.quota.books import REASON, buy, charge, figures, hold
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, Desk, Member, attribute
from tests.support.faults import fault_beside
from webapp.foundation.database import db
from webapp.quota import queries
from webapp.quota.lot_views import SIZE
from webapp.quota.models import Lot

Open = Callable[[Member | None], Desk]
ENGLISH = {"Accept-Language": "en"}
FACTS = {"bought_on": "2026-01-01", "expires_on": "2099-12-31", "price": "30", "order_number": "", "note": ""}
ACTIONS: dict[str, dict[str, str]] = {
    "correct": {"change": "5"}, "change": FACTS, "close": {}, "refund": {"calls": "1", "amount": "0.3"}, "reopen": {},
}  # fmt: skip


@pytest.fixture
def lot(app: Flask) -> int:
    """A lot of a hundred calls for 30 yuan."""
    assert Desk(app, ADMIN).record_lot(100).status_code == 200
    return 1


def stored(app: Flask) -> dict[str, Any]:
    with app.app_context():
        row = db.session.get_one(Lot, 1, populate_existing=True)
        return {column.key: getattr(row, column.key) for column in Lot.__table__.columns}


def act(desk: Desk, action: str, **fields: str) -> tuple[int, str]:
    """Sends an action's form with a reason; status and page."""
    answer = desk.post(f"/quota/lots/1/{action}", {"reason": REASON} | fields, headers=ENGLISH)
    return answer.status_code, answer.text


def state(desk: Desk) -> str:
    return attribute(desk.get("/quota/lots/1").text, "data-state")


def test_the_page_of_a_lot_shows_its_facts_and_entries(desk: Open, lot: int) -> None:
    page = desk(AUDITOR).get(f"/quota/lots/{lot}", headers=ENGLISH).text

    assert attribute(page, "data-state") == "valid"
    assert attribute(page, "data-entry") == "purchase"
    assert "¥30.00" in page
    assert ADMIN.name in page
    assert "/close" not in page, "an auditor changes nothing"
    assert f'href="/quota/lots/{lot}"' in desk(AUDITOR).get("/quota").text


def test_entries_come_in_pages_that_miss_and_repeat_none(desk: Open, app: Flask) -> None:
    with app.app_context():
        lot = buy(SIZE)
        for _ in range(SIZE):
            charge(*hold())
        everything = [entry.id for entry in queries.entries_of(lot, None, 10 * SIZE)]
    url, kinds, pages = f"/quota/lots/{lot}", list[str](), 0
    while url:
        page = desk(ADMIN).get(url).text
        kinds += re.findall(r'data-entry="(\w+)"', page)
        following = re.search(r'href="([^"#]*)#entries" rel="next"', page)
        url, pages = following[1] if following else "", pages + 1

    assert (pages, len(kinds)) == (3, len(everything))
    assert (kinds[0], kinds[-1]) == ("charge", "purchase")
    assert desk(ADMIN).get(f"/quota/lots/{lot}?before=x").status_code == 400


def test_a_correction_is_made_on_its_page(desk: Open, app: Flask, lot: int) -> None:
    assert act(desk(ADMIN), "correct", change="-15")[0] == 303

    assert (stored(app)["calls"], stored(app)["available"]) == (85, 85)
    assert REASON in desk(ADMIN).get("/quota/lots/1").text


def test_facts_are_filled_in_and_changed_on_their_page(desk: Open, app: Flask, lot: int) -> None:
    form = desk(ADMIN).get("/quota/lots/1/change").text
    assert 'value="30.00"' in form
    assert 'value="2099-12-31"' in form

    assert act(desk(ADMIN), "change", **FACTS | {"price": "28.9", "note": "含税"})[0] == 303

    assert (stored(app)["price_fen"], stored(app)["note"]) == (2890, "含税")


def test_a_lot_is_closed_and_reopened_on_its_page(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    assert act(admin, "close")[0] == 303
    assert (state(admin), stored(app)["available"]) == ("closed", 0)
    assert "/correct" not in admin.get("/quota/lots/1").text

    assert act(admin, "reopen")[0] == 303
    assert (state(admin), stored(app)["available"]) == ("valid", 100)


def test_a_refund_is_recorded_on_its_page(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    assert 'value="100"' in admin.get("/quota/lots/1/refund").text

    assert act(admin, "refund", calls="100", amount="12.34")[0] == 303

    row = stored(app)
    assert (row["calls"], row["price_fen"], row["refunded_fen"]) == (0, 1766, 1234)
    assert "¥12.34" in admin.get("/quota/lots/1").text


def test_a_refund_on_a_lot_without_a_price_asks_for_the_price_first(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    assert act(admin, "change", **FACTS | {"price": ""})[0] == 303

    status, page = act(admin, "refund", calls="20", amount="999999")

    assert (status, stored(app)["calls"], stored(app)["refunded_fen"]) == (422, 100, 0)
    assert "enter the price first" in fault_beside(page, "amount")


def test_who_reopens_a_lot_is_told_that_its_refund_stands(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    assert act(admin, "refund", calls="20", amount="6")[0] == 303
    assert act(admin, "reopen")[0] == 303

    page = admin.get("/quota/lots/1", headers=ENGLISH).text

    assert "80 calls came back. The refund of ¥6.00 stands" in page


def test_a_correction_may_be_typed_with_any_minus(desk: Open, app: Flask, lot: int) -> None:
    assert 'type="number"' not in desk(ADMIN).get("/quota/lots/1/correct").text, "a browser would not let it in"
    assert act(desk(ADMIN), "correct", change="−5")[0] == 303

    assert stored(app)["calls"] == 95


BAD = [
    *(("correct", {"change": text}, "change")
      for text in ("", "0", "-0", "1.5", "1e3", "-101", "1000000000", "9" * 30, "-" + "9" * 30, "五", "\x00")),
    ("change", {"expires_on": "2025-12-31"}, "expires_on"),
    ("change", {"bought_on": ""}, "bought_on"),
    ("change", {"bought_on": "01/02/2026"}, "bought_on"),
    ("change", {"price": "-1"}, "price"),
    ("change", {"note": "x" * 501}, "note"),
    ("change", {"order_number": "TAKEN"}, "order_number"),
    *(("refund", {"calls": text}, "calls") for text in ("", "0", "-1", "101", "1.5", "9" * 30)),
    *(("refund", {"amount": text}, "amount") for text in ("", "-1", "30.01", "0.001", "1e2", "NaN", "一元")),
    ("reopen", {}, "reason"),
    *((action, {"reason": text}, "reason") for action in ACTIONS for text in ("", "  ", "ab", "x" * 201, "a\nb")),
]  # fmt: skip


def test_what_cannot_be_done_is_said_beside_its_field_and_nothing_moves(
    desk: Open, app: Flask, lot: int, subtests: pytest.Subtests
) -> None:
    admin = desk(ADMIN)
    admin.record_lot(1, order_number="TAKEN")
    before = stored(app)
    for action, wrong, field in BAD:
        with subtests.test(f"{action} {str(wrong)[:40]!a}"):
            status, page = act(admin, action, **ACTIONS[action] | wrong)

            assert status == 422
            assert fault_beside(page, field)
            assert stored(app) == before


def test_an_order_number_that_is_taken_may_be_given_on_purpose(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    admin.record_lot(1, order_number="TAKEN")
    assert 'name="again"' in act(admin, "change", **FACTS | {"order_number": "TAKEN"})[1]

    assert act(admin, "change", **FACTS | {"order_number": "TAKEN", "again": "yes"})[0] == 303
    assert stored(app)["order_number"] == "TAKEN"
    assert act(admin, "change", **FACTS | {"order_number": "TAKEN", "note": "n"})[0] == 303, "it is its own by now"


def test_a_closed_lot_takes_no_more_actions_but_reopening_and_facts(desk: Open, app: Flask, lot: int) -> None:
    admin = desk(ADMIN)
    act(admin, "close")

    for action in ("correct", "close", "refund"):
        status, page = act(admin, action, **ACTIONS[action])
        assert (status, bool(fault_beside(page, "reason"))) == (422, True), action
    assert act(admin, "change", **FACTS | {"note": "n"})[0] == 303
    with app.app_context():
        assert figures(lot) == (0, 0, 0, 100)


@pytest.mark.parametrize("member", [OPERATOR, AUDITOR])
def test_only_admins_change_a_lot(desk: Open, app: Flask, lot: int, member: Member) -> None:
    before = stored(app)
    for action, fields in ACTIONS.items():
        assert act(desk(member), action, **fields)[0] == 403
    assert stored(app) == before


def test_a_lot_that_is_not_there_is_not_found(desk: Open) -> None:
    for path in ("", *(f"/{action}" for action in ACTIONS)):
        assert desk(ADMIN).get(f"/quota/lots/99{path}").status_code == 404
