"""`yuliang check` recounts everything from its source, and names whatever was changed behind its back."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection

from tests.conftest import MakeApp
from tests.support.cast import ADMIN, NOW
from tests.support.tampering import behind
from tests.support.waiting import Tally, together
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, buy, differences, somebody, who
from webapp.foundation.clock import start_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.usage import counters
from webapp.verification import settling
from webapp.verification.models import Decision


@pytest.fixture
def books(app: Flask) -> Flask:
    """A lot of ten calls: two charged, one released, one held; half of the counts folded."""
    buy(app, 10)
    ask(app, somebody(1), lambda *_: MATCH)
    with app.app_context():
        counters.fold(this_instance().settings.zone)
    for n, reply in ((2, MATCH), (3, REFUSED), (4, UNKNOWN)):
        ask(app, somebody(n), lambda *_, reply=reply: reply)
    assert differences(app) == []
    return app


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("UPDATE lot SET available = available + 1", ["lot 1 available"]),
        ("UPDATE lot SET charged = charged + 1", ["lot 1 charged"]),
        ("UPDATE lot SET calls = 11", ["lot 1 calls"]),
        ("DELETE FROM ledger_entry WHERE kind = 'charge' AND verification_id = 1", ["lot 1", "verification 1"]),
        ("DELETE FROM ledger_entry WHERE kind = 'hold' AND verification_id = 4", ["lot 1", "verification 4"]),
        ("DELETE FROM ledger_entry WHERE kind = 'release'", ["lot 1", "ledger entry", "verification 3"]),
        ("UPDATE verification SET billed = 'no' WHERE id = 1", ["calls", "verification 1"]),
        ("UPDATE verification SET outcome = 'mismatch' WHERE id = 2", ["calls"]),
        ("UPDATE verification SET operator_id = 3 WHERE id = 2", ["calls"]),
        ("UPDATE verification SET outcome = 'sending' WHERE id = 4", ["calls", "verification 4"]),
        ("UPDATE usage_day SET calls = calls + 1 WHERE outcome = 'match'", ["calls"]),
        ("UPDATE usage_hour SET calls = calls + 1 WHERE outcome = 'match'", ["calls of the hour", "calls of 20"]),
        ("UPDATE usage_hour SET cause = 'network' WHERE outcome = 'match'", ["calls of the hour"]),
        ("DELETE FROM latency_hour", ["answer times of the hour", "calls of 20"]),
        ("DELETE FROM usage_month WHERE facet = 'lot'", ["calls of 20"]),
        ("UPDATE usage_month SET operator_id = 77 WHERE operator_id <> 0", ["calls of 20"]),
        ("UPDATE verification SET latency_ms = 59999 WHERE id = 2", ["answer times of the hour"]),
        ("UPDATE verification SET department_id = NULL WHERE id = 2", ["calls"]),
        ("UPDATE verification SET lot_id = NULL WHERE id = 2", ["calls", "verification 2 stands in the ledger of"]),
        (
            "UPDATE verification SET created_at = '2025-05-05 05:05:05.000000' WHERE id = 2",
            ["calls", "answer times", "verification 2 was held at another time"],
        ),
        ("DELETE FROM usage_delta WHERE outcome = 'unknown'", ["calls", "answer times"]),
    ],
)
def test_what_was_tampered_with_is_named(books: Flask, tampering: str, named: list[str]) -> None:
    behind(books, tampering)

    found = differences(books)

    assert found
    for beginning in named:
        assert any(one.startswith(beginning) for one in found), found
    assert all(any(one.startswith(beginning) for beginning in named) for one in found), found


def test_a_call_that_is_made_during_the_check_is_no_difference(books: Flask) -> None:
    """Between two reads of the check, another thread makes a whole call; each part of it still sees one instant."""
    first = threading.Lock()

    def interrupt(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        reads = "ledger_entry" in statement and threading.current_thread().name.startswith("checking")
        if reads and first.acquire(blocking=False):
            caller = threading.Thread(target=lambda: ask(books, somebody(9), lambda *_: MATCH))
            caller.start()
            caller.join(30)

    with books.app_context():
        event.listen(db.engine, "after_cursor_execute", interrupt)

    assert differences(books) == []
    assert first.locked()
    assert differences(books) == []


def test_the_check_finds_nothing_at_any_instant_while_calls_are_made_settled_folded_and_bought(app: Flask) -> None:
    """Three write, one folds and buys; the check looks on all the time."""
    buy(app, 5)
    writers_left, found, looks = Tally(3), list[str](), Tally()

    def writer(first: int) -> None:
        for n in range(8):
            made = ask(app, somebody(first + n), lambda *_, n=n: (MATCH, REFUSED, UNKNOWN)[n % 3])
            if n % 3 == 2:
                decision = Decision.CHARGED if n % 2 else Decision.NOT_CHARGED
                with app.app_context():
                    settling.settle(made, decision, "bill", who(ADMIN), this_instance(), utc_now())
        writers_left.add(-1)

    def keeper() -> None:
        while writers_left.value:
            with app.app_context():
                counters.fold(this_instance().settings.zone)
            buy(app, 2)

    def checker() -> None:
        while writers_left.value and not found:
            found.extend(differences(app))
            looks.add(1)

    together(*(lambda first=first: writer(first) for first in (0, 100, 200)), keeper, checker)

    assert found == []
    assert looks.value >= 1
    assert differences(app) == []


def _later(begins: datetime, halves: int) -> datetime:
    return begins + timedelta(minutes=30 * halves)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/New_York", date(2026, 11, 1)), ("America/New_York", date(2026, 3, 8)), ("Asia/Kolkata", NOW.date())],
)
def test_hours_that_come_twice_or_never_or_begin_at_the_half_are_recounted_as_they_were_counted(
    make_app: MakeApp, zone: str, day: date
) -> None:
    app = make_app(TIMEZONE=zone)
    begins = start_of(day, ZoneInfo(zone))
    for n in range(0, 26 * 2, 3):
        ask(app, somebody(n), lambda *_: MATCH, clock=partial(_later, begins, n))
    with app.app_context():
        counters.fold(this_instance().settings.zone)

    assert differences(app) == []


def test_a_lot_that_lapsed_and_a_call_that_outlived_it_agree(app: Flask) -> None:
    buy(app, 3)
    ask(app, somebody(1), lambda *_: UNKNOWN)
    with app.app_context(), transaction():
        assert ledger.lapse_expired((NOW + timedelta(days=40_000)).date(), NOW)

    assert differences(app) == []
