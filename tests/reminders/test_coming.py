"""What will be told next, as the page /reminders says it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from tests.reminders.mailing import leave, used_each_day
from tests.reminders.story import TODAY, buy, days, messages, review, subscribe, use
from tests.support.cast import NOW
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.notify.messages import Message, State
from webapp.reminders import queries
from webapp.reminders.coming import coming


@pytest.fixture(autouse=True)
def english(context: Flask) -> Iterator[None]:
    with context.test_request_context(headers={"Accept-Language": "en"}):
        yield


def low_is_told() -> str:
    """When the page says that the low balance is told."""
    return coming(queries.outlook(NOW, this_instance().settings.zone))[0]["when"]


@pytest.mark.parametrize("state", [None, *State])
def test_the_low_balance_is_said_to_be_told_only_where_a_mail_of_it_was_sent(state: State | None) -> None:
    """None: nobody is on the list."""
    if state is not None:
        subscribe()
    buy(10)
    use(9)
    review()
    if state is not None:
        with transaction() as session:
            session.execute(update(Message).values(state=state))
    assert len(messages()) == (state is not None)

    words = low_is_told()

    assert words.startswith("told; " if state == State.SENT else "reached, but nobody has been told yet; ")
    assert words.endswith(" after a purchase, a correction or another set of valid lots has lifted it above the line")


def test_the_day_of_the_low_balance_is_foretold_from_lots_that_end_and_begin() -> None:
    """Of the 1,000 that end on Dec 2 few are used; of the other lot 150 are left on the day after."""
    used_each_day(5)
    buy(1000, ends=TODAY + days(30))
    leave(buy(1000), 150, 1000)
    review()
    assert low_is_told() == "around Dec 3, in 31 days at the recent rate"

    buy(1000, begins=TODAY + days(31))
    review()
    assert "2027" in low_is_told(), "what was bought ahead begins on that day"


def test_where_all_lots_begin_later_the_day_is_foretold_and_without_any_there_is_nothing_to_watch() -> None:
    used_each_day(5)
    assert low_is_told() == "no lot is valid: nothing to watch"

    buy(100, begins=TODAY + days(10))

    assert low_is_told() == "around Nov 27, in 25 days at the recent rate"
