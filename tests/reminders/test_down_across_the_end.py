"""A mail server that is down while a lot ends: its end is told once it is back, or the admins hear of it here."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import current_app

from tests.reminders.story import TODAY, add_confirmed, buy, days, episodes, lapse, messages, review, subscribe
from tests.support.cast import ADMIN, NOW
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import holding, notices, outbox
from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import State, Verdict
from webapp.reminders import health, operations

pytestmark = pytest.mark.usefixtures("context")

SENDER = "yuliang@here.test"
DOWN = Reply(Verdict.TRANSIENT, "connect", None, "", "turned_away")
TAKEN = Reply(Verdict.ACCEPTED, "content", 250, "OK")
STEP = timedelta(hours=6)


def hand_over(now: datetime, reply: Reply) -> None:
    """Everything that is due is tried once."""
    with transaction():
        holding.lift(NOW)  # each try is let through, as a probe is
    tried = set()
    while (taken := outbox.take(now, SENDER)) is not None and taken.message.id not in tried:
        outbox.settle(taken, reply, None, now, 0.0)
        tried.add(taken.message.id)
        if reply is DOWN:
            with transaction():
                holding.lift(NOW)
            if len(tried) == len(messages()):
                break


def down(first: datetime, last: datetime) -> None:
    at = first
    while at <= last:
        lapse(at)
        review(at)
        hand_over(at, DOWN)
        at += STEP


def states() -> list[str]:
    return [one.state for one in messages()]


def said(now: datetime) -> tuple[list[str], list[str]]:
    with current_app.test_request_context(headers={"Accept-Language": "en"}):
        return (
            [one.text for one in health.faults(this_instance(), now) if "delivered" in one.text],
            [one.text for one in notices.standing(ADMIN.id, "admin") if "too long ago" in one.text],
        )


def test_an_end_that_came_while_the_server_was_down_is_told_when_it_is_back() -> None:
    subscribe()
    buy(100, ends=TODAY + days(7))
    buy(1000)
    down(NOW, NOW + days(10))
    assert [one.closed for one in episodes()] == ["expired"]

    back = NOW + days(11) + STEP
    review(back)
    hand_over(back, TAKEN)

    assert states() == ["sent"]
    assert said(back) == ([], [])


def test_what_was_given_up_across_the_end_is_a_fault_and_tried_again_by_hand() -> None:
    subscribe()
    buy(100, ends=TODAY + days(7))
    buy(1000)
    down(NOW, NOW + days(7) + STEP)
    now = NOW + days(8)
    lapse(now)
    operations.review(this_instance(), now)
    with transaction() as session:
        for one in messages():
            session.get_one(type(one), one.id).state = State.FAILED
    assert said(now) == (["1 reminder mail could not be delivered."], [])

    with transaction():
        assert operations.retry_standing(now) == 1
    hand_over(now, TAKEN)

    assert states() == ["sent"]


def test_who_comes_to_the_list_after_the_end_is_not_told_of_it() -> None:
    subscribe()
    buy(100, ends=TODAY + days(7))
    buy(1000)
    down(NOW, NOW + days(8))
    add_confirmed("late@there.test", now=NOW + days(8))
    review(NOW + days(8))

    assert [one.address for one in messages()] == [ADMIN.email]


@pytest.mark.parametrize("reached", [False, True])
def test_an_end_that_reached_nobody_in_a_month_is_told_by_a_notice(reached: bool) -> None:
    subscribe()
    add_confirmed("boss@there.test")
    buy(100, ends=TODAY + days(7))
    buy(1000)
    review()
    if reached:
        first = outbox.take(NOW, SENDER)
        assert first is not None
        outbox.settle(first, TAKEN, None, NOW, 0.0)
    for day in (0, 3, 4, 7, 8, 11, 12, 15, 16, 36):
        down(NOW + days(day) + STEP, NOW + days(day) + STEP)
    assert said(NOW + days(37)) == (
        [f"{2 - reached} reminder mail{'' if reached else 's'} could not be delivered."],
        [],
    )

    review(NOW + days(39))

    faults, told = said(NOW + days(39))
    assert (faults, len(told)) == ([], 0 if reached else 1)
    assert [one.closed for one in episodes()] == ["too_late"]
    db.session.rollback()
