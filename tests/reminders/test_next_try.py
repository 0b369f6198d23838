"""The page says when what was not delivered is tried again, where it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.reminders.story import buy, messages, subscribe, use
from tests.support.cast import ADMIN, Desk, Member
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.notify import outbox
from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import Verdict

GONE = "the mailbox does not exist, or is disabled"


@pytest.mark.parametrize(
    ("words", "again"), [("5.7.1 frequency limited", True), ("5.1.1 no such user", False)], ids=["limit", "no mailbox"]
)
def test_a_refusal_that_may_pass_names_its_next_try(
    app: Flask, desk: Callable[[Member | None], Desk], words: str, again: bool
) -> None:
    with app.app_context():
        now = utc_now()
        subscribe(now=now)
        buy(100, now=now)
        use(90, now)
        taken = outbox.take(now, "yuliang@here.test")
        assert taken is not None
        outbox.settle(taken, Reply(Verdict.PERMANENT, "recipient", 550, words), None, now, 0.0)
        [message] = messages()
        assert (message.state, message.reason) == ("refused", "" if again else "no_mailbox")
        number = message.id
        db.session.remove()

    admin = desk(ADMIN)
    for path in ("/reminders", f"/reminders/messages/{number}"):
        page = admin.get(path, headers={"Accept-Language": "en"}).text
        assert ("next try" in page, GONE in page) == (again, not again)
