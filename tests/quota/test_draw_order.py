"""Which lot is used first is set once, and holds, forecast and page agree on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.quota.books import TODAY, buy, hold, use_first
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.quota import drawing, queries
from webapp.quota.rules import DrawOrder
from webapp.reconciliation import queries as reconciliation
from webapp.reminders import queries as reminders
from webapp.usage.demand import Demand
from webapp.usage.forecast import course
from webapp.usage.hindsight import Spread

Open = Callable[[Member | None], Desk]
ENGLISH = {"Accept-Language": "en"}


def two_lots() -> tuple[int, int]:
    """The one bought first, and the one that expires first."""
    return (
        buy(2, date(2026, 1, 1), date(2027, 6, 30)),
        buy(2, date(2026, 5, 1), date(2026, 12, 31)),
    )  # fmt: skip


def test_the_lot_that_expires_first_is_used_first_unless_set_otherwise(context: Flask) -> None:
    bought_first, expires_first = two_lots()
    assert queries.next_lot(TODAY) == expires_first

    use_first(DrawOrder.PURCHASE)

    assert queries.next_lot(TODAY) == bought_first
    assert [hold()[1] for _ in range(3)] == [bought_first, bought_first, expires_first]


def test_forecast_and_reconciliation_use_lots_in_the_order_of_the_ledger(context: Flask) -> None:
    two_lots()
    for order in DrawOrder:
        use_first(order)
        zone = this_instance().settings.zone
        drawn = [lot.id for lot in queries.valid_lots(TODAY)]

        assert [lot.id for lot in reconciliation.valid_lots(NOW, zone)] == drawn
        stock = reminders.outlook(NOW, zone).stock
        demand = Demand(TODAY, (2.0,) * 367, Spread(0, 0, 0))
        assert [lot for lot, used in course(stock, demand, days=0).used.items() if used] == drawn[:1], order


def test_switching_is_recorded_with_before_and_after_and_once(context: Flask) -> None:
    use_first(DrawOrder.PURCHASE)
    use_first(DrawOrder.PURCHASE)

    (record,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.SETTING_CHANGED))
    assert (record.actor_id, record.detail) == (
        ADMIN.id, {"setting": drawing.DRAW_ORDER, "before": "expiry", "after": "purchase"},
    )  # fmt: skip


def test_the_page_says_and_sets_the_order(desk: Open, app: Flask) -> None:
    admin = desk(ADMIN)
    assert "expires first is used first" in admin.get("/quota", headers=ENGLISH).text

    assert admin.post("/quota/draw-order", {"order": "purchase"}).status_code == 303

    assert "bought first is used first" in admin.get("/quota", headers=ENGLISH).text
    assert "selected" in admin.get("/quota/draw-order").text.split('value="purchase"')[0].rsplit("<option", 1)[1]
    for order in ("", "newest", "PURCHASE"):
        assert admin.post("/quota/draw-order", {"order": order}).status_code == 422
    for member in (OPERATOR, AUDITOR):
        assert desk(member).post("/quota/draw-order", {"order": "expiry"}).status_code == 403
    with app.app_context():
        assert drawing.order() is DrawOrder.PURCHASE


def test_an_order_that_the_environment_fixes_is_not_changed_by_the_page(make_app: MakeApp) -> None:
    app = make_app(DRAW_ORDER="purchase")

    assert Desk(app, ADMIN).post("/quota/draw-order", {"order": "expiry"}).status_code == 409

    with app.app_context():
        assert drawing.order() is DrawOrder.PURCHASE
