"""Facts that go: what charts and books need of them stands as counts and closing balances, exact in every zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from tests.receipts.papers import answer_of, paper_of, prove
from tests.receipts.papers import said as words_of
from tests.retention import ages
from tests.retention.ages import DAY, ask_then, fold, identities, night
from tests.support.cast import ADMIN, NOW, OPERATOR, Desk
from tests.support.tampering import behind
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, buy, differences, lot_figures, somebody, who
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.models import LedgerClosing, LedgerEntry
from webapp.reconciliation import operations as reconciliation
from webapp.retention import batches, holds, purging
from webapp.retention.models import PurgeRun
from webapp.retention.rules import Kind
from webapp.usage.models import UsageClosing
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import rollups
from webapp.verification.models import Verification

MakeApp = Callable[..., Flask]
HURDLES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
YEARS = 1096 * DAY


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The product, letting facts go after three years, with a lot."""
    app = make_app(KEEP_FACTS="1096", KEEP_IDENTITY="30")
    buy(app, 1000)
    return app


def facts(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Verification.id).order_by(Verification.id)))


def counted_without_zeros(app: Flask) -> dict[str, set[tuple[Any, ...]]]:
    """What charts are made of, all folded."""
    fold(app)
    return {name: {row for row in rows if row[-1]} for name, rows in ages.counted(app).items()}


def rebuild(app: Flask, zone: str = "Asia/Shanghai") -> int:
    with app.app_context():
        calls = rollups.rebuild(ZoneInfo(zone))
        db.session.remove()
    return calls


def made(app: Flask) -> None:
    """Calls of many days and outcomes, some too young, one that no lot covers."""
    for n in range(9):
        reply = (MATCH, REFUSED, MATCH)[n % 3]
        ask_then(app, somebody(n), YEARS + DAY + (9 - n) * DAY / 3 + timedelta(minutes=n * 7), reply)
    for n in range(3):
        ask_then(app, somebody(20 + n), (40 - n) * DAY)


def test_facts_go_and_charts_books_and_check_are_what_they_were(app: Flask) -> None:
    made(app)
    before, lot = counted_without_zeros(app), lot_figures(app, 1)

    night(app)

    assert facts(app) == [10, 11, 12]
    assert differences(app) == []
    assert (counted_without_zeros(app), lot_figures(app, 1)) == (before, lot)
    with app.app_context():
        assert set(db.session.scalars(select(LedgerEntry.verification_id))) == {10, 11, 12, None}
        assert quota.recount() == []
        assert db.session.scalar(select(func.sum(LedgerClosing.holds))) == 9
    page = Desk(app, ADMIN).get("/quota/lots/1", headers={"Accept-Language": "en"})
    assert "18 entries of old calls were let go" in words_of(page)
    assert page.text.count("data-entry") == 7, "the purchase, and what is left of three calls"


def test_counting_anew_gives_the_same_in_every_zone(app: Flask) -> None:
    made(app)
    zones = "Asia/Kathmandu", "Asia/Shanghai"
    before = {}
    for zone in zones:
        assert rebuild(app, zone) == 12
        before[zone] = counted_without_zeros(app)

    night(app)

    for zone in zones:
        assert rebuild(app, zone) == 12, "calls are counted, with and without their facts"
        assert counted_without_zeros(app) == before[zone], zone
    assert differences(app) == []


def test_what_is_not_folded_yet_is_counted_once(app: Flask) -> None:
    made(app)

    night(app)

    assert differences(app) == []
    rebuild(app)
    assert differences(app) == []


def test_a_wrong_closing_is_found(app: Flask) -> None:
    made(app)
    night(app)
    with app.app_context(), transaction() as session:
        session.execute(update(LedgerClosing).values(charges=LedgerClosing.charges + 1))
        first = session.scalars(select(UsageClosing).order_by(UsageClosing.at)).first()
        assert first is not None
        first.calls += 1

    found = differences(app)

    assert any("lot 1 charged" in one for one in found)
    assert any(one.startswith("calls of") for one in found)


def test_a_fact_with_a_receipt_stays_and_is_proven(app: Flask, sandbox: Sandbox) -> None:
    Desk(app, OPERATOR).verify("张三", "11010519491231002X")
    Desk(app, OPERATOR).verify("李四", "440524188001010014")
    paper = paper_of(app)

    night(app, NOW + 20_000 * DAY)

    assert facts(app) == [1]
    assert identities(app) == []
    assert answer_of(prove(Desk(app, None), paper.entered())) == "true"
    assert differences(app) == []


