"""New mail settings are in force at once: also for lanes that are at work by the former ones."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from flask import Flask

from tests.notify.servers import Script, mail_server, scripted_server
from tests.reminders.story import add_confirmed, buy, messages, subscribe, use
from tests.support.cast import NOW
from tests.support.waiting import until
from webapp.foundation import runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify import holding, outbox, sending
from webapp.notify.channels.mail import SENDER, SERVER
from webapp.notify.channels.smtp import Reply
from webapp.notify.messages import Verdict
from webapp.reminders import operations

pytestmark = pytest.mark.usefixtures("context")

OUTSIDE, AT_ONCE = 60, 10


def store(port: int) -> int:
    """As the page does; returns how many messages were put back."""
    with transaction():
        operations.one_at_a_time()
        sealer = this_instance().sealer
        runtime.store(SERVER, MailServer("127.0.0.1", port, Security.NONE).url(), sealer, NOW)
        runtime.store(SENDER, "yuliang@here.test", sealer, NOW)
        return operations.retry_standing(utc_now())


def test_what_the_former_server_refused_goes_by_the_new_one_also_what_is_in_hand_just_then(app: Flask) -> None:
    asked: list[str] = []
    let_go = threading.Event()

    def refuse(talk: Script) -> None:
        talk.greet()
        while (line := talk.hear()) and line != "QUIT":
            if not line.startswith("rcpt"):
                talk.say("250 OK")
                continue
            asked.append(line)
            if len(asked) > AT_ONCE:
                let_go.wait(30)
            talk.say("554 5.7.1 relay access denied")

    subscribe()
    for number in range(OUTSIDE):
        add_confirmed(f"r{number}@there.test")
    buy(100, now=utc_now())
    use(90, utc_now())

    def drain() -> None:
        with app.app_context():
            sending.drain(this_instance(), utc_now())
            db.session.remove()

    with mail_server() as inbox, scripted_server(refuse) as port:
        store(port)
        run = threading.Thread(target=drain)
        run.start()
        until(lambda: len(asked) == AT_ONCE + sending.LANES, "every lane has asked the former server")
        assert store(inbox.port) == AT_ONCE
        let_go.set()
        run.join()

        assert len(asked) == AT_ONCE + sending.LANES, "nothing more is shown to the former server"
        assert Counter(one.state for one in messages()) == {"sent": OUTSIDE + 1}
        assert len(inbox.mails) == OUTSIDE + 1


@pytest.mark.parametrize("stage", ["login", "recipient"])
def test_a_former_servers_failure_says_nothing_about_the_new_one(stage: str) -> None:
    subscribe()
    buy(100)
    use(90)
    failed = Reply(Verdict.TRANSIENT, stage, 535, "no")
    first = outbox.take(NOW, "yuliang@here.test")
    assert first is not None
    outbox.settle(first, failed, None, NOW, 0.0, in_force=lambda: False)

    assert holding.standing() is None
    assert outbox.due(NOW, 1) == 1
    assert [one.attempts for one in messages()] == [0]


def test_a_probe_that_fails_after_the_hold_was_lifted_does_not_hold_anything() -> None:
    subscribe()
    buy(100)
    use(90)
    failed = Reply(Verdict.TRANSIENT, "connect", None, "", "turned_away")
    with transaction():
        holding.heard(failed, NOW, 0.0, probing=False)
        holding.lift(NOW)
        holding.heard(failed, NOW, 0.0, probing=True)

    assert holding.standing() is None


def test_a_probe_by_former_settings_lets_another_ask_at_once() -> None:
    """They were sealed anew, which lifts no hold."""
    subscribe()
    buy(100)
    use(90)
    failed = Reply(Verdict.TRANSIENT, "connect", None, "", "turned_away")
    with transaction():
        holding.heard(failed, NOW, 0.0, probing=False)
    hold = holding.standing()
    assert hold is not None
    assert hold.until is not None
    then = hold.until
    db.session.rollback()
    probe = outbox.take(then, "yuliang@here.test")
    assert probe is not None
    assert probe.probing
    outbox.settle(probe, failed, None, then, 0.0, in_force=lambda: False)

    another = outbox.take(then, "yuliang@here.test")
    assert another is not None
    assert another.probing
