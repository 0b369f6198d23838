"""Many operators at one moment: every call is counted once, on the right lot, and what no lot covers is said so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Flask
from sqlalchemy import func, select

from tests.conftest import MakeApp
from tests.support.waiting import Tally, together
from tests.verification.calls import MATCH, ask_at_last, buy, differences, lot_figures, outcomes, somebody
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.foundation.limits import Subject
from webapp.notify.notices import Notice
from webapp.quota import queries as quota
from webapp.quota.models import EntryKind, LedgerEntry
from webapp.usage import counters, queries
from webapp.vendor.circuit import CallsStopped
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.limits import LimitReached

THREADS = 64
LOT = 50


def calls(app: Flask, many: int, name: str | None = None, first: int = 0) -> list[Callable[[], object]]:
    """One call for each of that many people, from the `first` on; `name`: all under this name."""

    def one(n: int) -> int:
        person = somebody(n)
        return ask_at_last(app, (name or person[0], person[1]))

    return [partial(one, first + n) for n in range(many)]


def test_a_lot_of_fifty_covers_exactly_fifty_of_sixty_four_calls(app: Flask, sandbox: Sandbox) -> None:
    lot = buy(app, LOT)

    together(*calls(app, THREADS))

    counts = sandbox.counts()
    assert (counts.charged, counts.charged_twice) == (THREADS, 0)
    assert lot_figures(app, lot) == (0, 0, LOT)
    assert sum(outcomes(app).values()) == THREADS
    assert {billed for _outcome, billed, _cause in outcomes(app)} == {"yes"}
    with app.app_context():
        balance = quota.balance(day_of(utc_now(), this_instance().settings.zone), 0)
        assert (balance.remaining, balance.uncovered) == (0, THREADS - LOT)
        after = db.session.scalars(
            select(LedgerEntry.available_after).where(LedgerEntry.lot_id == lot, LedgerEntry.kind == EntryKind.HOLD)
        ).all()
        assert sorted(after) == list(range(LOT)), "each hold left one call less than another"
    assert differences(app) == []


def test_many_lots_are_drawn_to_their_last_call(app: Flask) -> None:
    lots = [buy(app, 5) for _ in range(6)]

    together(*(lambda n=n: ask_at_last(app, somebody(n), lambda *_: MATCH) for n in range(32)))

    assert [lot_figures(app, lot) for lot in lots] == [(0, 0, 5)] * 6
    assert differences(app) == []


def test_the_vendor_charges_what_our_books_call_charged_or_unknown(make_app: MakeApp, sandbox: Sandbox) -> None:
    app = make_app(VENDOR_READ_TIMEOUT="1", VENDOR_DEADLINE="3")
    lot = buy(app, 100)
    names = [
        None,
        "演练信息不匹配",
        "演练超时已计次",
        "演练正文中断",
        "演练重置已计次",
        "演练请求头错误",
        "演练后端报错",
    ]

    together(*(work for at, name in enumerate(names) for work in calls(app, 4, name, first=100 * at)))

    stored = outcomes(app)
    charged = sum(n for (_outcome, billed, _cause), n in stored.items() if billed == "yes")
    unknown = sum(n for (_outcome, billed, _cause), n in stored.items() if billed == "unknown")
    released = sum(n for (_outcome, billed, _cause), n in stored.items() if billed == "no")
    assert sandbox.counts().charged == charged + unknown
    assert (charged, unknown, released) == (8, 12, 8)
    assert lot_figures(app, lot) == (100 - charged - unknown, unknown, charged)
    assert differences(app) == []


def test_a_used_up_quota_met_by_many_at_once_loses_no_outcome_and_is_told_once(app: Flask, sandbox: Sandbox) -> None:
    sandbox.change(quota=0)
    lot = buy(app, 100)

    stopped = Tally()

    def try_it(call: Callable[[], object]) -> None:
        try:
            call()
        except CallsStopped:
            stopped.add(1)

    together(*(lambda call=call: try_it(call) for call in calls(app, 32)))

    received = sandbox.counts().received
    assert received > 0
    assert received + stopped.value == 32
    assert outcomes(app) == {("refused", "no", "quota_exhausted"): received}
    assert lot_figures(app, lot) == (100, 0, 0)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Notice)) == 1
    assert differences(app) == []


def test_charts_are_folded_while_calls_are_made(app: Flask) -> None:
    buy(app, 100)

    def fold() -> None:
        with app.app_context():
            for _ in range(20):
                counters.fold(this_instance().settings.zone)

    together(fold, fold, *(lambda n=n: ask_at_last(app, somebody(n), lambda *_: MATCH) for n in range(32)))

    with app.app_context():
        assert sum(queries.totals().values()) == 32
    assert differences(app) == []


def test_a_limit_holds_against_many_at_once(make_app: MakeApp, sandbox: Sandbox) -> None:
    for subject, same in ((Subject.OPERATOR, None), (Subject.NAME, "同一名")):
        sandbox.reset()
        app = make_app(LIMITS=f"{subject}=5/day")
        reached = Tally()

        def limited(call: Callable[[], object], reached: Tally = reached) -> None:
            try:
                call()
            except LimitReached:
                reached.add(1)

        together(*(lambda call=call: limited(call) for call in calls(app, 24, same)))

        assert (sandbox.counts().received, reached.value) == (5, 19)