def test_a_fact_goes_with_its_reuses_and_settlements(app: Flask, sandbox: Sandbox) -> None:
    operator = Desk(app, OPERATOR)
    operator.verify("张三", "11010519491231002X")
    operator.verify("张三", "11010519491231002X", reference="A-2")

    night(app, NOW + 20_000 * DAY)

    assert facts(app) == []
    assert differences(app) == []
    assert Desk(app, ADMIN).get("/reuses/1").status_code == 404
    assert Desk(app, ADMIN).get("/verifications/1").status_code == 404


def test_what_is_open_or_held_stays(app: Flask) -> None:
    unsettled = ask_then(app, somebody(1), YEARS + 9 * DAY, UNKNOWN)
    held = ask_then(app, somebody(2), YEARS + 8 * DAY)
    lifted = ask_then(app, somebody(3), YEARS + 7 * DAY)
    with app.app_context():
        holds.hold_verification(held, "case 7", who(ADMIN), this_instance(), NOW)
        other = holds.hold_verification(lifted, "case 8", who(ADMIN), this_instance(), NOW)
        assert holds.lift(other, "over", who(ADMIN), this_instance(), NOW)

    night(app)

    assert facts(app) == [unsettled, held]
    with app.app_context():
        run = purging.last_run(Kind.FACTS)
        assert run is not None
        assert (run.removed, run.spared) == (1, 2)


def test_calls_of_the_day_that_books_are_compared_from_stay(app: Flask) -> None:
    at = NOW - YEARS - 5 * DAY
    ask_then(app, somebody(1), NOW - at + DAY)
    same_day = ask_then(app, somebody(2), NOW - at - timedelta(hours=1))
    ask_then(app, somebody(3), NOW - at - 2 * DAY)
    with app.app_context():
        reconciliation.enter(5, 100, who(ADMIN), this_instance(), at)

    night(app)

    assert facts(app) == [same_day]


@pytest.mark.parametrize(("tampered", "figures"), [
    ("UPDATE ledger_closing SET change = change + 50; UPDATE lot SET available = available + 50", ["change"]),
    ("UPDATE ledger_closing SET holds = holds + 20, charges = charges + 20; UPDATE lot SET charged = charged + 20",
     ["holds", "charges"]),
    ("UPDATE ledger_closing SET releases = releases + 1, charges = charges - 1; UPDATE lot SET charged = charged - 1",
     ["charges", "releases"]),
])  # fmt: skip
def test_a_closing_balance_that_is_not_that_of_its_calls_is_named(
    app: Flask, tampered: str, figures: list[str]
) -> None:
    made(app)
    night(app)
    assert differences(app) == []

    behind(app, *tampered.split("; "))

    found = [one for one in differences(app) if one.startswith("closing balance of lot 1, ")]
    assert [one.split(", ")[1].split(":")[0] for one in found] == figures


def test_calls_that_no_lot_covered_are_still_uncovered(make_app: MakeApp) -> None:
    app = make_app(KEEP_FACTS="1096", KEEP_IDENTITY="30")
    ask_then(app, somebody(1), YEARS + 2 * DAY)
    with app.app_context():
        before = quota.balance(NOW.date(), 0)

    night(app)

    assert facts(app) == []
    with app.app_context():
        assert quota.balance(NOW.date(), 0) == before
        assert before.uncovered == 1
    assert differences(app) == []


def test_the_list_of_the_history_tells_as_many_as_it_shows(app: Flask) -> None:
    made(app)
    night(app)

    page = Desk(app, ADMIN).get("/history", headers={"Accept-Language": "en"})

    assert page.text.count("data-verification") == 3
    assert "3 in all." in words_of(page)


CALLS = st.lists(st.tuples(st.integers(0, 60 * 24 * 12), st.sampled_from([MATCH, REFUSED, UNKNOWN])), max_size=7)


@settings(max_examples=10, deadline=None, suppress_health_check=HURDLES)
@given(CALLS, st.integers(1, 3), st.integers(0, 9), st.booleans())
def test_whenever_it_is_killed_everything_adds_up(
    app: Flask, calls: list[tuple[int, Any]], size: int, killed_after: int, folded: bool
) -> None:
    for n, (minutes, reply) in enumerate(sorted(calls, key=lambda one: -one[0])):
        ask_then(app, somebody(n), YEARS - 6 * DAY + minutes * timedelta(minutes=1), reply)
    if folded:
        fold(app)
    before, lot = counted_without_zeros(app) if folded else None, lot_figures(app, 1)
    with pytest.MonkeyPatch.context() as patch, app.app_context():
        patch.setattr(batches, "SIZE", size)
        patch.setattr(purging, "LONGEST", 0.0)
        with transaction() as session:
            session.execute(PurgeRun.__table__.delete())  # type: ignore[attr-defined]
        night(app, most=killed_after)
        assert differences(app) == []
        night(app)

    assert differences(app) == []
    assert lot_figures(app, 1) == lot
    assert folded is False or counted_without_zeros(app) == before
