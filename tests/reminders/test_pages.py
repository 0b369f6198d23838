"""The page /reminders as an admin uses it: who is told, what was sent, the mail server and its test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, free_port, mail_server
from tests.reminders.story import buy, messages, review, use
from tests.support.cast import ADMIN, NOW, OPERATOR, Desk, Member
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify import sending
from webapp.reminders import links, queries
from webapp.reminders.rules import Rule
from webapp.scheduler import JOBS, run_job

Open = Callable[[Member | None], Desk]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def mailing(make_app: MakeApp, inbox: Inbox) -> Flask:
    """An app with a mail server."""
    return make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")


def link_in(mail_text: str, word: str) -> str:
    found = re.search(rf"http://[^/]+(/reminders/{word}/\S+)", mail_text)
    assert found is not None
    return found[1]


def plain(inbox: Inbox, address: str) -> str:
    body = inbox.to(address)[-1].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_admin_subscribes_and_is_told(mailing: Flask, inbox: Inbox) -> None:
    admin = Desk(mailing, ADMIN)

    page = admin.post("/reminders/recipients/me", follow_redirects=True).text
    assert f'data-recipient="{ADMIN.email}"' in page
    with mailing.app_context():
        assert [(one.address, one.locale) for one in queries.deliverable(Rule.LOW)] == [(ADMIN.email, "zh_CN")]
        db.session.remove()

    with mailing.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    assert len(inbox.to(ADMIN.email)) == 1
    page = admin.get("/reminders").text
    assert 'data-rule="low" data-standing="yes"' in page
    assert 'data-state="sent"' in page
    assert "250 OK queued as 1" in page


def test_an_outside_address_is_told_only_after_its_reader_agrees(mailing: Flask, inbox: Inbox) -> None:
    Desk(mailing, ADMIN).post("/reminders/recipients", {"email": "boss@outside.test", "locale": "en"})
    with mailing.app_context():
        assert queries.deliverable(Rule.LOW) == []
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    link = link_in(plain(inbox, "boss@outside.test"), "confirm")
    assert "/reminders/confirm/…" in Desk(mailing, ADMIN).get("/reminders/messages/1").text, "for its reader only"
    stranger = Desk(mailing, None)

    assert stranger.get(link).status_code == 200
    with mailing.app_context():
        assert queries.deliverable(Rule.LOW) == []  # a scanner that opens links agrees to nothing
        db.session.remove()
    assert 'data-answer="confirmed"' in stranger.post(link).text

    with mailing.app_context():
        assert [one.address for one in queries.deliverable(Rule.LOW)] == ["boss@outside.test"]
        db.session.remove()
    assert stranger.post(link).status_code == 410
    assert stranger.get(link).status_code == 410


def test_a_link_is_void_when_it_is_forged_or_a_newer_one_was_mailed(mailing: Flask) -> None:
    admin, stranger = Desk(mailing, ADMIN), Desk(mailing, None)
    admin.post("/reminders/recipients", {"email": "boss@outside.test", "locale": "en"})
    with mailing.app_context():
        recipient = queries.recipient_by_email("boss@outside.test")
        assert recipient is not None
        assert recipient.asked_at is not None
        asked = int(recipient.asked_at.timestamp())
        good, old = links.confirm_token(recipient.email, asked), links.confirm_token(recipient.email, asked - 60)
        stop = links.stop_token(recipient.email)
        db.session.remove()

    for token in (good[:8] + good[8].swapcase() + good[9:], good + "x", old, stop, "x"):
        assert stranger.get(f"/reminders/confirm/{token}").status_code == 410
        assert stranger.post(f"/reminders/confirm/{token}").status_code == 410
    assert stranger.get(f"/reminders/confirm/{good}").status_code == 200


def test_the_link_in_a_mail_ends_the_mails(mailing: Flask) -> None:
    Desk(mailing, ADMIN).post("/reminders/recipients/me")
    with mailing.app_context():
        token = links.stop_token(ADMIN.email)
    stranger = Desk(mailing, None)

    assert 'data-answer="stop"' in stranger.get(f"/reminders/stop/{token}").text
    assert 'data-answer="stopped"' in stranger.post(f"/reminders/stop/{token}").text
    assert 'data-answer="stopped"' in stranger.post(f"/reminders/stop/{token}").text

    with mailing.app_context():
        assert queries.recipients() == []
        db.session.remove()


def test_rules_are_switched_for_each_recipient(mailing: Flask) -> None:
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients/me")

    admin.post("/reminders/recipients/1", {"expiry": "y", "locale": "en"})

    with mailing.app_context():
        assert queries.deliverable(Rule.LOW) == []
        assert [one.address for one in queries.deliverable(Rule.EXPIRY)] == [ADMIN.email]
        db.session.remove()
    assert admin.post("/reminders/recipients/99", {"locale": "en"}).status_code == 404
    assert admin.post("/reminders/recipients/1", {"locale": "xx"}).status_code == 400


@pytest.mark.parametrize(
    "address", ["", "boss", "boss@", "bo ss@outside.test", "boss@outside.test\nBcc: x@y.test", "老板@外部.test"]
)
def test_an_address_that_is_none_is_refused(desk: Open, address: str) -> None:
    page = desk(ADMIN).post("/reminders/recipients", {"email": address, "locale": "en"}, follow_redirects=True).text

    assert "data-recipient" not in page


def test_the_test_mail_shows_the_servers_words(mailing: Flask, inbox: Inbox) -> None:
    admin = Desk(mailing, ADMIN)

    taken = admin.post("/reminders/test-mail", {"email": "me@outside.test"}, follow_redirects=True).text
    inbox.answer = lambda _address: "550 5.7.1 not from you"
    refused = admin.post("/reminders/test-mail", {"email": "me@outside.test"}, follow_redirects=True).text

    assert "250 OK queued as 1" in taken
    assert "550 5.7.1 not from you" in refused
    assert 'data-state="refused"' in refused


def test_a_mail_server_is_tried_before_it_is_stored(desk: Open, inbox: Inbox) -> None:
    admin = desk(ADMIN)
    fields = {"host": "127.0.0.1", "port": str(inbox.port), "security": "none", "user": "", "password": "",
              "sender": "yuliang@here.test", "test_to": ADMIN.email}  # fmt: skip

    dead = admin.post("/reminders/mail", fields | {"port": str(free_port())})
    assert dead.status_code == 422
    assert "Connection refused" in dead.text
    assert "127.0.0.1:" not in admin.get("/reminders").text

    stored = admin.post("/reminders/mail", fields, follow_redirects=True).text
    assert "250 OK queued as 1" in stored
    assert f"127.0.0.1:{inbox.port}" in stored
    assert len(inbox.to(ADMIN.email)) == 1


def test_the_stored_password_stays_with_its_server_and_is_never_shown(desk: Open) -> None:
    with mail_server(login=("me@here.test", "open sesame")) as inbox, mail_server() as other:
        admin = desk(ADMIN)
        fields = {"host": "127.0.0.1", "port": str(inbox.port), "security": "none", "user": "me@here.test",
                  "password": "open sesame", "sender": "", "test_to": ADMIN.email}  # fmt: skip
        assert admin.post("/reminders/mail", fields).status_code == 303
        page = admin.get("/reminders/mail").text
        assert "me@here.test" in page
        assert "sesame" not in page

        assert admin.post("/reminders/mail", fields | {"password": ""}).status_code == 303
        moved = admin.post("/reminders/mail", fields | {"password": "", "host": "localhost", "port": str(other.port)})

    assert moved.status_code == 422, "without the password for the new server there is no log-in there"


@pytest.mark.parametrize(
    "wrong", [{"host": "smtp://mail.test"}, {"host": ""}, {"port": "0"}, {"port": "x"}, {"sender": "nobody"},
              {"sender": ""}, {"test_to": ""}, {"security": "ssl3"}, {"host": "a b"}],
)  # fmt: skip
def test_wrong_settings_are_told_beside_their_field(desk: Open, wrong: dict[str, str]) -> None:
    fields = {"host": "127.0.0.1", "port": "25", "security": "none", "user": "", "password": "",
              "sender": "yuliang@here.test", "test_to": ADMIN.email} | wrong  # fmt: skip

    page = desk(ADMIN).post("/reminders/mail", fields)

    assert page.status_code == 422
    assert f'id="{next(iter(wrong))}-error"' in page.text


def test_presets_fill_the_form(desk: Open) -> None:
    page = desk(ADMIN).get("/reminders/mail?preset=tencent").text

    assert 'value="smtp.exmail.qq.com"' in page
    assert 'value="465"' in page


def test_what_the_environment_fixes_is_shown_as_fixed(mailing: Flask, inbox: Inbox) -> None:
    admin = Desk(mailing, ADMIN)

    assert "YULIANG_SMTP_URL" in admin.get("/reminders/mail").text
    assert admin.post("/reminders/mail", {"host": "h"}).status_code == 409
    assert inbox.mails == []


def test_settings_that_work_send_what_has_waited(desk: Open, app: Flask, inbox: Inbox) -> None:
    admin = desk(ADMIN)
    admin.post("/reminders/recipients/me")
    with app.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        assert [one.attempts for one in messages()] == [0]
        db.session.remove()
    fields = {"host": "127.0.0.1", "port": str(inbox.port), "security": "none", "user": "", "password": "",
              "sender": "yuliang@here.test", "test_to": ADMIN.email}  # fmt: skip
    admin.post("/reminders/mail", fields)

    with app.app_context():
        sending.drain(this_instance(), utc_now())
        assert [one.state for one in messages()] == ["sent"]
        db.session.remove()


def test_the_page_names_the_worker_and_what_stands_in_the_way(desk: Open, app: Flask) -> None:
    before = desk(ADMIN).get("/reminders").text
    assert 'data-faults="3"' in before

    for job in JOBS:
        run_job(app, job, "host:77:abc")
    after = desk(ADMIN).get("/reminders").text

    assert after.count("host:77:abc") == 2
    assert 'data-faults="2"' in after


def test_what_comes_next_is_told(desk: Open, app: Flask) -> None:
    with app.app_context():
        buy(100, ends=(utc_now() + timedelta(days=60)).date(), order="A-7", now=utc_now())
        db.session.remove()

    page = desk(ADMIN).get("/reminders").text

    assert page.count("data-coming") == 2
    assert "A-7" in page


def test_a_message_shows_every_attempt_and_can_be_tried_again(mailing: Flask, inbox: Inbox) -> None:
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients/me")
    inbox.answer = lambda _address: "550 5.1.1 no such mailbox"
    with mailing.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()

    page = admin.get("/reminders/messages/1").text
    assert "550 5.1.1 no such mailbox" in page
    assert 'data-state="refused"' in page

    inbox.answer = lambda _address: None
    assert 'data-state="queued"' in admin.post("/reminders/messages/1/retry", follow_redirects=True).text
    with mailing.app_context():
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    page = admin.get("/reminders/messages/1").text
    assert page.count("data-attempt>") == 2
    assert 'data-state="sent"' in page


def test_only_admins_open_it(desk: Open) -> None:
    for path in ("/reminders", "/reminders/mail", "/reminders/messages/1"):
        assert desk(OPERATOR).get(path).status_code == 403
        assert desk(None).get(path).status_code == 303
    assert desk(ADMIN).get("/reminders/messages/1").status_code == 404


def test_a_check_by_the_real_job_tells_nothing_twice(app: Flask) -> None:
    with app.app_context():
        review(NOW)
        db.session.remove()
    for _each in range(2):
        for job in JOBS:
            run_job(app, job, "host:1:a")
    with app.app_context():
        assert messages() == []
        db.session.remove()
