"""The outbox: written with its cause, sent after it, tried again, told apart, never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, Script, free_port, mail_server, scripted_server
from tests.support.cast import NOW
from tests.support.waiting import until
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import composing, outbox, queries, sending
from webapp.notify.channels import smtp
from webapp.notify.composing import Content
from webapp.notify.messages import Attempt, Message, Verdict
from webapp.notify.outbox import Draft

HOUR = timedelta(hours=1)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def post(make_app: MakeApp) -> Iterator[Callable[[int], Flask]]:
    """An app whose mails go to a port, with its context pushed."""
    pushed = []

    def make(port: int) -> Flask:
        app = make_app(SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="yuliang@here.test")
        composing.register(app, "plain", lambda message, _now: Content(f"to {message.address}", "text", "<p>text</p>"))
        composing.register(app, "faulty in English", _faulty)
        context = app.app_context()
        context.push()
        pushed.append(context)
        return app

    yield make
    for context in reversed(pushed):
        db.session.remove()
        context.pop()


def _faulty(message: Message, _now: datetime) -> Content:
    if message.locale == "en":
        raise KeyError("a placeholder that no figure fills")
    return Content("ok", "text", "<p>text</p>")


def write(
    *addresses: str, kind: str = "plain", cause: str = "test", locale: str = "en", reader: str = "someone"
) -> None:
    with transaction():
        outbox.write([Draft(f"{cause}:{one}", cause, kind, one, locale, reader=reader) for one in addresses], NOW)


def drain(now: datetime = NOW) -> None:
    sending.drain(this_instance(), now, lambda: now)
    db.session.rollback()


def message(address: str) -> Message:
    query = select(Message).where(Message.address == address).execution_options(populate_existing=True)
    db.session.rollback()
    return db.session.scalars(query).one()


def words(address: str) -> list[tuple[str | None, str, int | None, str]]:
    chain = queries.chain(message(address).id)
    assert chain is not None
    return [(one.verdict, one.stage, one.code, one.words) for one in chain.attempts]


def test_a_message_is_sent_after_its_cause_and_the_servers_words_are_kept(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    post(inbox.port)
    write("a@there.test")
    drain()

    assert (message("a@there.test").state, message("a@there.test").subject) == ("sent", "to a@there.test")
    assert words("a@there.test") == [("accepted", "content", 250, "OK queued as 1")]
    [mail] = inbox.to("a@there.test")
    assert mail["Message-ID"] == message("a@there.test").wire_id
    assert mail["Message-ID"].endswith("@here.test>")
    assert (mail["From"], mail["Auto-Submitted"]) == ("余量 Yuliang <yuliang@here.test>", "auto-generated")


def test_a_cause_that_is_rolled_back_leaves_no_message(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)

    def fail() -> None:
        with transaction():
            outbox.write([Draft("k", "c", "plain", "a@there.test", "en")], NOW)
            raise RuntimeError("the cause failed")

    with pytest.raises(RuntimeError, match="the cause failed"):
        fail()
    drain()

    assert inbox.mails == []


def test_one_cause_is_written_once_for_each_recipient(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)
    for _each in range(3):
        write("a@there.test", "b@there.test")
    drain()

    assert sorted(address for address, _mail in inbox.mails) == ["a@there.test", "b@there.test"]


def test_5xx_is_final_4xx_is_tried_again_with_the_same_message_id(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)
    answers = {"gone@there.test": "550 no such user", "grey@there.test": "451 greylisted"}
    inbox.answer = answers.get
    write("gone@there.test", "grey@there.test", "good@there.test")
    drain()
    wire_id = message("grey@there.test").wire_id

    assert [message(f"{one}@there.test").state for one in ("gone", "grey", "good")] == ["refused", "queued", "sent"]
    assert words("gone@there.test") == [("permanent", "recipient", 550, "no such user")]
    assert NOW + timedelta(seconds=30) <= message("grey@there.test").next_at <= NOW + timedelta(seconds=38)

    drain(NOW + timedelta(seconds=29))
    assert len(words("grey@there.test")) == 1
    del answers["grey@there.test"]
    drain(NOW + timedelta(seconds=38))

    assert [verdict for verdict, *_rest in words("grey@there.test")] == ["transient", "accepted"]
    assert [mail["Message-ID"] for mail in inbox.to("grey@there.test")] == [wire_id]
    assert inbox.to("gone@there.test") == []


def test_a_server_down_for_two_days_gets_the_mail_and_one_down_for_four_is_given_up(
    post: Callable[[int], Flask],
) -> None:
    port = free_port()
    post(port)
    write("a@there.test")
    now, tries = NOW, 0
    while message("a@there.test").state == "queued" and now < NOW + 48 * HOUR:
        drain(now)
        now, tries = message("a@there.test").next_at, tries + 1
    assert 40 < tries < 70
    assert words("a@there.test")[-1] == ("transient", "connect", None, "")

    while message("a@there.test").state == "queued":
        drain(now)
        now = message("a@there.test").next_at

    assert message("a@there.test").state == "failed"
    assert message("a@there.test").finished_at == NOW + 72 * HOUR
    assert (queries.lost(["test"], ["someone"]), queries.lost(["test"], ["another"])) == (1, 0)

    with transaction():
        assert outbox.retry(message("a@there.test").id, NOW + 80 * HOUR)
    with mail_server() as inbox:
        post(inbox.port)
        drain(NOW + 80 * HOUR)
    assert message("a@there.test").state == "sent"


def test_a_server_that_is_down_is_asked_once_and_not_for_every_message(post: Callable[[int], Flask]) -> None:
    asked: list[int] = []

    def busy(talk: Script) -> None:
        asked.append(1)
        talk.say("421 down for maintenance")

    with scripted_server(busy) as port:
        post(port)
        write(*(f"{number}@there.test" for number in range(200)))
        drain()
        drain(NOW + timedelta(seconds=20))

    assert 1 <= len(asked) <= sending.LANES
    assert message("199@there.test").attempts == 0


def test_a_dead_server_delays_a_fresh_message_by_half_a_minute_however_long_others_have_waited(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    """Nine messages whose own pauses are an hour by now, and two that were written a moment ago."""
    port = free_port()
    post(port)
    write(*(f"old{number}@there.test" for number in range(9)))
    with transaction() as session:
        session.execute(update(Message).values(attempts=10, first_at=NOW - HOUR))
    write("new1@there.test", "new2@there.test")
    drain()

    for name in ("new1", "new2"):
        fresh = message(f"{name}@there.test")
        assert fresh.next_at <= NOW + timedelta(seconds=38), (name, fresh.attempts)
    slow = {message(f"old{number}@there.test").next_at for number in range(9)}
    assert max(slow) >= NOW + HOUR


def test_a_server_that_is_back_wakes_what_waits_for_it_and_not_what_a_recipient_refused(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    post(free_port())
    write("old@there.test", "grey@there.test")
    with transaction() as session:
        session.execute(update(Message).values(attempts=11, first_at=NOW - HOUR))
    drain()
    drain(NOW + timedelta(seconds=38))  # each has had its turn, or is held back
    assert message("old@there.test").next_at > NOW + timedelta(minutes=30)
    with transaction() as session:  # one that a recipient's own server put off, not the dead one
        grey = message("grey@there.test").id
        session.execute(update(Attempt).where(Attempt.message_id == grey).values(stage="recipient", code=451))
        waits_until = session.scalar(select(Message.next_at).where(Message.id == grey))

    post(inbox.port)
    later = NOW + timedelta(minutes=5)
    write("fresh@there.test")
    drain(later)

    assert sorted(address for address, _mail in inbox.mails) == ["fresh@there.test", "old@there.test"]
    assert message("grey@there.test").next_at == waits_until


@pytest.mark.parametrize("slow_ones", [2, 3 * sending.LANES])
def test_recipients_whose_server_hangs_delay_nobody_not_even_who_comes_later(
    post: Callable[[int], Flask], monkeypatch: pytest.MonkeyPatch, slow_ones: int
) -> None:
    """However many they are: for each lane that waits there is another."""
    monkeypatch.setattr(sending, "PATIENCE", 0.1)
    monkeypatch.setattr(smtp, "STEP_SECONDS", 8)
    monkeypatch.setattr(sending, "RUN_SECONDS", 6.0)
    taken: list[str] = []
    let_go = threading.Event()

    def slow(talk: Script) -> None:
        talk.greet()
        while (line := talk.hear()) != "QUIT" and line:
            if line.startswith("rcpt") and "slow" in line:
                let_go.wait(8)
                return
            if line.startswith("rcpt"):
                taken.append(line)
            if line == "data":
                talk.say("354 go on")
                talk.content()
            talk.say("250 OK")

    hanging = [f"slow{number}@there.test" for number in range(slow_ones)]
    with scripted_server(slow) as port:
        app = post(port)
        write(*hanging, "a@there.test")
        with app.app_context():
            thread = threading.Thread(target=lambda: _drain_in(app))
            thread.start()
            until(lambda: len(taken) == 1, "the one beside the slow ones")
            write("later@there.test")
            until(lambda: len(taken) == 2, "the one written while the slow ones hang")
        let_go.set()
        thread.join()

    assert message("a@there.test").state == "sent"
    assert message("later@there.test").state == "sent"


def _drain_in(app: Flask) -> None:
    with app.app_context():
        drain()


def test_a_fault_in_one_languages_words_is_visible_and_blocks_nobody(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    post(inbox.port)
    write("en@there.test", kind="faulty in English", locale="en")
    write("zh@there.test", kind="faulty in English", locale="zh_CN")
    drain()

    assert len(inbox.to("zh@there.test")) == 1
    assert message("en@there.test").state == "queued"
    assert words("en@there.test") == [
        ("transient", "compose", None, "KeyError: 'a placeholder that no figure fills'")
    ]  # fmt: skip


def test_what_has_a_short_form_goes_out_in_it_when_its_words_are_broken_and_says_so(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    app = post(inbox.port)
    composing.register(app, "told shortly", _faulty, lambda _message, _now: Content("short", "text", "<p>text</p>"))
    write("en@there.test", kind="told shortly", locale="en")
    write("zh@there.test", kind="told shortly", locale="zh_CN")
    drain()

    assert {to: mail["Subject"] for to, mail in inbox.mails} == {"en@there.test": "short", "zh@there.test": "ok"}
    assert message("en@there.test").flaw == "KeyError: 'a placeholder that no figure fills'"
    assert message("zh@there.test").flaw == ""


def test_an_address_that_cannot_stand_in_a_header_is_visible_and_blocks_nobody(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    post(inbox.port)
    write("a@b\r\nBcc: all@there.test", "good@there.test")
    drain()

    assert [address for address, _mail in inbox.mails] == ["good@there.test"]
    assert words("a@b\r\nBcc: all@there.test")[0][:2] == ("transient", "compose")


def test_without_a_mail_server_messages_wait_and_go_out_when_one_is_set(inbox: Inbox, make_app: MakeApp) -> None:
    app = make_app()
    with app.app_context():
        composing.register(app, "plain", lambda _message, _now: Content("s", "t", "<p>h</p>"))
        write("a@there.test")
        drain(NOW + timedelta(days=9))
        assert (message("a@there.test").state, message("a@there.test").attempts) == ("queued", 0)
        db.session.remove()
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
    with app.app_context():
        composing.register(app, "plain", lambda _message, _now: Content("s", "t", "<p>h</p>"))
        drain(NOW + timedelta(days=9))
        assert message("a@there.test").state == "sent"
        db.session.remove()


def test_what_is_withdrawn_is_not_sent_and_says_why(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)
    write("a@there.test", cause="bought")
    write("c@there.test", reader="gone")
    write("d@there.test", reader="gone", kind="faulty in English")
    write("b@there.test")
    with transaction():
        outbox.withdraw("bought", "renewed", NOW)
        outbox.withdraw_from("gone", "not_wanted", NOW, kind="plain")
    assert message("d@there.test").state == "queued", "of another kind"
    with transaction():
        outbox.withdraw_from("gone", "removed", NOW)
    drain()

    reasons = [(message(f"{one}@there.test").state, message(f"{one}@there.test").reason) for one in "acd"]
    assert reasons == [("dropped", "renewed"), ("dropped", "not_wanted"), ("dropped", "removed")]
    assert [address for address, _mail in inbox.mails] == ["b@there.test"]


def test_what_is_withdrawn_while_it_is_tried_is_not_tried_again(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)
    write("a@there.test")
    taken = outbox.take(NOW, "yuliang@here.test")
    assert taken is not None
    with transaction():
        outbox.withdraw("test", "renewed", NOW)
    assert message("a@there.test").state == "queued"

    outbox.settle(taken, smtp.Reply(Verdict.TRANSIENT, "recipient", 451, "later"), None, NOW, 0.5)

    assert message("a@there.test").state == "dropped"


def test_what_a_dead_process_held_is_taken_by_the_next_after_the_lease_and_only_then(
    inbox: Inbox, post: Callable[[int], Flask]
) -> None:
    post(inbox.port)
    write("a@there.test")
    first = outbox.take(NOW, "yuliang@here.test")
    assert first is not None

    assert outbox.take(NOW + outbox.LEASE - timedelta(seconds=1), "yuliang@here.test") is None
    drain(NOW + outbox.LEASE)

    assert message("a@there.test").state == "sent"
    assert [verdict for verdict, *_rest in words("a@there.test")] == [None, "accepted"]
    assert not outbox.settle(first, smtp.Reply(Verdict.TRANSIENT, "content", None, "late"), None, NOW, 0.5)
    assert message("a@there.test").state == "sent"


def test_a_lease_outlasts_whatever_a_try_may_take() -> None:
    assert outbox.LEASE.total_seconds() > smtp.MOST_SECONDS + 60


def test_a_test_mail_is_tried_once_and_its_failure_is_final(post: Callable[[int], Flask]) -> None:
    post(free_port())

    reply = sending.send_now(Draft("t:1", "test", "plain", "a@there.test", "en"), clock=lambda: NOW)

    assert (reply.verdict, reply.stage) == ("transient", "connect")
    assert message("a@there.test").state == "failed"


def test_many_lanes_send_each_message_once(inbox: Inbox, post: Callable[[int], Flask]) -> None:
    post(inbox.port)
    write(*(f"{number}@there.test" for number in range(120)))
    drain()

    assert sorted(address for address, _mail in inbox.mails) == sorted(f"{number}@there.test" for number in range(120))
    assert queries.waiting(NOW)[0] == 0
