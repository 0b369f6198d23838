"""The list of lots: the one in use on top and marked, the ended ones folded away, and one name for each everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.support.cast import ADMIN, Desk, Member
from tests.verification.calls import MATCH, ask, somebody, who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.quota import drawing, ledger
from webapp.quota.ledger import Purchase
from webapp.quota.rules import DrawOrder

Open = Callable[[Member | None], Desk]
ENGLISH = {"Accept-Language": "en"}


def buy(app: Flask, calls: int, begins: int, ends: int, order: str = "") -> int:
    """A lot valid from so many days from now to so many."""
    with app.app_context(), transaction():
        now = utc_now()
        today = day_of(now, this_instance().settings.zone)
        purchase = Purchase(calls, today + timedelta(days=begins), today + timedelta(days=ends), None, order)
        return ledger.record_purchase(purchase, who(), now).id


@pytest.fixture
def lots(app: Flask) -> dict[str, int]:
    """Two valid lots, one to come, one used up and one that is over."""
    return {
        "over": buy(app, 9, -100, -1, "OVER"), "late": buy(app, 100, -50, 200), "next": buy(app, 100, 5, 100, "NEXT"),
        "first": buy(app, 100, -20, 20, "FIRST"), "gone": used_up(app),
    }  # fmt: skip


def used_up(app: Flask) -> int:
    lot = buy(app, 1, -30, 10, "GONE")
    ask(app, somebody(1), lambda *_: MATCH)
    return lot


def listed(page: str) -> tuple[list[int], list[int]]:
    """The lots shown at once, and those folded away."""
    shown, _mark, folded = page.partition("data-ended=")
    first, rest = ([int(lot) for lot in re.findall(r'data-lot="(\d+)"', part)] for part in (shown, folded))
    return first, rest


@pytest.mark.parametrize("path", ["/", "/quota"])
def test_lots_come_in_the_order_of_drawing_and_ended_ones_are_folded(
    desk: Open, lots: dict[str, int], path: str
) -> None:
    page = desk(ADMIN).get(path, headers=ENGLISH).text

    assert listed(page) == ([lots["first"], lots["late"], lots["next"]], [lots["gone"], lots["over"]])
    assert re.findall(r'data-lot="(\d+)" data-in-use', page) == [str(lots["first"])]
    assert "2 ended lots: used up, expired or closed" in page


def test_the_mark_follows_the_order_that_is_set(app: Flask, desk: Open, lots: dict[str, int]) -> None:
    with app.app_context(), transaction():
        drawing.switch(DrawOrder.PURCHASE, who(), utc_now())

    page = desk(ADMIN).get("/quota").text

    assert listed(page)[0] == [lots["late"], lots["first"], lots["next"]]
    assert re.findall(r'data-lot="(\d+)" data-in-use', page) == [str(lots["late"])]


def test_ended_lots_are_open_to_view_where_there_are_no_others(app: Flask, desk: Open) -> None:
    buy(app, 9, -100, -1)
    assert re.search(r'data-ended="1"\s+open', desk(ADMIN).get("/quota").text)


def test_a_lot_has_one_name_in_list_ledger_chart_costs_and_on_its_page(app: Flask, desk: Open) -> None:
    named, unnamed = buy(app, 2, -20, 20, "MK <7>"), buy(app, 100, -20, 40)
    for number in range(3):
        ask(app, somebody(number), lambda *_: MATCH)
    admin = desk(ADMIN)

    for lot, name in ((named, "MK &lt;7&gt;"), (unnamed, f"#{unnamed}")):
        link = f'href="/quota/lots/{lot}">{name}</a>'
        assert admin.get("/quota").text.count(link) > 2, "in the list and at each entry"
        assert link in admin.get("/usage").text
        assert f"<h1>Lot {name}</h1>" in admin.get(f"/quota/lots/{lot}", headers=ENGLISH).text
        assert f"Lot {name}</h1>" in admin.get(f"/quota/lots/{lot}/close", headers=ENGLISH).text
    file = admin.get("/quota/supply.csv", headers=ENGLISH).text
    assert "Purchase, lot MK <7>: +2; Purchase, lot #2: +100" in file
