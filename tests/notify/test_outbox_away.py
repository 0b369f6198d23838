"""The database goes away between the mail server's OK and the record of it: the mail goes out once all the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.conftest import MakeApp
from tests.notify.servers import free_port, mail_server
from tests.support.cast import NOW
from tests.support.waiting import until
from tests.verification.test_database_trouble import gone
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify import composing, outbox, sending
from webapp.notify.channels import smtp
from webapp.notify.channels.smtp import Connection, Reply
from webapp.notify.composing import Content
from webapp.notify.messages import Message, Verdict
from webapp.notify.outbox import Draft

DRAFT = Draft("t:1", "test", "plain", "a@there.test", "en")


def an_app(make_app: MakeApp, port: int) -> Flask:
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="yuliang@here.test")
    composing.register(app, "plain", lambda _message, _now: Content("subject", "text", "<p>text</p>"))
    return app


def by_a_lane() -> None:
    with transaction():
        outbox.write([DRAFT], NOW)
    sending.drain(this_instance(), NOW, lambda: NOW)


def by_whoever_asked() -> None:
    sending.send_now(DRAFT)


@pytest.mark.parametrize("send", [by_a_lane, by_whoever_asked])
def test_a_database_that_is_away_after_the_ok_costs_no_second_mail(
    make_app: MakeApp, database: str, monkeypatch: pytest.MonkeyPatch, send: Callable[[], None]
) -> None:
    """Its connections are cut and it lets nobody in (PostgreSQL), or its file is gone (SQLite); it is back when the
    first try to record has failed."""
    with mail_server() as inbox, ExitStack() as trouble:
        app, back = an_app(make_app, inbox.port), threading.Event()

        def cut_after(connection: Connection, sender: str, recipient: str, content: bytes) -> Reply:
            reply = handed(connection, sender, recipient, content)
            trouble.enter_context(gone(database))
            return reply

        def told(*_words: object, **_more: object) -> None:
            trouble.close()
            back.set()

        handed = Connection.send
        monkeypatch.setattr(Connection, "send", cut_after)
        monkeypatch.setattr(sending.log, "warning", told)
        with app.app_context():
            send()
            assert back.is_set()
            monkeypatch.setattr(Connection, "send", handed)
            sending.drain(this_instance(), NOW + outbox.LEASE, lambda: NOW + outbox.LEASE)
            db.session.rollback()
            state = db.session.scalars(select(Message.state)).one()
            db.session.remove()

    assert (state, len(inbox.mails)) == ("sent", 1)


def test_a_database_that_stays_away_is_not_waited_for_without_end(
    make_app: MakeApp, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SETTLE_SECONDS", 0.3)
    app = an_app(make_app, free_port())
    with app.app_context():
        with transaction():
            outbox.write([DRAFT], NOW)
        taken = outbox.take(NOW, "yuliang@here.test")
        assert taken is not None
        with gone(database), pytest.raises(DBAPIError):
            sending._settle(taken, Reply(Verdict.ACCEPTED, "content", 250, "OK"), None, utc_now(), 0.0)
        db.session.remove()


def test_nothing_is_handed_over_by_a_connection_that_took_all_its_time_to_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that does not answer: there is no line yet that could be cut."""
    with mail_server() as inbox:
        connection = Connection(MailServer("127.0.0.1", inbox.port, Security.NONE, "", ""))
        connect = socket.create_connection

        def at_last(*arguments: Any) -> socket.socket:
            until(lambda: connection._client is not None and connection._client.cut, "the time is over")
            monkeypatch.setattr(socket, "create_connection", connect)
            monkeypatch.setattr(smtp, "MOST_SECONDS", 60)
            return connect(*arguments)

        monkeypatch.setattr(smtp, "MOST_SECONDS", 0.1)
        monkeypatch.setattr(socket, "create_connection", at_last)
        reply = connection.send("yuliang@here.test", "a@there.test", b"Subject: x\r\n\r\nx\r\n")
        connection.close()

    assert (reply.verdict, reply.fault, inbox.mails) == ("transient", "no_answer", [])
