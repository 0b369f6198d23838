"""What people do to a lot that stands: its figures and its money follow, with entries, reasons and records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from tests.quota.books import (
    REASON,
    TODAY,
    buy,
    change,
    charge,
    close,
    correct,
    entries,
    figures,
    hold,
    lapse,
    refund,
    release,
    reopen,
)
from tests.support.cast import ADMIN
from tests.support.waiting import together
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db
from webapp.quota import queries
from webapp.quota.ledger import MOST_CALLS, LotClosed, NotSoMany, TooMany
from webapp.quota.models import LedgerEntry, Lot
from webapp.quota.operations import MoreThanPaid, NoPrice, NotClosed, SameOrder
from webapp.quota.rules import LotState, state

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def record_of(action: Action) -> AuditRecord:
    return db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)).one()


def state_of(lot: int) -> LotState:
    db.session.rollback()
    row = db.session.get_one(Lot, lot)
    return state(available=row.available, held=row.held, bought_on=row.bought_on, expires_on=row.expires_on,
                 today=TODAY, closed=row.closed_at is not None)  # fmt: skip


def test_a_lot_that_was_used_before_keeps_its_total_for_the_share_that_is_left(context: Flask) -> None:
    lot = buy(9115, used_before=6700)

    balance = queries.balance(TODAY, 0)

    assert (balance.remaining, balance.total) == (2415, 9115)
    assert entries(lot) == [("purchase", 9115, 9115), ("used_before", -6700, 2415)]
    assert figures(lot) == (2415, 0, 0, 0), "none of them was charged here"
    assert queries.recount() == []


def test_a_correction_moves_size_and_rest_by_one_entry_with_reason_and_person(context: Flask) -> None:
    lot = buy(10)

    assert correct(lot, -3) == 7

    assert db.session.get_one(Lot, lot).calls == 7
    entry = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    assert (entry.kind, entry.change, entry.reason, entry.actor_id) == ("correction", -3, REASON, ADMIN.id)


def test_a_correction_takes_no_more_than_is_left_and_makes_no_lot_too_big(context: Flask) -> None:
    lot = buy(10)
    hold()
    with pytest.raises(NotSoMany):
        correct(lot, -10)
    with pytest.raises(TooMany):
        correct(lot, MOST_CALLS)

    assert entries(lot) == [("purchase", 10, 10), ("hold", -1, 9)]


def test_changed_facts_stand_in_the_trail_as_they_were_and_are(context: Flask) -> None:
    lot = buy(10, price_fen=3000)

    assert change(lot, price_fen=2900, order_number="A-7", note="发票已开") is True

    stored = db.session.get_one(Lot, lot)
    assert (stored.price_fen, stored.order_number, stored.note) == (2900, "A-7", "发票已开")
    assert record_of(Action.LOT_CHANGED).detail == {
        "reason": REASON, "price_fen_before": 3000, "price_fen_after": 2900, "order_number_before": "",
        "order_number_after": "A-7", "note_before": "", "note_after": "发票已开",
    }  # fmt: skip
    assert entries(lot) == [("purchase", 10, 10)], "no call moved"


def test_facts_that_are_the_same_are_no_change(context: Flask) -> None:
    lot = buy(10)

    assert change(lot) is False

    assert db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.LOT_CHANGED)).all() == []


def test_what_had_lapsed_comes_back_when_the_lot_was_valid_longer(context: Flask) -> None:
    lot = buy(10, expires_on=YESTERDAY)
    lapse(TODAY)
    assert queries.balance(TODAY, 0).total == 0

    change(lot, expires_on=TOMORROW)

    assert figures(lot) == (10, 0, 0, 0)
    assert entries(lot)[-2:] == [("lapse", -10, 0), ("reinstatement", 10, 10)]
    assert queries.balance(TODAY, 0).remaining == 10
    assert state_of(lot) is LotState.VALID
    assert queries.recount() == []


def test_what_is_left_lapses_at_once_when_the_lot_was_over_already(context: Flask) -> None:
    lot = buy(10)
    call, _lot = hold()

    change(lot, expires_on=YESTERDAY)

    assert figures(lot) == (0, 1, 0, 9)
    assert state_of(lot) is LotState.EXPIRED
    release(call, lot)
    assert figures(lot) == (0, 0, 0, 10), "a call that comes back to it lapses too"


def test_a_lot_that_begins_later_after_all_serves_no_call_yet(context: Flask) -> None:
    lot = buy(10)

    change(lot, bought_on=TOMORROW)

    assert state_of(lot) is LotState.UPCOMING
    assert hold()[1] is None
    assert hold(TOMORROW)[1] == lot


def test_a_closed_lot_serves_no_call_and_its_rest_is_written_off_with_reason_and_person(context: Flask) -> None:
    lot = buy(10)

    assert close(lot) == 10

    assert figures(lot) == (0, 0, 0, 10)
    entry = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    assert (entry.kind, entry.change, entry.reason, entry.actor_id) == ("write_off", -10, REASON, ADMIN.id)
    assert (hold()[1], queries.balance(TODAY, 0).total, state_of(lot)) == (None, 0, LotState.CLOSED)
    assert queries.lots_ending(TODAY, date.max) == [], "nobody is reminded of its end"
    assert record_of(Action.LOT_CLOSED).detail == {"reason": REASON, "written_off": 10}


@pytest.mark.parametrize(("ends", "expected"), [(charge, (0, 0, 1, 9)), (release, (0, 0, 0, 10))])
def test_a_call_held_when_its_lot_was_closed_is_charged_to_it_or_written_off(
    context: Flask, ends: Callable[[int, int | None], None], expected: tuple[int, ...]
) -> None:
    lot = buy(10)
    call, _lot = hold()
    close(lot)

    ends(call, lot)

    assert figures(lot) == expected
    assert queries.recount() == []


def test_reopening_brings_back_what_was_written_off(context: Flask) -> None:
    lot = buy(10)
    close(lot)

    assert reopen(lot) == 10

    assert figures(lot) == (10, 0, 0, 0)
    assert state_of(lot) is LotState.VALID
    assert entries(lot)[-2:] == [("write_off", -10, 0), ("reinstatement", 10, 10)]


def test_reopening_a_lot_that_expired_meanwhile_brings_nothing_back(context: Flask) -> None:
    lot = buy(10, expires_on=TODAY)
    close(lot)

    assert reopen(lot, TOMORROW) == 0

    assert figures(lot) == (0, 0, 0, 10)


def test_a_refund_takes_calls_and_money_off_the_lot_and_writes_the_rest_off(context: Flask) -> None:
    lot = buy(10, price_fen=3000)
    call, _lot = hold()
    charge(call, lot)

    refund(lot, 8, 2400)

    stored = db.session.get_one(Lot, lot, populate_existing=True)
    assert (stored.calls, stored.price_fen, stored.refunded_fen) == (2, 600, 2400), "the kept calls at their price"
    assert entries(lot)[-2:] == [("refund", -8, 1), ("write_off", -1, 0)]
    assert state_of(lot) is LotState.CLOSED
    assert record_of(Action.LOT_REFUNDED).detail == {"reason": REASON, "calls": 8, "fen": 2400}
    assert queries.recount() == []


@pytest.mark.parametrize(
    ("calls", "fen", "fault"), [(10, 100, NotSoMany), (0, 100, NotSoMany), (-1, 0, NotSoMany), (5, 3001, MoreThanPaid)]
)
def test_no_refund_is_more_than_what_is_left_or_was_paid(
    context: Flask, calls: int, fen: int, fault: type[Exception]
) -> None:
    lot = buy(10, price_fen=3000)
    hold()

    with pytest.raises(fault):
        refund(lot, calls, fen)

    assert figures(lot) == (9, 1, 0, 0)
    assert db.session.get_one(Lot, lot).price_fen == 3000


def test_no_money_comes_back_for_a_lot_whose_price_is_not_known(context: Flask) -> None:
    lot = buy(10)

    with pytest.raises(NoPrice):
        refund(lot, 5, 1)

    refund(lot, 5, 0)
    assert figures(lot) == (0, 0, 0, 5)


def test_nothing_is_done_twice_to_a_closed_lot(context: Flask) -> None:
    lot = buy(10)
    with pytest.raises(NotClosed):
        reopen(lot)
    close(lot)

    for act in (close, partial(refund, calls=1), partial(correct, change=1)):
        with pytest.raises(LotClosed):
            act(lot)

    assert entries(lot) == [("purchase", 10, 10), ("write_off", -10, 0)]


def test_another_order_number_is_asked_about_when_a_lot_has_it(context: Flask) -> None:
    buy(5, order_number="A-1")
    lot = buy(10, order_number="A-2")

    with pytest.raises(SameOrder):
        change(lot, order_number="A-1")

    assert db.session.get_one(Lot, lot, populate_existing=True).order_number == "A-2"


@pytest.mark.parametrize("end", [close, partial(refund, calls=1)])
def test_a_lot_that_ends_while_many_draw_from_it_loses_and_doubles_nothing(
    app: Flask, end: Callable[[int], object]
) -> None:
    """Each call is held by the lot or by none, and every call of the lot is somewhere."""
    with app.app_context():
        lot = buy(100)
    held: list[int | None] = []

    def draw() -> None:
        with app.app_context():
            held.append(hold()[1])
            db.session.remove()

    def stop() -> None:
        with app.app_context():
            end(lot)
            db.session.remove()

    together(*[draw] * 12, stop, *[draw] * 12)

    with app.app_context():
        available, of_lot, charged, lapsed = figures(lot)
        assert (available, of_lot, charged) == (0, held.count(lot), 0)
        assert len(held) == 24
        assert of_lot + lapsed == db.session.get_one(Lot, lot).calls
        assert queries.recount() == []
        db.session.remove()


@pytest.mark.parametrize("days", [1, 3])
def test_what_a_correction_adds_to_an_expired_lot_lapses_at_once(context: Flask, days: int) -> None:
    lot = buy(10, expires_on=TODAY - timedelta(days=days))
    assert lapse(TODAY)

    assert correct(lot, 15) == 0

    assert entries(lot)[-2:] == [("correction", 15, 15), ("lapse", -15, 0)]
    assert figures(lot) == (0, 0, 0, 25)
    assert queries.recount() == []
