"""`yuliang check` recounts everything from its source, and names whatever was changed behind its back."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from tests.support.cast import NOW
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, buy, differences, somebody
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.quota import ledger
from webapp.usage import counters


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
        ("DELETE FROM ledger_entry WHERE kind = 'release'", ["lot 1", "verification 3"]),
        ("UPDATE verification SET billed = 'no' WHERE id = 1", ["calls", "verification 1"]),
        ("UPDATE verification SET outcome = 'mismatch' WHERE id = 2", ["calls"]),
        ("UPDATE verification SET operator_id = 3 WHERE id = 2", ["calls"]),
        ("UPDATE verification SET outcome = 'sending' WHERE id = 4", ["calls", "verification 4"]),
        ("UPDATE usage_day SET calls = calls + 1 WHERE outcome = 'match'", ["calls"]),
        ("DELETE FROM usage_delta WHERE outcome = 'unknown'", ["calls"]),
    ],
)
def test_what_was_tampered_with_is_named(books: Flask, tampering: str, named: list[str]) -> None:
    with books.app_context(), transaction() as session:
        session.execute(text(tampering))

    found = differences(books)

    assert found
    for beginning in named:
        assert any(one.startswith(beginning) for one in found), found
    assert all(any(one.startswith(beginning) for beginning in named) for one in found), found


def test_a_call_that_is_made_during_the_check_is_no_difference(books: Flask) -> None:
    """Between two reads of the check, another thread makes a whole call; the check still sees one instant."""
    done = threading.Event()

    def interrupt(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "ledger_entry" in statement and threading.current_thread().name == "checking" and not done.is_set():
            done.set()
            caller = threading.Thread(target=lambda: ask(books, somebody(9), lambda *_: MATCH))
            caller.start()
            caller.join(30)

    with books.app_context():
        event.listen(db.engine, "after_cursor_execute", interrupt)
    found: list[list[str]] = []
    checking = threading.Thread(target=lambda: found.append(differences(books)), name="checking")
    checking.start()
    checking.join()

    assert done.is_set()
    assert found == [[]]
    assert differences(books) == []


def test_a_lot_that_lapsed_and_a_call_that_outlived_it_agree(app: Flask) -> None:
    buy(app, 3)
    ask(app, somebody(1), lambda *_: UNKNOWN)
    with app.app_context(), transaction():
        assert ledger.lapse_expired((NOW + timedelta(days=40_000)).date(), NOW)

    assert differences(app) == []
