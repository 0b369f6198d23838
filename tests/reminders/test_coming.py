"""What will be told next, as the page /reminders says it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from tests.reminders.story import buy, messages, review, subscribe, use
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
