"""A lot that comes back before its day: the reminder of its end, which had become pointless, is told after all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.quota import books
from tests.quota.books import new_call
from tests.reminders.story import TODAY, buy, days, episodes, messages, move_end, review, subscribe
from tests.support.cast import NOW
from webapp.foundation.database import transaction
from webapp.notify.messages import Message, State
from webapp.quota import ledger

pytestmark = pytest.mark.usefixtures("context")

SEVENTH = TODAY + days(7)
MINUTE = timedelta(minutes=1)


def closed_and_reopened(lot: int) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: books.close(lot), lambda: books.reopen(lot)


def corrected_and_taken_back(lot: int) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: books.correct(lot, -5), lambda: books.correct(lot, 5)


def moved_and_moved_back(lot: int) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: move_end(lot, SEVENTH + days(30)), lambda: move_end(lot, SEVENTH)


def given_back_and_reopened(lot: int) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: books.refund(lot, 4), lambda: books.reopen(lot)


WAYS = {
    "emptied": [corrected_and_taken_back],
    "lot_closed": [closed_and_reopened, given_back_and_reopened],
    "moved": [moved_and_moved_back],
}


@pytest.mark.parametrize(("reason", "way"), [(reason, way) for reason, ways in WAYS.items() for way in ways])
def test_the_reminder_of_a_lot_that_is_back_waits_again(
    reason: str, way: Callable[[int], tuple[Callable[[], object], Callable[[], object]]]
) -> None:
    subscribe()
    lot = buy(5, ends=SEVENTH)
    review()
    go, come_back = way(lot)

    go()
    review(NOW + MINUTE)
    assert ([one.closed for one in episodes()], [one.state for one in messages()]) == ([reason], ["dropped"])
    come_back()
    review(NOW + 2 * MINUTE)

    assert [(one.closed, one.closed_at) for one in episodes() if one.rule == "expiry"] == [(None, None)]
    assert [(one.state, one.reason) for one in messages("reminder.expiry")] == [("queued", "")]


def test_what_was_sent_before_the_lot_went_is_not_sent_again_when_it_is_back() -> None:
    subscribe()
    lot = buy(5, ends=SEVENTH)
    review()
    with transaction() as session:
        session.execute(update(Message).values(state=State.SENT))
    books.close(lot)
    review(NOW + MINUTE)
    books.reopen(lot)
    review(NOW + 2 * MINUTE)

    assert [one.closed for one in episodes()] == [None]
    assert [one.state for one in messages("reminder.expiry")] == ["sent"]


def test_a_lot_whose_last_calls_are_on_their_way_is_not_empty() -> None:
    subscribe()
    buy(1, ends=SEVENTH)
    buy(100)
    review()
    with transaction():
        call = new_call()
        held = ledger.hold(call, TODAY, NOW)
    review(NOW + MINUTE)
    assert [one.closed for one in episodes()] == [None]

    with transaction():
        ledger.release(call, held, TODAY, NOW + MINUTE)
    review(NOW + 2 * MINUTE)

    assert [one.closed for one in episodes()] == [None]
    assert [one.state for one in messages()] == ["queued"]


def test_a_lot_that_is_back_after_its_day_is_no_news() -> None:
    subscribe()
    lot = buy(5, ends=SEVENTH)
    review()
    books.close(lot)
    review(NOW + MINUTE)
    books.reopen(lot, today=TODAY + days(8))
    review(NOW + days(8))

    assert [one.closed for one in episodes() if one.rule == "expiry"] == ["lot_closed"]
