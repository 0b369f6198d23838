"""Midnight in the reporting zone, when lots end and begin, seen by those who are late or whose clock is: one mail."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.reminders.mailing import leave
from tests.reminders.story import TODAY, buy, days, episodes, lapse, messages, review, subscribe
from tests.support.cast import NOW
from tests.support.waiting import until
from webapp.foundation.database import db, transaction
from webapp.notify import outbox
from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import Verdict
from webapp.quota.models import Lot
from webapp.reminders import operations
from webapp.reminders.rules import Rule

pytestmark = pytest.mark.usefixtures("context")

SECOND = timedelta(seconds=1)
MIDNIGHT = NOW.replace(hour=16, minute=0, second=0, microsecond=0)
TAKEN = Reply(Verdict.ACCEPTED, "content", 250, "OK")


def send(now: datetime) -> None:
    """Sends what is due."""
    while (taken := outbox.take(now, "yuliang@here.test")) is not None:
        outbox.settle(taken, TAKEN, None, now, 0.0)


def low() -> Counter[str]:
    """The mails on the low balance by their state."""
    return Counter(str(one.state) for one in messages() if one.kind == "reminder.low")


def one_that_ends_hides_the_other() -> int:
    """A full lot ends today, and leaves one with 10 of 100; returns that one."""
    subscribe()
    buy(1000, ends=TODAY)
    lot = buy(100)
    leave(lot, 10, 100)
    return lot


@pytest.mark.parametrize("written_off", [True, False])
def test_two_machines_whose_clocks_lie_apart_tell_once(written_off: bool) -> None:
    one_that_ends_hides_the_other()
    if written_off:
        lapse(MIDNIGHT)
    review(MIDNIGHT + SECOND / 10)
    for fifth in range(1, 12):
        for behind in (2 * SECOND, timedelta()):
            operations.call_settled(MIDNIGHT + fifth * SECOND / 5 - behind)
            send(MIDNIGHT + fifth * SECOND / 5)
    review(MIDNIGHT + 60 * SECOND)

    assert low() == {"sent": 1}
    assert [one.closed for one in episodes() if one.rule == Rule.LOW] == [None]


def test_a_lot_that_begins_lifts_the_balance_once() -> None:
    subscribe()
    lot = buy(100)
    leave(lot, 15, 100)
    review()
    send(NOW)
    buy(100, begins=TODAY + days(1))
    review(MIDNIGHT + SECOND / 10)
    operations.call_settled(MIDNIGHT - SECOND / 10)
    send(MIDNIGHT + SECOND)
    operations.call_settled(MIDNIGHT + SECOND)
    send(MIDNIGHT + SECOND)

    assert low() == {"sent": 1}
    assert [str(one.closed) for one in episodes()] == ["renewed"]


def test_a_clock_set_back_over_midnight_tells_no_second_time() -> None:
    one_that_ends_hides_the_other()
    for moment in (5, -5, 55):
        lapse(MIDNIGHT + moment * SECOND)
        review(MIDNIGHT + moment * SECOND)
        send(MIDNIGHT + 60 * SECOND)

    assert low() == {"sent": 1}


def test_a_purchase_by_a_clock_that_is_behind_lifts_the_balance_at_once() -> None:
    one_that_ends_hides_the_other()
    review(MIDNIGHT + SECOND)
    buy(1000, now=MIDNIGHT - SECOND)

    assert [str(one.closed) for one in episodes() if one.rule == Rule.LOW] == ["renewed"]


def test_a_call_that_waited_across_midnight_ends_nothing(app: Flask) -> None:
    """Its moment was read before another kept it waiting, and the look of the minute came first."""
    lot = one_that_ends_hides_the_other()
    waiting, looked = threading.Event(), threading.Event()

    def call() -> None:
        with app.app_context():
            now = MIDNIGHT - SECOND / 10
            waiting.set()
            with transaction() as session:
                session.execute(select(Lot).where(Lot.id == lot).with_for_update())
            looked.wait(60)
            operations.call_settled(now)
            db.session.remove()

    caller = threading.Thread(target=call, daemon=True)
    with transaction() as session:
        session.execute(select(Lot).where(Lot.id == lot).with_for_update())
        caller.start()
        until(waiting.is_set, "the call that waits for the lot")
    review(MIDNIGHT + SECOND / 10)
    send(MIDNIGHT + SECOND / 10)
    looked.set()
    caller.join(60)
    assert not caller.is_alive()
    operations.call_settled(MIDNIGHT + 2 * SECOND)
    send(MIDNIGHT + 2 * SECOND)

    assert low() == {"sent": 1}
