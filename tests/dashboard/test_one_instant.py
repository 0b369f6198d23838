"""Pages of many figures are of one instant: whoever writes between two of their reads changes none of them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import event, text, update
from sqlalchemy.exc import InternalError

from tests.dashboard.charting import Open, busy_days
from tests.reconciliation.counting import enter
from tests.support.cast import ADMIN
from tests.verification.calls import MATCH, ask, somebody, who
from webapp.accounts.models import User
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, snapshot, transaction
from webapp.quota import ledger
from webapp.quota.ledger import Purchase

PAGES = {"/": "FROM usage_month", "/usage": "FROM usage_month", "/quota": "FROM lot", "/quota/reconcile": "FROM lot"}
"""Pages, and a read of theirs that others follow."""


def figures(page: str) -> str:
    """What a page says, without what differs each time."""
    return re.sub(r'name="csrf_token"[^>]*|content="[^"]*"|data-left="\d+"|\d\d:\d\d:\d\d', "", page)


@pytest.mark.parametrize("url", PAGES)
def test_a_call_and_a_purchase_between_two_reads_of_a_page_change_nothing_on_it(
    app: Flask, desk: Open, url: str
) -> None:
    busy_days(app, 12)
    enter(app, 3, 100)
    admin, done = desk(ADMIN), list[str]()

    def write() -> None:
        with app.app_context(), transaction():
            ledger.record_purchase(Purchase(77_777, date(2026, 1, 1), date(2099, 1, 1)), who(), utc_now())
        ask(app, somebody(77), lambda *_: MATCH)

    def between(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if PAGES[url] in statement and not done:
            done.append(statement)
            writer = Thread(target=write)
            writer.start()
            writer.join(30)
            assert not writer.is_alive(), "a writer waits for no reader"

    quiet = figures(admin.get(url).text)
    with app.app_context():
        event.listen(db.engine, "after_cursor_execute", between)
    disturbed = figures(admin.get(url).text)

    assert done
    assert disturbed == quiet
    assert figures(admin.get(url).text) != quiet, "the next look sees it"


def test_a_page_of_one_instant_stores_that_its_reader_is_about(app: Flask, desk: Open) -> None:
    admin, long_ago = desk(ADMIN), utc_now() - timedelta(minutes=5)
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(last_seen_at=long_ago))
    assert admin.get("/").status_code == 200
    with app.app_context():
        assert (db.session.get_one(User, ADMIN.id).last_seen_at or long_ago) > long_ago


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_database_itself_refuses_to_write_in_such_a_read_and_begins_the_next_as_always(app: Flask) -> None:
    told = text("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
    with app.app_context():
        with snapshot() as session:
            assert tuple(session.execute(told).one()) == ("repeatable read", "on")
            with pytest.raises(InternalError, match="read-only"):
                session.execute(text("DELETE FROM lot"))
        assert tuple(db.session.execute(told).one()) == ("read committed", "off")
        with transaction() as session:
            assert tuple(session.execute(told).one()) == ("read committed", "off")
