"""The ledger: every movement of calls, and the figures that it makes."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.quota.books import TODAY, buy, change, charge, entries, figures, hold, lapse, release
from tests.support.cast import NOW
from tests.support.tampering import behind
from webapp.foundation.database import db, transaction
from webapp.quota import append_only, ledger, queries
from webapp.quota.models import EntryKind, LedgerEntry, LedgerLeave
from webapp.quota.rules import Balance

pytestmark = pytest.mark.usefixtures("context")

TOMORROW = TODAY + timedelta(days=1)


def test_a_purchase_is_the_first_entry_of_its_lot() -> None:
    lot = buy(1000)

    assert figures(lot) == (1000, 0, 0, 0)
    assert entries(lot) == [("purchase", 1000, 1000)]
    assert queries.balance(TODAY, 0) == Balance(1000, 1000, 0, 0, 0)


def test_a_call_is_held_first_and_then_charged() -> None:
    lot = buy(10)

    call, held_by = hold()
    assert (held_by, figures(lot)) == (lot, (9, 1, 0, 0))

    charge(call, lot)
    assert figures(lot) == (9, 0, 1, 0)
    assert entries(lot) == [("purchase", 10, 10), ("hold", -1, 9), ("charge", 0, 9)]


def test_a_released_call_comes_back() -> None:
    lot = buy(10)
    call, _lot = hold()

    release(call, lot)

    assert figures(lot) == (10, 0, 0, 0)
    assert entries(lot) == [("purchase", 10, 10), ("hold", -1, 9), ("release", 1, 10)]


def test_calls_are_drawn_from_the_lot_that_expires_first_then_from_the_one_bought_first() -> None:
    late = buy(1, date(2026, 1, 1), date(2027, 6, 30))
    young = buy(1, date(2026, 5, 1), date(2026, 12, 31))
    old = buy(1, date(2026, 2, 1), date(2026, 12, 31))
    twin = buy(1, date(2026, 2, 1), date(2026, 12, 31))

    assert [hold()[1] for _ in range(5)] == [old, twin, young, late, None]


def test_a_lot_serves_from_the_day_it_was_bought_to_its_last_valid_day() -> None:
    lot = buy(10, bought_on=TODAY, expires_on=TODAY)

    assert hold(TODAY - timedelta(days=1))[1] is None
    assert hold(TODAY)[1] == lot
    assert hold(TOMORROW)[1] is None


def test_only_lots_valid_today_make_the_balance() -> None:
    buy(5, bought_on=TOMORROW, expires_on=date(2027, 12, 31))
    buy(7, expires_on=TODAY - timedelta(days=1))
    buy(11)
    hold()

    assert queries.balance(TODAY, 0) == Balance(remaining=10, total=11, held=1, unknown=0, uncovered=0)


def test_a_call_that_no_lot_covers_is_recorded_and_counts_as_uncovered_when_charged() -> None:
    accepted, refused = hold()[0], hold()[0]

    charge(accepted, None)
    release(refused, None)

    assert entries(None) == [("hold", 0, 0), ("hold", 0, 0), ("charge", 0, 0), ("release", 0, 0)]
    assert queries.charged_on_no_lot() == 1


def test_what_is_left_lapses_after_the_last_valid_day_and_not_before() -> None:
    lot = buy(10, expires_on=TODAY)
    call, _lot = hold()
    charge(call, lot)

    assert lapse(TODAY) is False
    assert lapse(TOMORROW) is True
    assert lapse(TOMORROW) is False, "there is nothing left to write off"

    assert figures(lot) == (0, 0, 1, 9)
    assert entries(lot)[-1] == ("lapse", -9, 0)


def test_a_call_released_after_its_lot_expired_lapses_at_once() -> None:
    lot = buy(10, expires_on=TODAY)
    call, _lot = hold()
    lapse(TOMORROW)
    assert figures(lot) == (0, 1, 0, 9), "a held call does not lapse: it may have been charged"

    release(call, lot, TOMORROW)

    assert figures(lot) == (0, 0, 0, 10)
    assert entries(lot)[-2:] == [("release", 1, 1), ("lapse", -1, 0)]


def test_a_call_held_on_an_expired_lot_is_still_charged_to_it() -> None:
    lot = buy(10, expires_on=TODAY)
    call, _lot = hold()
    lapse(TOMORROW)

    charge(call, lot)

    assert figures(lot) == (0, 0, 1, 9)


def test_a_lot_without_a_held_call_refuses_to_charge_or_release() -> None:
    lot = buy(10)
    call, _lot = hold()
    charge(call, lot)

    for again in (charge, release):
        with pytest.raises(RuntimeError, match="holds no call"):
            again(call, lot)

    assert figures(lot) == (9, 0, 1, 0)
    assert len(entries(lot)) == 3


def test_nothing_moves_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="inside transaction"):
        ledger.hold(1, TODAY, NOW)


def test_a_transaction_that_fails_moves_nothing() -> None:
    lot = buy(10)
    call, _lot = hold()

    def charge_and_fail() -> None:
        with transaction():
            ledger.charge(call, lot, NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        charge_and_fail()

    assert figures(lot) == (9, 1, 0, 0)


def test_no_figure_of_a_lot_can_go_below_zero(database: str) -> None:
    lot = buy(10)

    for figure in ("available", "held", "charged", "lapsed"):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(f"UPDATE lot SET {figure} = -1 WHERE id = {lot}"))  # noqa: S608


@pytest.mark.parametrize("figure", ["available", "held", "charged", "lapsed", "calls"])
def test_recounting_names_a_figure_that_was_tampered_with(context: Flask, figure: str) -> None:
    honest, tampered = buy(10), buy(20)
    assert queries.recount() == []

    with transaction() as session:
        session.execute(text(f"UPDATE lot SET {figure} = {figure} + 1 WHERE id = {tampered}"))  # noqa: S608

    (found,) = queries.recount()
    assert found.what == f"lot {tampered} {figure}"
    assert found.cached == found.recounted + 1
    assert figures(honest) == (10, 0, 0, 0)


def test_recounting_names_a_closed_lot_that_has_calls_all_the_same() -> None:
    lot = buy(10)
    with transaction() as session:
        session.execute(text("UPDATE lot SET closed_at = '2026-11-02 04:00:00'"))

    assert [(one.what, one.cached) for one in queries.recount()] == [(f"lot {lot} available though closed", 10)]


WRITES = re.compile(r"\b(?:update|delete|put)\((?:LedgerEntry|DeductionRule)\b")


def test_no_statement_of_the_product_changes_or_removes_an_entry_or_a_rule() -> None:
    files = sorted((Path(__file__).parents[2] / "webapp").rglob("*.py"))

    assert [path.name for path in files if WRITES.search(path.read_text(encoding="utf-8"))] == [
        "closing.py"  # of retention: the entries go into the closing balance of their lot
    ]
    assert WRITES.search("session.execute(delete(LedgerEntry).where(…))")


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_entry SET reason = 'other'", "DELETE FROM ledger_entry WHERE kind = 'charge'"]
)
def test_the_database_itself_refuses_to_change_or_remove_an_entry(statement: str) -> None:
    lot = buy(10)
    call, _lot = hold()
    charge(call, lot)
    before = entries(lot)

    with pytest.raises(DBAPIError, match="the ledger is append-only"), transaction() as session:
        session.execute(text(statement))

    assert entries(lot) == before


@pytest.mark.parametrize("replacing", [
    "id, at, lot_id, kind, change, available_after, reason) "
    "SELECT id, at, lot_id, kind, 50, 50, '' FROM ledger_entry WHERE kind = 'purchase'",
    "at, lot_id, kind, change, available_after, verification_id, reason) "
    "SELECT at, lot_id, kind, 0, 10, verification_id, '' FROM ledger_entry WHERE kind = 'hold'",
])  # fmt: skip
def test_an_entry_is_not_replaced_by_another_of_its_number_or_of_its_call(replacing: str) -> None:
    lot = buy(10)
    hold()
    before = entries(lot)
    on_sqlite = db.engine.dialect.name == "sqlite"

    with pytest.raises(DBAPIError, match="append-only" if on_sqlite else "unique"), transaction() as session:
        session.execute(text(f"INSERT {'OR REPLACE ' if on_sqlite else ''}INTO ledger_entry ({replacing}"))

    assert entries(lot) == before


def test_who_may_remove_entries_says_so_in_the_same_transaction_and_may_not_change_them_either() -> None:
    lot = buy(10)
    with transaction() as session:
        with append_only.leave():
            session.execute(text("DELETE FROM ledger_entry"))
        assert session.scalar(select(func.count()).select_from(LedgerLeave)) == 0
    assert entries(lot) == []

    other = buy(5)
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(text("DELETE FROM ledger_entry"))  # outside its block no leave holds
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session, append_only.leave():
        session.execute(text("UPDATE ledger_entry SET change = 1"))
    assert entries(other) == [("purchase", 5, 5)]


def test_recounting_notices_an_entry_that_was_removed(context: Flask) -> None:
    lot = buy(10)
    call, _lot = hold()
    charge(call, lot)

    behind(context, "DELETE FROM ledger_entry WHERE kind = 'charge'")
    db.session.rollback()

    assert {one.what for one in queries.recount()} == {f"lot {lot} held", f"lot {lot} charged"}


def test_the_newest_change_is_also_one_by_which_a_person_let_a_lot_end() -> None:
    lot = buy(10)
    change(lot, expires_on=TODAY - timedelta(days=1))

    with transaction() as session:
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
        assert (entry.kind, queries.newest_change_at()) == (EntryKind.LAPSE, entry.at)
