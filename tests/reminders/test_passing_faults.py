"""A database that does not answer for a moment is no fault of a mail's words: it goes out whole half a minute later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError, TimeoutError

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, mail_server
from tests.reminders.story import buy, messages, subscribe, use
from tests.support.cast import NOW
from webapp.foundation.instance import this_instance
from webapp.notify import sending
from webapp.reminders import queries

AWAY = [
    OperationalError("SELECT", {}, Exception("server closed the connection")),
    InterfaceError("SELECT", {}, Exception("connection already closed")),
    TimeoutError("no connection is free"),
]


def low_mail(make_app: MakeApp, inbox: Inbox) -> Flask:
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
    with app.app_context():
        subscribe()
        buy(100)
        use(90)
    return app


def failing(monkeypatch: pytest.MonkeyPatch, fault: Exception, times: int) -> None:
    real, calls = queries.outlook, [0]

    def outlook(*arguments: Any) -> queries.Outlook:
        calls[0] += 1
        if calls[0] <= times:
            raise fault
        return real(*arguments)

    monkeypatch.setattr(queries, "outlook", outlook)


def drained(app: Flask, minutes: float) -> tuple[str, str]:
    """State and flaw of the one message after the outbox was emptied so long after NOW."""
    at = NOW + timedelta(minutes=minutes)
    with app.app_context():
        sending.drain(this_instance(), at, lambda: at)
        [message] = messages()
        return message.state, message.flaw


@pytest.mark.parametrize("fault", AWAY, ids=lambda fault: type(fault).__name__)
def test_a_mail_waits_half_a_minute_for_a_database_that_is_away(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    with mail_server() as inbox:
        app = low_mail(make_app, inbox)
        failing(monkeypatch, fault, times=1)

        assert drained(app, 0) == ("queued", "")
        assert drained(app, 0.4) == ("queued", "")
        assert drained(app, 1) == ("sent", "")
        assert "10/100" in inbox.mails[0][1]["Subject"]


@pytest.mark.parametrize(
    ("fault", "minutes"),
    [(AWAY[0], [0, 1, 3]), (ProgrammingError("SELECT", {}, Exception("no such column")), [0])],
    ids=["fails at each try", "is wrong"],
)
def test_a_query_that_goes_on_failing_does_not_keep_the_reminder_back(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, fault: Exception, minutes: list[float]
) -> None:
    with mail_server() as inbox:
        app = low_mail(make_app, inbox)
        failing(monkeypatch, fault, times=99)

        *waiting, (state, flaw) = [drained(app, at) for at in minutes]

        assert waiting == [("queued", "")] * (len(minutes) - 1)
        assert (state, flaw.partition(":")[0]) == ("sent", type(fault).__name__)
