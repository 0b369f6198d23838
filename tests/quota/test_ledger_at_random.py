"""Whatever is bought, held, charged, released, settled, corrected, refunded, closed and lapsed, in whatever order and
however the clock steps: the books agree with a plain model, and no entry that was made is ever touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from tests.quota import books
from tests.support.cast import NOW
from webapp.foundation import runtime
from webapp.foundation.database import db, transaction
from webapp.quota import append_only, drawing, ledger, queries
from webapp.quota.ledger import LotClosed, NotSoMany
from webapp.quota.models import LedgerEntry, Lot
from webapp.quota.operations import MoreThanPaid, NotClosed
from webapp.quota.rules import DrawOrder
from webapp.verification.models import Decision, Settlement, Verification

FIRST_DAY = date(2026, 11, 2)
PRICE = 1000
EXAMPLES = {"sqlite": 30, "postgresql": 10}
WHICH = st.integers(0, 1000)
LOT = st.tuples(st.integers(1, 6), st.integers(-3, 1), st.integers(1, 7), st.integers(0, 2))
"""Calls, bought so many days from today, valid for so many, and how many were used before."""
LOT_FIGURES = (Lot.calls, Lot.available, Lot.held, Lot.charged, Lot.lapsed, Lot.used_before)


@dataclass
class ModelLot:
    """What a lot should be, in plain arithmetic."""

    bought_on: date
    expires_on: date
    calls: int
    available: int
    used_before: int
    held: int = 0
    charged: int = 0
    lapsed: int = 0
    closed: bool = False
    refunded_fen: int = 0

    @property
    def figures(self) -> tuple[int, ...]:
        return self.calls, self.available, self.held, self.charged, self.lapsed, self.used_before

    def has_ended(self, today: date) -> bool:
        return self.closed or self.expires_on < today

    def serves(self, today: date) -> bool:
        return self.bought_on <= today and not self.has_ended(today)

    def end(self, today: date) -> None:
        """What is left of a lot that is over ends unused."""
        if self.has_ended(today):
            self.lapsed, self.available = self.lapsed + self.available, 0

    def follow(self, today: date) -> None:
        """After its facts changed: what is left ends, or what ended comes back."""
        self.end(today)
        if not self.has_ended(today):
            self.available, self.lapsed = self.available + self.lapsed, 0


class Books(RuleBasedStateMachine):
    """Moves the ledger and a model of it at once."""

    @initialize(first=LOT, second=LOT)
    def open_with_two_lots(self, first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> None:
        with transaction() as session, append_only.leave():
            for model in (Settlement, LedgerEntry, Verification, Lot):
                session.execute(delete(model))
            runtime.clear(drawing.DRAW_ORDER)
        self.today = FIRST_DAY
        self.lots: dict[int, ModelLot] = {}
        self.open: list[tuple[int, int | None]] = []
        self.uncovered = 0
        self.made: list[tuple[Any, ...]] = []
        self.buy(first)
        self.buy(second)

    @rule(lot=LOT)
    def buy(self, lot: tuple[int, int, int, int]) -> None:
        calls, bought, valid, used = lot
        bought_on, used = self.today + timedelta(days=bought), min(calls, used)
        expires_on = bought_on + timedelta(days=valid)
        number = books.buy(calls, bought_on, expires_on, price_fen=PRICE, used_before=used)
        self.lots[number] = ModelLot(bought_on, expires_on, calls, calls - used, used)

    @rule(order=st.sampled_from(DrawOrder), many=st.integers(1, 3))
    def hold(self, order: DrawOrder, many: int) -> None:
        books.use_first(order)
        for _ in range(many):
            expected = self._next(order)
            assert queries.next_lot(self.today) == expected

            call, lot = books.hold(self.today)

            assert lot == expected
            self.open.append((call, lot))
            if lot is not None:
                self.lots[lot].available -= 1
                self.lots[lot].held += 1

    @precondition(lambda self: self.open)
    @rule(ends=st.lists(st.tuples(WHICH, st.booleans(), st.booleans()), min_size=1, max_size=3))
    def end_calls(self, ends: list[tuple[int, bool, bool]]) -> None:
        for which, charged, by_a_person in ends[: len(self.open)]:
            call, lot = self.open.pop(which % len(self.open))
            self._end(call, lot, charged=charged, by_a_person=by_a_person)
            if lot is None:
                self.uncovered += charged
                continue
            self.lots[lot].held -= 1
            if charged:
                self.lots[lot].charged += 1
            else:
                self.lots[lot].available += 1
                self.lots[lot].end(self.today)

    @rule(which=WHICH, change=st.integers(-4, 4).filter(bool))
    def correct(self, which: int, change: int) -> None:
        number, lot = self._some(which)
        if self._refused(lambda: books.correct(number, change, self.today), {
            LotClosed: lot.closed, NotSoMany: lot.available + change < 0,
        }):  # fmt: skip
            return
        lot.calls, lot.available = lot.calls + change, lot.available + change
        lot.end(self.today)

    @rule(which=WHICH, change=st.integers(-4, 4).filter(bool))
    def use_elsewhere(self, which: int, change: int) -> None:
        number, lot = self._some(which)
        too_many = lot.available + change < 0 or change > lot.used_before
        if self._refused(lambda: books.use_elsewhere(number, change, self.today), {
            LotClosed: lot.closed, NotSoMany: too_many,
        }):  # fmt: skip
            return
        lot.used_before, lot.available = lot.used_before - change, lot.available + change
        lot.end(self.today)

    @rule(which=WHICH, calls=st.integers(1, 3), fen=st.sampled_from([0, 300, 1100]))
    def refund(self, which: int, calls: int, fen: int) -> None:
        number, lot = self._some(which)
        if self._refused(lambda: books.refund(number, calls, fen, self.today), {
            LotClosed: lot.closed, NotSoMany: calls > lot.available, MoreThanPaid: fen > PRICE - lot.refunded_fen,
        }):  # fmt: skip
            return
        lot.calls, lot.available = lot.calls - calls, lot.available - calls
        lot.refunded_fen, lot.closed = lot.refunded_fen + fen, True
        lot.end(self.today)

    @rule(which=WHICH, closed=st.booleans())
    def close_or_reopen(self, which: int, closed: bool) -> None:
        number, lot = self._some(which)
        act, no = (books.close, LotClosed) if closed else (books.reopen, NotClosed)
        if not self._refused(lambda: act(number, self.today), {no: lot.closed == closed}):
            lot.closed = closed
            lot.follow(self.today)

    @rule(which=WHICH, bought=st.integers(-3, 2), valid=st.integers(0, 6))
    def move(self, which: int, bought: int, valid: int) -> None:
        number, lot = self._some(which)
        bought_on = self.today + timedelta(days=bought)
        expires_on = bought_on + timedelta(days=valid)
        changed = (bought_on, expires_on) != (lot.bought_on, lot.expires_on)

        assert books.change(number, self.today, bought_on=bought_on, expires_on=expires_on) == changed

        lot.bought_on, lot.expires_on = bought_on, expires_on
        if changed:
            lot.follow(self.today)

    @rule(days=st.integers(-2, 4), written_off=st.booleans())
    def clock_steps(self, days: int, written_off: bool) -> None:
        self.today += timedelta(days=days)
        if written_off:
            while books.lapse(self.today):
                pass
            for lot in self.lots.values():
                lot.end(self.today)

    def _end(self, call: int, lot: int | None, *, charged: bool, by_a_person: bool) -> None:
        if by_a_person:
            books.settle(call, Decision.CHARGED if charged else Decision.NOT_CHARGED, self.today)
        elif charged:
            books.charge(call, lot)
        else:
            books.release(call, lot, self.today)

    def _next(self, order: DrawOrder) -> int | None:
        usable = [(number, lot) for number, lot in self.lots.items() if lot.serves(self.today) and lot.available]
        by_expiry = order is DrawOrder.EXPIRY
        turns = [
            ((lot.expires_on, lot.bought_on) if by_expiry else (lot.bought_on, lot.expires_on), number)
            for number, lot in usable
        ]
        return min(turns)[1] if turns else None

    def _some(self, which: int) -> tuple[int, ModelLot]:
        return list(self.lots.items())[which % len(self.lots)]

    def _refused(self, act: Callable[[], object], because: dict[type[Exception], bool]) -> bool:
        """Does it; whether it was refused, which it must be for the first reason that is true."""
        expected = next((fault for fault, true in because.items() if true), None)
        if expected is None:
            act()
            return False
        with pytest.raises(expected):
            act()
        return True

    @invariant()
    def books_agree_with_the_model(self) -> None:
        db.session.rollback()
        stored = {row[0]: tuple(row[1:]) for row in db.session.execute(select(Lot.id, *LOT_FIGURES))}
        assert stored == {number: lot.figures for number, lot in self.lots.items()}
        for calls, *parts in stored.values():
            assert min(parts) >= 0
            assert sum(parts) == calls
        held = sum(figures[2] for figures in stored.values())
        assert held == sum(lot is not None for _call, lot in self.open), "every hold is that of an open call"
        valid = [lot for lot in self.lots.values() if lot.serves(self.today)]
        balance = queries.balance(self.today, 0)
        assert (balance.remaining, balance.held) == (
            sum(lot.available for lot in valid),
            sum(lot.held for lot in valid),
        )
        assert (balance.total, queries.charged_on_no_lot()) == (sum(lot.calls for lot in valid), self.uncovered)

    @invariant()
    def what_was_paid_is_kept_or_came_back(self) -> None:
        money = db.session.execute(select(Lot.id, Lot.price_fen, Lot.refunded_fen)).all()
        assert {row[0]: row[2] for row in money} == {number: lot.refunded_fen for number, lot in self.lots.items()}
        assert all((price or 0) + refunded == PRICE for _lot, price, refunded in money)

    @invariant()
    def ledger_makes_every_figure(self) -> None:
        assert queries.recount() == []
        running: dict[int | None, int] = {}
        for entry in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)):
            running[entry.lot_id] = running.get(entry.lot_id, 0) + entry.change
            assert entry.available_after == running[entry.lot_id]

    @invariant()
    def entries_are_added_and_never_changed(self) -> None:
        table = LedgerEntry.__table__
        stored = [tuple(row) for row in db.session.execute(select(table).order_by(table.c.id))]
        assert stored[: len(self.made)] == self.made
        self.made = stored


def test_the_books_agree_after_any_sequence_of_movements(context: Flask) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=EXAMPLES[db.engine.dialect.name],
            stateful_step_count=25,
            derandomize=True,
            phases=[Phase.generate],  # a failing sequence is short; making it shorter takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_movement_that_forgets_its_entry_would_be_noticed(context: Flask) -> None:
    """The proof's own proof: an honest-looking update of the cached figures alone does not pass."""
    lot = books.buy(3)
    with transaction() as session:
        session.get_one(Lot, lot).available -= 1
        session.get_one(Lot, lot).held += 1

    assert {one.what for one in queries.recount()} == {f"lot {lot} available", f"lot {lot} held"}
    with transaction():
        ledger.hold(books.new_call(), FIRST_DAY, NOW)
    assert len(queries.recount()) == 2, "later movements do not hide it"
