"""Lots as the tables of /quota and of the first page show them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webapp.quota import queries, rules
from webapp.quota.models import Lot
from webapp.quota.rules import LotState

STATES: dict[str, LazyString] = {
    LotState.VALID: _l("valid"),
    LotState.EXHAUSTED: _l("exhausted"),
    LotState.EXPIRED: _l("expired"),
    LotState.UPCOMING: _l("upcoming"),
    LotState.CLOSED: _l("closed"),
}


def lot_rows(today: date) -> list[dict[str, Any]]:
    """Lots as a table shows them: the valid ones first, in the order of drawing, with the one in use marked."""
    rows = [lot_row(lot, today) for lot in queries.lots()]
    in_use = next((row["id"] for row in rows if row["state"] == LotState.VALID and row["left"]), None)
    rows.sort(key=lambda row: rules.place(LotState(row["state"]), row["expires_on"]))
    return [row | {"in_use": row["id"] == in_use} for row in rows]


def lot_row(lot: Lot, today: date) -> dict[str, Any]:
    """One lot as a page shows it."""
    state = rules.state(
        available=lot.available, held=lot.held, bought_on=lot.bought_on, expires_on=lot.expires_on, today=today,
        closed=lot.closed_at is not None,
    )  # fmt: skip
    return {
        "id": lot.id, "name": lot.name, "ended": state in rules.ENDED, "calls": lot.calls,
        "left": lot.available, "held": lot.held, "charged": lot.charged,
        "lapsed": lot.lapsed, "used_before": lot.used_before, "state": state.value, "state_label": STATES[state],
        "bought_on": lot.bought_on, "expires_on": lot.expires_on, "price_fen": lot.price_fen,
        "refunded_fen": lot.refunded_fen, "order_number": lot.order_number, "note": lot.note,
        "closed_at": lot.closed_at, "days_left": max(0, (lot.expires_on - today).days),
        "ratio": lot.available / lot.calls if lot.calls else 0.0,
    }  # fmt: skip
