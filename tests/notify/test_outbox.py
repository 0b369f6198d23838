"""The outbox: written with its cause, sent after it, tried again, told apart, never lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, Script, free_port, mail_server, scripted_server
from tests.support.cast import NOW
from tests.support.prices import price_of
from tests.support.waiting import together, until
from webapp.foundation.database import BUSY_SECONDS, db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.leases import all_leases
from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify import composing, holding, outbox, queries, retrying, sending
from webapp.notify.channels import smtp
from webapp.notify.channels.mail import Route
from webapp.notify.composing import Content
from webapp.notify.messages import Message, Verdict
from webapp.notify.outbox import Draft
from webapp.notify.retrying import pause
from webapp.scheduler import JOBS, run_job

HOUR = timedelta(hours=1)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def post(make_app: MakeApp) -> Iterator[Callable[..., Flask]]:
    """An app whose mails go to a port, with its context pushed."""
    pushed = []

    def make(port: int, login: str = "") -> Flask:
        app = make_app(SMTP_URL=f"smtp://{login}127.0.0.1:{port}", MAIL_FROM="yuliang@here.test")
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
    inbox: Inbox, post: Callable[..., Flask]
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


def test_a_cause_that_is_rolled_back_leaves_no_message(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(inbox.port)

    def fail() -> None:
        with transaction():
            outbox.write([Draft("k", "c", "plain", "a@there.test", "en")], NOW)
            raise RuntimeError("the cause failed")

    with pytest.raises(RuntimeError, match="the cause failed"):
        fail()
    drain()

    assert inbox.mails == []


def test_one_cause_is_written_once_for_each_recipient(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(inbox.port)
    for _each in range(3):
        write("a@there.test", "b@there.test")
    drain()

    assert sorted(address for address, _mail in inbox.mails) == ["a@there.test", "b@there.test"]


def test_5xx_is_final_4xx_is_tried_again_with_the_same_message_id(inbox: Inbox, post: Callable[..., Flask]) -> None:
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


def next_look() -> datetime:
    """When the server is asked again."""
    hold = holding.standing()
    assert hold is not None
    until = hold.until
    db.session.rollback()
    assert until is not None
    return until


def test_a_server_down_for_two_days_gets_the_mail_and_one_down_for_four_is_given_up(
    post: Callable[..., Flask],
) -> None:
    """Asked every ten minutes in the end, a little later by chance."""
    port = free_port()
    post(port)
    write("a@there.test")
    now, tries = NOW, 0
    while now < NOW + 48 * HOUR:
        drain(now)
        now, tries = next_look(), tries + 1
    assert 230 < tries < 300
    assert message("a@there.test").state == "queued"
    assert words("a@there.test")[-1] == ("transient", "connect", None, "")

    with transaction() as session:  # the hours between need not be lived through
        session.execute(update(Message).values(first_at=NOW - 24 * HOUR))
    while message("a@there.test").state == "queued":
        drain(now)
        last, now = now, next_look()

    assert (message("a@there.test").state, message("a@there.test").reason) == ("failed", "server")
    assert message("a@there.test").finished_at == last
    assert timedelta() <= last - (NOW + 48 * HOUR) <= timedelta(minutes=13)
    assert (queries.lost(["test"], ["someone"]), queries.lost(["test"], ["another"])) == (1, 0)

    with transaction():
        assert outbox.retry(message("a@there.test").id, NOW + 80 * HOUR)
    with mail_server() as inbox:
        post(inbox.port)
        drain(NOW + 80 * HOUR)
    assert message("a@there.test").state == "sent"


def says_down(asked: list[int], words: str = "421 down for maintenance") -> Callable[[Script], None]:
    def script(talk: Script) -> None:
        asked.append(1)
        talk.say(words)

    return script


def test_a_server_that_is_down_is_asked_once_and_not_for_every_message(post: Callable[..., Flask]) -> None:
    asked: list[int] = []
    with scripted_server(says_down(asked)) as port:
        post(port)
        write(*(f"{number}@there.test" for number in range(200)))
        drain()
        drain(NOW + timedelta(seconds=20))

    assert len(asked) == 1
    assert message("199@there.test").attempts == 0


def test_a_password_that_is_wrong_is_tried_by_one_lane_and_ever_less_often(post: Callable[..., Flask]) -> None:
    """Mail hosts lock accounts that try again and again. Sixty mails wait, and new ones come all the time."""
    logins: list[datetime] = []
    clock = [NOW]

    def refuse(talk: Script) -> None:
        talk.say("220 scripted")
        talk.hear()
        talk.say("250-scripted\r\n250 AUTH PLAIN")
        talk.hear()
        logins.append(clock[0])
        talk.say("535 5.7.8 wrong password")
        talk.hear()

    with scripted_server(refuse) as port:
        post(port, "me:wrong@")
        write(*(f"{number}@there.test" for number in range(60)))
        while clock[0] < NOW + 3 * HOUR:
            drain(clock[0])
            clock[0] += timedelta(seconds=30)
            write(f"fresh{clock[0].timestamp()}@there.test")

    waits = [(after - before) / timedelta(minutes=1) for before, after in itertools.pairwise(logins)]
    assert all(wait >= plain for wait, plain in zip(waits, [0.5, 1, 2, 4, 8, 16, *[30] * 9], strict=False)), waits
    assert 8 <= len(logins) <= 11


def test_a_dead_server_delays_a_fresh_message_by_half_a_minute_however_long_others_have_waited(
    post: Callable[..., Flask],
) -> None:
    post(free_port())
    write("old@there.test")
    now = NOW
    for _each in range(10):
        drain(now)
        now = next_look()
    drain(now)
    assert next_look() >= now + timedelta(minutes=10)
    tried = len(words("old@there.test"))

    write("new@there.test")
    drain(now + timedelta(seconds=29))
    assert words("new@there.test") == []
    drain(now + timedelta(seconds=38))

    assert [stage for _verdict, stage, *_rest in words("new@there.test")] == ["connect"]
    assert len(words("old@there.test")) == tried


def test_a_server_that_is_back_gets_all_that_waited_for_it_and_not_what_a_recipient_refused(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    post(inbox.port)
    answers = {"grey@there.test": "451 greylisted"}
    inbox.answer = answers.get
    write("grey@there.test")
    drain()
    waits_until = message("grey@there.test").next_at
    post(free_port())
    write(*(f"old{number}@there.test" for number in range(20)))
    now = NOW + timedelta(seconds=1)
    drain(now)
    drain(next_look())
    assert [len(words(f"old{number}@there.test")) for number in (0, 1, 2)] == [1, 1, 0], "by turns"

    post(inbox.port)
    with transaction() as session:
        session.execute(update(Message).where(Message.address == "grey@there.test").values(next_at=NOW + 3 * HOUR / 4))
    drain(next_look())

    assert sorted(address for address, _mail in inbox.mails) == sorted(
        f"old{number}@there.test" for number in range(20)
    )
    assert waits_until > NOW
    assert message("grey@there.test").state == "queued"
    assert holding.standing() is None


def test_a_sender_that_is_refused_is_the_settings_fault_and_spends_no_messages_patience(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    asked: list[int] = []

    def refuse(talk: Script) -> None:
        talk.greet()
        while talk.hear().upper().startswith("MAIL"):
            asked.append(1)
            talk.say("553 Mail from must equal authorized user")

    with scripted_server(refuse) as port:
        post(port)
        write(*(f"{number}@there.test" for number in range(20)))
        drain()
        drain(NOW + timedelta(seconds=29))
        assert len(asked) == 1
        now = next_look()
        for _each in range(3):
            drain(now)
            now = next_look()
    assert len(asked) == 4
    assert {message(f"{number}@there.test").attempts for number in range(20)} == {0}

    post(inbox.port)
    with transaction():
        outbox.hurry(NOW + timedelta(minutes=4))
    drain(NOW + timedelta(minutes=4))

    assert len(inbox.mails) == 20


@pytest.mark.parametrize("mended_by", ["new settings", "trying a message again", "a test mail"])
def test_an_admin_who_mends_the_server_need_not_wait_for_the_next_look(
    inbox: Inbox, post: Callable[..., Flask], mended_by: str
) -> None:
    post(free_port())
    write("a@there.test", "b@there.test")
    now = NOW
    for _each in range(9):
        drain(now)
        now = next_look()
    post(inbox.port)
    now = next_look() - timedelta(minutes=5)
    drain(now)
    assert inbox.mails == []

    match mended_by:
        case "new settings":
            with transaction():
                outbox.hurry(now)
        case "trying a message again":
            with transaction():
                assert outbox.retry(message("a@there.test").id, now)
        case _:
            sending.send_now(Draft("t:1", "test", "plain", "me@there.test", "en"), clock=lambda: now)
    drain(now)

    assert {"a@there.test", "b@there.test"} <= {address for address, _mail in inbox.mails}


def test_a_test_mail_that_fails_or_goes_elsewhere_lifts_nothing(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(free_port())
    write("a@there.test")
    drain()
    elsewhere = Route(MailServer("127.0.0.1", inbox.port, Security.NONE), "yuliang@here.test", None)

    sending.send_now(Draft("t:1", "test", "plain", "me@there.test", "en"), clock=lambda: NOW)
    sending.send_now(Draft("t:2", "test", "plain", "me@there.test", "en"), elsewhere, lambda: NOW)

    assert (len(inbox.mails), next_look() > NOW) == (1, True)


def test_what_is_done_costs_the_look_for_what_is_due_nothing(post: Callable[..., Flask]) -> None:
    post(free_port())
    with transaction() as session:
        outbox.write([Draft(f"c:{n}", "c", "plain", f"{n}@there.test", "en") for n in range(3000)], NOW)
        session.execute(update(Message).where(Message.id % 1000 != 0).values(state="sent"))
        session.execute(text("ANALYZE message"))

    def look() -> object:
        return db.session.execute(outbox._NEXT, outbox._times(NOW)).all()

    assert price_of(look, "message") <= (1000 if db.engine.dialect.name == "sqlite" else 10)


def test_of_many_who_look_at_once_one_may_probe_and_one_that_dies_is_followed(post: Callable[..., Flask]) -> None:
    app = post(free_port())
    write(*(f"{number}@there.test" for number in range(20)))
    drain()
    now, found = next_look(), []

    def look() -> None:
        with app.app_context():
            found.append(outbox.take(now, "yuliang@here.test"))
            db.session.remove()

    together(*[look] * 8)

    assert [one.probing for one in found if one] == [True]
    assert outbox.due(now + outbox.PROBE - timedelta(seconds=1), 8) == 0
    assert outbox.due(now + outbox.PROBE, 8) == 1


def test_a_probe_whose_words_are_broken_leaves_the_next_to_ask(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(free_port())
    write("a@there.test")
    drain()
    post(inbox.port)
    write("en@there.test", kind="faulty in English")
    with transaction() as session:  # first in the row
        session.execute(update(Message).where(Message.address == "en@there.test").values(next_at=NOW - HOUR))

    drain(next_look())

    assert [address for address, _mail in inbox.mails] == ["a@there.test"]
    assert holding.standing() is None


def test_a_conversation_that_the_server_has_had_enough_of_is_begun_anew(post: Callable[..., Flask]) -> None:
    """Some hosts take so many mails a connection and no more: that is no trouble of theirs."""

    def two_mails(talk: Script) -> None:
        talk.greet()
        for _mail in range(2):
            talk.until_data()
            talk.content()
            talk.say("250 OK")
        talk.hear()
        talk.say("421 too many mails in one conversation")

    with scripted_server(two_mails) as port:
        post(port)
        write(*(f"{number}@there.test" for number in range(7)))
        drain()

    assert {message(f"{number}@there.test").state for number in range(7)} == {"sent"}
    assert holding.known() is None


@pytest.mark.parametrize(
    ("what", "by"),
    [("a message", timedelta(minutes=2)), ("a message", HOUR), ("a message", timedelta(days=1)), ("the hold", HOUR),
     ("the hold", timedelta(days=1))], ids=str,
)  # fmt: skip
def test_a_clock_that_was_ahead_and_is_set_right_keeps_nothing_waiting(
    inbox: Inbox, post: Callable[..., Flask], what: str, by: timedelta
) -> None:
    ahead = NOW + by
    post(inbox.port)
    write("a@there.test")
    with transaction() as session:
        match what:
            case "a message":
                session.execute(update(Message).values(next_at=ahead, created_at=ahead))
            case _:
                session.add(holding.Hold(channel="mail", failures=3, until=ahead, fresh_at=ahead))
    assert queries.overdue(["plain"], NOW) == (what == "a message" and by > HOUR)

    drain()

    assert message("a@there.test").state == "sent"


@pytest.mark.parametrize("back", [timedelta(minutes=14), timedelta(minutes=16), HOUR, timedelta(days=9)], ids=str)
def test_a_message_in_hand_is_taken_by_nobody_else_when_the_clock_is_set_back(
    inbox: Inbox, post: Callable[..., Flask], back: timedelta
) -> None:
    post(inbox.port)
    write("a@there.test")
    now = NOW - back
    with transaction() as session:
        session.execute(update(Message).values(next_at=now - HOUR))
    first = outbox.take(NOW, "yuliang@here.test")
    assert first is not None

    for seconds in (0, 1, 100):
        assert outbox.take(now + timedelta(seconds=seconds), "yuliang@here.test") is None

    accepted = smtp.Reply(Verdict.ACCEPTED, "content", 250, "OK")
    assert outbox.settle(first, accepted, None, now + timedelta(seconds=110), 0.5)
    assert message("a@there.test").state == "sent"


def test_what_a_process_held_that_died_by_a_clock_ahead_is_taken_a_lease_after_the_clock_is_right(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    post(inbox.port)
    write("a@there.test")
    assert outbox.take(NOW + timedelta(days=1), "yuliang@here.test") is not None
    drain()
    assert message("a@there.test").state == "queued"

    drain(NOW + outbox.LEASE)

    assert message("a@there.test").state == "sent"


def test_a_pause_of_an_honest_clock_is_kept_to_its_end(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(inbox.port)
    write("a@there.test")
    for longest in (pause(99, 1.0), retrying.FARTHEST_TRY):
        with transaction() as session:
            session.execute(update(Message).values(next_at=NOW + longest, first_at=NOW))
        assert outbox.due(NOW, 1) == 0


def test_what_its_owner_calls_pointless_is_dropped_with_the_reason_and_not_tried_again_by_hand(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    app = post(inbox.port)
    composing.register(app, "owned", lambda _message, _now: Content("s", "t", "<p>h</p>"),
                       pointless=lambda one, _now: "renewed" if one.address.startswith("late") else "")  # fmt: skip
    write("late@there.test", "good@there.test", kind="owned")
    with transaction():
        assert not outbox.retry(message("late@there.test").id, NOW)
    drain()

    assert [address for address, _mail in inbox.mails] == ["good@there.test"]
    late = message("late@there.test")
    assert (late.state, late.reason, late.attempts) == ("dropped", "renewed", 0)


def _unable(_message: Message, _now: datetime) -> str:
    raise KeyError("a row that nobody can judge")


def test_a_message_that_cannot_be_judged_goes_and_holds_up_no_other(inbox: Inbox, post: Callable[..., Flask]) -> None:
    app = post(inbox.port)
    words_of = lambda one, _now: Content(f"to {one.address}", "t", "<p>h</p>")  # noqa: E731
    composing.register(app, "owned", words_of, pointless=_unable)
    composing.register(app, "broken", _faulty, pointless=_unable)
    write("broken@there.test", kind="broken")
    write("odd@there.test", kind="owned")
    write("good@there.test")
    with transaction():
        assert outbox.retry(message("odd@there.test").id, NOW)
    drain()

    assert sorted(address for address, _mail in inbox.mails) == ["good@there.test", "odd@there.test"]
    assert words("broken@there.test") == [
        ("transient", "compose", None, "KeyError: 'a placeholder that no figure fills'")
    ]


def test_a_database_that_is_in_trouble_while_a_message_is_judged_is_no_reason_to_send_it(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    def trouble(_message: Message, _now: datetime) -> str:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    composing.register(post(inbox.port), "owned", lambda _one, _now: Content("s", "t", "<p>h</p>"), pointless=trouble)
    write("a@there.test", kind="owned")
    drain()

    assert (message("a@there.test").state, message("a@there.test").attempts) == ("queued", 0)


def test_what_a_lane_dies_of_is_told_by_the_job(
    inbox: Inbox, post: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = post(inbox.port)
    write("a@there.test")

    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(outbox, "take", broken)
    job = next(job for job in JOBS if job.name == sending.SEND_JOB)
    assert run_job(app, job, "me", lambda: NOW)
    monkeypatch.undo()

    [lease] = [one for one in all_leases() if one.name == sending.SEND_JOB]
    assert lease.error == "ZeroDivisionError"
    drain(NOW + timedelta(minutes=1))
    assert message("a@there.test").state == "sent"


def test_a_database_that_is_away_is_waited_for_and_a_wrong_question_to_it_is_a_fault(
    inbox: Inbox, post: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    post(inbox.port)
    write("a@there.test")

    def raising(fault: Exception) -> Callable[..., None]:
        def take(*_args: object) -> None:
            raise fault

        return take

    for away in (OperationalError, InterfaceError):
        monkeypatch.setattr(outbox, "take", raising(away("SELECT", {}, Exception("away"))))
        drain()
    monkeypatch.setattr(outbox, "take", raising(ProgrammingError("SELECT", {}, Exception("no such column"))))

    with pytest.raises(ProgrammingError):
        drain()


def test_what_a_lane_dies_of_after_the_run_is_told_by_the_next_though_nothing_is_due(
    inbox: Inbox, post: Callable[..., Flask]
) -> None:
    app = post(inbox.port)
    drain()
    app.extensions[sending.NAME].faults.append(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        drain()
    drain()


@pytest.mark.parametrize("slow_ones", [2, 3 * sending.LANES])
def test_recipients_whose_server_hangs_delay_nobody_not_even_who_comes_later(
    post: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, slow_ones: int
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


def test_a_fault_in_one_languages_words_is_visible_and_blocks_nobody(inbox: Inbox, post: Callable[..., Flask]) -> None:
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
    inbox: Inbox, post: Callable[..., Flask]
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
    inbox: Inbox, post: Callable[..., Flask]
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


def test_what_is_withdrawn_is_not_sent_and_says_why(inbox: Inbox, post: Callable[..., Flask]) -> None:
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


def test_what_is_withdrawn_while_it_is_tried_is_not_tried_again(inbox: Inbox, post: Callable[..., Flask]) -> None:
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
    inbox: Inbox, post: Callable[..., Flask]
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


@pytest.mark.parametrize("meanwhile", ["in another's hands", "refused by then", "given back"])
def test_an_ok_that_comes_after_another_took_over_is_a_fact(post: Callable[..., Flask], meanwhile: str) -> None:
    post(free_port())
    write("a@there.test")
    first = outbox.take(NOW, "yuliang@here.test")
    now = NOW + outbox.LEASE
    second = outbox.take(now, "yuliang@here.test")
    assert first is not None
    assert second is not None
    code = {"refused by then": 550, "given back": 451}.get(meanwhile)
    answer = smtp.Reply(Verdict.PERMANENT if code == 550 else Verdict.TRANSIENT, "recipient", code, "no")
    if code is not None:
        outbox.settle(second, answer, None, now, 0.5)

    assert outbox.settle(first, smtp.Reply(Verdict.ACCEPTED, "content", 250, "OK"), None, now, 0.5)
    if code is None:
        assert not outbox.settle(second, answer, None, now, 0.5)

    assert (message("a@there.test").state, message("a@there.test").holder) == ("sent", None)
    assert outbox.take(now + HOUR, "yuliang@here.test") is None


def test_what_a_dead_process_held_is_free_after_the_lease_for_whoever_changes_it(post: Callable[..., Flask]) -> None:
    """Brought to another address, tried by hand, or withdrawn; before, it may be in hand."""
    post(free_port())
    write("moves@there.test", "again@there.test")
    write("goes@there.test", cause="over")
    for _each in range(3):
        assert outbox.take(NOW, "yuliang@here.test") is not None
    draft = Draft("test:moves", "test", "plain", "new@there.test", "en", reader="someone")
    moves, again, goes = (message(f"{one}@there.test").id for one in ("moves", "again", "goes"))

    def change(now: datetime) -> bool:
        with transaction():
            outbox.bring_back(moves, draft, now)
            outbox.withdraw("over", "renewed", now)
            return outbox.retry(again, now)

    assert not change(NOW + outbox.LEASE - timedelta(seconds=1))
    found = [(one.address, one.state, one.holder is None) for one in map(by_id, (moves, again, goes))]
    assert found == [(f"{one}@there.test", "queued", False) for one in ("moves", "again", "goes")]
    with transaction() as session:  # as it was before the first change
        session.execute(update(Message).values(reason=""))
    assert change(NOW + outbox.LEASE)

    found = [(one.address, one.state, one.holder is None) for one in map(by_id, (moves, again, goes))]
    assert found == [
        ("new@there.test", "queued", True), ("again@there.test", "queued", True), ("goes@there.test", "dropped", True)
    ]  # fmt: skip


def by_id(number: int) -> Message:
    db.session.rollback()
    return db.session.get_one(Message, number, populate_existing=True)


def test_a_lease_outlasts_whatever_a_try_may_take() -> None:
    used_connection, new_one, mail = 3 * (smtp.MOST_SECONDS,)
    last_try = 3 * BUSY_SECONDS  # a connection, its lock, another's turn

    whole = used_connection + new_one + mail + sending.SETTLE_SECONDS + last_try

    assert outbox.LEASE.total_seconds() > whole + 60
    assert new_one + mail <= outbox.PROBE.total_seconds() < outbox.LEASE.total_seconds() / 2


def test_a_message_that_is_tried_again_begins_anew(post: Callable[..., Flask]) -> None:
    post(free_port())
    write("a@there.test")
    with transaction() as session:
        session.execute(update(Message).values(state="failed", attempts=40, first_at=NOW, finished_at=NOW))
        assert outbox.retry(message_of("a@there.test"), NOW + HOUR)

    again = message("a@there.test")
    assert (again.state, again.attempts, again.first_at) == ("queued", 0, None)


def message_of(address: str) -> int:
    return db.session.scalars(select(Message.id).where(Message.address == address)).one()


def test_a_test_mail_is_tried_once_and_its_failure_is_final(post: Callable[..., Flask]) -> None:
    post(free_port())

    reply = sending.send_now(Draft("t:1", "test", "plain", "a@there.test", "en"), clock=lambda: NOW)

    assert (reply.verdict, reply.stage) == ("transient", "connect")
    assert message("a@there.test").state == "failed"


def test_many_lanes_send_each_message_once(inbox: Inbox, post: Callable[..., Flask]) -> None:
    post(inbox.port)
    write(*(f"{number}@there.test" for number in range(120)))
    drain()

    assert sorted(address for address, _mail in inbox.mails) == sorted(f"{number}@there.test" for number in range(120))
    assert queries.waiting(NOW)[0] == 0
