"""An orderly stop in the midst of a backlog: no mail is begun any more, and those under way are brought to an end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.notify.servers import Script, scripted_server
from tests.support.waiting import until
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import composing, holding, outbox, sending
from webapp.notify.channels.smtp import Reply
from webapp.notify.composing import Content
from webapp.notify.messages import Message, Verdict
from webapp.notify.outbox import Draft
from webapp.scheduler import Job, Worker

SECOND = timedelta(seconds=1)


def mailing(make_app: MakeApp, port: int, count: int) -> Flask:
    """An app with so many mails to be sent to a server."""
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="yuliang@here.test")
    composing.register(app, "plain", lambda message, _now: Content(f"to {message.address}", "text", "<p>text</p>"))
    with app.app_context():
        with transaction():
            drafts = (Draft(f"c:{number}", "c", "plain", f"{number}@there.test", "en") for number in range(count))
            outbox.write(drafts, utc_now() - SECOND)
        db.session.remove()
    return app


def found(app: Flask) -> Counter[tuple[str, bool]]:
    """How many messages stand in which state, and whether they are in hand."""
    with app.app_context():
        rows = Counter((str(row.state), bool(row.holder)) for row in db.session.execute(
            select(Message.state, Message.holder)))  # fmt: skip
        db.session.remove()
    return rows


def slow(at_content: list[int], let_go: threading.Event) -> Callable[[Script], None]:
    """Takes everything, but thinks about each content until it may go on."""

    def script(talk: Script) -> None:
        talk.greet()
        while (line := talk.hear()) and line != "QUIT":
            if line == "data":
                talk.say("354 go on")
                talk.content()
                at_content.append(1)
                let_go.wait(30)
            talk.say("250 OK")

    return script


def test_a_stop_begins_no_mail_and_lets_those_under_way_be_settled(make_app: MakeApp) -> None:
    at_content: list[int] = []
    let_go = threading.Event()
    with scripted_server(slow(at_content, let_go)) as port:
        app = mailing(make_app, port, 60)
        worker = Worker(app, (Job(sending.SEND_JOB, sending.drain, SECOND),))
        worker.start()
        until(lambda: len(at_content) >= sending.LANES, "lanes wait for the server")
        lanes = app.extensions[sending.NAME]
        stop = threading.Thread(target=worker.stop)
        stop.start()
        until(lambda: lanes.stopping, "the stop is known to the lanes")
        until(lambda: len(at_content) == lanes.busy(), "those that were begun have come as far")
        begun = lanes.busy()
        let_go.set()
        stop.join(30)

        assert not stop.is_alive()
        assert len(at_content) == begun
        assert found(app) == {("sent", False): begun, ("queued", False): 60 - begun}
        with app.app_context():  # the next worker of this process sends the rest
            sending.drain(this_instance(), utc_now())
            db.session.remove()
        assert found(app) == {("sent", False): 60}


def test_a_stop_does_not_wait_for_a_server_that_hangs_and_gives_its_probe_back(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STOP_SECONDS", 0.2)
    let_go, at_content = threading.Event(), list[int]()
    with scripted_server(slow(at_content, let_go)) as port:
        app = mailing(make_app, port, 3)
        with app.app_context():
            with transaction():
                failed = Reply(Verdict.TRANSIENT, "connect", None, "", "turned_away")
                holding.heard(failed, utc_now() - timedelta(minutes=5), 0.0, probing=False)
            db.session.remove()
        worker = Worker(app, (Job(sending.SEND_JOB, sending.drain, SECOND),))
        worker.start()
        until(lambda: len(at_content) == 1, "the probe waits for the server")
        worker.stop()

        assert found(app) == {("queued", True): 1, ("queued", False): 2}
        with app.app_context():
            assert holding.standing() is not None
            assert outbox.due(utc_now(), 8) == 1, "another may ask the server"
            db.session.remove()
        let_go.set()
        until(lambda: found(app)["sent", False] == 1, "the lane that hung has ended")
