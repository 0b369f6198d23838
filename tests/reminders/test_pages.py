"""The page /reminders as an admin uses it: who is told, what was sent, the mail server and its test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, free_port, mail_server
from tests.reminders.story import add_confirmed, buy, messages, review, use
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from tests.vendor.certificates import make_identity
from webapp.accounts.models import User
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify import outbox, sending
from webapp.notify.messages import Attempt, Message
from webapp.notify.outbox import Draft
from webapp.quota.models import Lot
from webapp.reminders import links, mails, queries
from webapp.reminders.forms import MailServerForm
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
        good, old = links.confirm_token(recipient.mark, asked), links.confirm_token(recipient.mark, asked - 60)
        stop = links.stop_token(recipient.mark)
        db.session.remove()

    for token in (good[:8] + good[8].swapcase() + good[9:], good + "x", old, stop, "x"):
        assert stranger.get(f"/reminders/confirm/{token}").status_code == 410
        assert stranger.post(f"/reminders/confirm/{token}").status_code == 410
    assert stranger.get(f"/reminders/confirm/{good}").status_code == 200


def test_the_link_in_a_mail_ends_the_mails(mailing: Flask) -> None:
    Desk(mailing, ADMIN).post("/reminders/recipients/me")
    link = f"/reminders/stop/{stop_token(mailing, ADMIN.email)}"
    stranger = Desk(mailing, None)

    assert 'data-answer="stop"' in stranger.get(link).text
    assert 'data-answer="stopped"' in stranger.post(link).text
    assert 'data-answer="over"' in stranger.post(link).text
    assert 'data-answer="over"' in stranger.get(link).text

    with mailing.app_context():
        assert queries.recipients() == []
        db.session.remove()
    assert f"{ADMIN.email} 已通过提醒邮件中的链接退订" in Desk(mailing, ADMIN).get("/").text, "admins are told"


def test_links_of_mails_that_a_clock_ahead_has_written_work_when_it_is_right(mailing: Flask) -> None:
    with time_machine.travel(utc_now() + timedelta(hours=8)):
        admin = Desk(mailing, ADMIN)
        admin.post("/reminders/recipients/me")
        admin.post("/reminders/recipients", {"email": "boss@outside.test", "locale": "en"})
        stop, confirm = stop_token(mailing, ADMIN.email), confirm_token(mailing, "boss@outside.test")

    stranger = Desk(mailing, None)
    assert 'data-answer="stop"' in stranger.get(f"/reminders/stop/{stop}").text
    assert stranger.get(f"/reminders/leave/{stop}").location == f"/reminders/stop/{stop}"
    assert 'data-answer="stopped"' in stranger.post(f"/reminders/leave/{stop}").text
    assert 'data-answer="confirmed"' in stranger.post(f"/reminders/confirm/{confirm}").text


def test_a_link_ends_its_subscription_however_old_it_is_but_confirms_for_a_week_only(mailing: Flask) -> None:
    admin, stranger = Desk(mailing, ADMIN), Desk(mailing, None)
    admin.post("/reminders/recipients/me")
    admin.post("/reminders/recipients", {"email": "boss@outside.test", "locale": "en"})
    stop, confirm = stop_token(mailing, ADMIN.email), confirm_token(mailing, "boss@outside.test")

    with time_machine.travel(utc_now() + timedelta(days=6.9)):
        assert stranger.get(f"/reminders/confirm/{confirm}").status_code == 200
    with time_machine.travel(utc_now() + timedelta(days=7.1)):
        assert stranger.get(f"/reminders/confirm/{confirm}").status_code == 410
    with time_machine.travel(utc_now() + timedelta(days=4000)):
        assert 'data-answer="stopped"' in stranger.post(f"/reminders/stop/{stop}").text


def confirm_token(app: Flask, address: str) -> str:
    with app.app_context():
        recipient = queries.recipient_by_email(address)
        db.session.remove()
        assert recipient is not None
        assert recipient.asked_at is not None
        return links.confirm_token(recipient.mark, int(recipient.asked_at.timestamp()))


def stop_token(app: Flask, address: str) -> str:
    with app.app_context():
        recipient = queries.recipient_by_email(address)
        db.session.remove()
        assert recipient is not None
        return links.stop_token(recipient.mark)


def test_a_link_ends_its_own_subscription_and_no_later_one(mailing: Flask) -> None:
    admin, stranger = Desk(mailing, ADMIN), Desk(mailing, None)
    admin.post("/reminders/recipients/me")
    old = stop_token(mailing, ADMIN.email)
    stranger.post(f"/reminders/stop/{old}")
    admin.post("/reminders/recipients/me")

    assert 'data-answer="over"' in stranger.post(f"/reminders/stop/{old}").text
    assert f'data-recipient="{ADMIN.email}"' in admin.get("/reminders").text
    assert "已通过提醒邮件中的链接退订" not in admin.get("/").text, "they are back"


def test_the_link_works_after_the_users_address_has_changed(mailing: Flask) -> None:
    Desk(mailing, ADMIN).post("/reminders/recipients/me")
    token = stop_token(mailing, ADMIN.email)
    move(mailing, ADMIN.id, "new@yuliang.test")

    assert "new@yuliang.test" in Desk(mailing, None).get(f"/reminders/stop/{token}").text
    assert 'data-answer="stopped"' in Desk(mailing, None).post(f"/reminders/stop/{token}").text
    with mailing.app_context():
        assert queries.recipients() == []
        db.session.remove()


def move(app: Flask, user_id: int, address: str) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(User).where(User.id == user_id).values(email=address))
        db.session.remove()


def test_a_user_whose_address_changed_stands_in_nobodys_way(mailing: Flask) -> None:
    """Neither their new address nor the old one, which is somebody else's now, makes a fault."""
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients/me")
    move(mailing, ADMIN.id, "new@yuliang.test")

    for path, fields in (("/reminders/recipients/me", {}),
                         ("/reminders/recipients", {"email": "new@yuliang.test", "locale": "en"})):  # fmt: skip
        again = admin.post(path, fields, follow_redirects=True)
        assert (again.status_code, again.text.count("data-recipient=")) == (200, 1)
    other = admin.post("/reminders/recipients", {"email": ADMIN.email, "locale": "en"}, follow_redirects=True)

    assert other.text.count("data-recipient=") == 2
    assert f'data-recipient="{ADMIN.email}"' in other.text


def test_who_was_asked_to_confirm_by_mail_may_simply_say_so_when_logged_in(mailing: Flask) -> None:
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients", {"email": ADMIN.email, "locale": "en"})
    with mailing.app_context():
        assert queries.deliverable(Rule.LOW) == []
        db.session.remove()

    page = admin.post("/reminders/recipients/me", follow_redirects=True).text

    assert page.count("data-recipient=") == 1
    with mailing.app_context():
        assert [one.address for one in queries.deliverable(Rule.LOW)] == [ADMIN.email]
        db.session.remove()


def test_a_mail_programs_own_button_ends_the_mails_with_one_click(make_app: MakeApp, inbox: Inbox) -> None:
    """RFC 8058: a POST from nowhere, without a cookie; the address stands in the mail's head."""
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test",
                   PUBLIC_URL="https://yuliang.example")  # fmt: skip
    Desk(app, ADMIN).post("/reminders/recipients/me")
    with app.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    [mail] = inbox.to(ADMIN.email)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = mail["List-Unsubscribe"].strip().removeprefix("<https://yuliang.example").removesuffix(">")
    program = app.test_client()

    assert program.get(path).location == path.replace("/leave/", "/stop/")
    assert program.post(path + "x", data={"List-Unsubscribe": "One-Click"}).status_code == 410
    assert 'data-answer="stopped"' in program.post(path, data={"List-Unsubscribe": "One-Click"}).text

    with app.app_context():
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

    nobodys = str(free_port())
    dead = admin.post("/reminders/mail", fields | {"port": nobodys})
    assert dead.status_code == 422
    assert "连接被拒绝：该端口没有邮件服务器" in dead.text
    assert f"127.0.0.1:{nobodys}" not in admin.get("/reminders").text

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


def test_the_stored_password_goes_to_its_port_only_and_never_in_the_clear_where_it_was_encrypted(app: Flask) -> None:
    stored = MailServer("mail.test", 465, Security.TLS, "me@here.test", "open sesame")
    fields = {"host": "mail.test", "port": "465", "security": "tls", "user": "me@here.test", "password": ""}

    def password(**changed: str) -> str:
        with app.test_request_context(method="POST", data=fields | changed):
            return MailServerForm(meta={"csrf": False}).server(stored).password

    assert password() == password(security="starttls") == "open sesame"
    assert [password(port="25"), password(security="none"), password(host="other.test"), password(user="x")] == [""] * 4
    assert password(security="none", password="typed") == "typed"


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


def test_a_certificate_that_does_not_hold_is_told_at_save_and_nothing_is_stored(desk: Open, tmp_path: Path) -> None:
    admin = desk(ADMIN)
    with mail_server(tls=make_identity(tmp_path).server) as secured:
        fields = {"host": "127.0.0.1", "port": str(secured.port), "security": "tls", "user": "", "password": "",
                  "sender": "yuliang@here.test", "test_to": ADMIN.email}  # fmt: skip
        page = admin.post("/reminders/mail", fields)

    assert page.status_code == 422
    assert "服务器证书无效 (self-signed certificate)" in page.text
    assert f"127.0.0.1:{secured.port}" not in admin.get("/reminders").text


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


def test_settings_that_work_send_what_the_former_ones_had_refused(desk: Open, app: Flask, inbox: Inbox) -> None:
    admin = desk(ADMIN)
    admin.post("/reminders/recipients/me")
    fields = {"host": "127.0.0.1", "port": str(inbox.port), "security": "none", "user": "", "password": "",
              "sender": "yuliang@here.test", "test_to": "test@there.test"}  # fmt: skip
    admin.post("/reminders/mail", fields)
    inbox.answer = lambda address: None if address == "test@there.test" else "554 5.7.1 Relay access denied"
    with app.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        assert [one.state for one in messages()] == ["refused"]
        db.session.remove()

    inbox.answer = lambda _address: None
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


def test_each_rule_shows_its_figure_and_who_is_told(mailing: Flask) -> None:
    admin = Desk(mailing, ADMIN)
    before = admin.get("/reminders").text
    assert (before.count("没有有效套餐"), before.count("无人</span>")) == (1, 2)
    admin.post("/reminders/recipients/me")
    with mailing.app_context():
        lot = buy(10_000, ends=(utc_now() + timedelta(days=60)).date(), now=utc_now())
        with transaction() as session:
            session.execute(update(Lot).where(Lot.id == lot).values(available=1842, charged=8158))
        db.session.remove()

    page = admin.get("/reminders").text

    assert "1,842/10,000 = 18%" in page
    assert "最近：1,842 次将于" in page
    assert re.findall(r"data-told>([^<]*)<", page) == [ADMIN.name, ADMIN.name]


def test_all_mails_can_be_reached_page_by_page(mailing: Flask) -> None:
    with mailing.app_context():
        with transaction():
            outbox.write([Draft(f"m:{one}", "m", "mail.test", f"{one}@there.test", "en") for one in range(70)], NOW)
        db.session.remove()
    admin, path, seen = Desk(mailing, ADMIN), "/reminders", []
    while path:
        page = admin.get(path).text
        seen.append(len(re.findall(r'<tr data-message="\d+"', page)))
        older = re.search(r'href="(/reminders\?before=\d+)#messages"', page)
        path = older[1] if older else ""

    assert seen == [30, 30, 10]
    assert admin.get("/reminders?before=0").status_code == 404
    assert admin.get("/reminders?before=x").status_code == 200


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


def refused_low(app: Flask, inbox: Inbox, *others: str) -> Desk:
    """A low balance whose mails to the admin and others were refused."""
    admin = Desk(app, ADMIN)
    admin.post("/reminders/recipients/me")
    inbox.answer = lambda _address: "550 5.1.1 no such mailbox"
    with app.app_context():
        for address in others:
            add_confirmed(address, now=utc_now())
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    inbox.answer = lambda _address: None
    return admin


@pytest.mark.parametrize(("over_by", "reason"), [("a purchase", "已续购"), ("leaving the list", "不再通知该收件人")])
def test_what_has_become_untrue_or_unwanted_is_not_sent_by_trying_again(
    mailing: Flask, inbox: Inbox, over_by: str, reason: str
) -> None:
    admin = refused_low(mailing, inbox)
    assert "/reminders/messages/1/retry" in admin.get("/reminders/messages/1").text
    if over_by == "a purchase":
        with mailing.app_context():
            buy(1000, now=utc_now())
            db.session.remove()
    else:
        admin.post("/reminders/recipients/1/remove")

    page = admin.get("/reminders/messages/1").text
    assert "/reminders/messages/1/retry" not in page
    assert re.search(rf"data-pointless>[^<]*{reason}", page), page
    for path in ("/reminders/messages/1/retry", "/reminders/messages/retry"):
        assert 'data-state="refused"' in admin.post(path, follow_redirects=True).text
    with mailing.app_context():
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    assert inbox.mails == []


def test_all_that_could_not_be_delivered_is_tried_again_by_one_button(mailing: Flask, inbox: Inbox) -> None:
    admin = refused_low(mailing, inbox, "boss@outside.test")
    assert 'action="/reminders/messages/retry"' in admin.get("/reminders").text

    admin.post("/reminders/messages/retry")
    with mailing.app_context():
        sending.drain(this_instance(), utc_now())
        db.session.remove()

    assert sorted(address for address, mail in inbox.mails) == sorted(["boss@outside.test", ADMIN.email])
    page = admin.get("/reminders").text
    assert page.count('data-state="sent"') == 2
    assert 'action="/reminders/messages/retry"' not in page, "nothing is left to try"


def test_the_list_shows_the_newest_words_of_the_server_while_the_next_try_goes_on(mailing: Flask, inbox: Inbox) -> None:
    admin = refused_low(mailing, inbox)
    admin.post("/reminders/messages/1/retry")
    now = utc_now()
    with mailing.app_context():
        assert outbox.take(now, "yuliang@here.test") is not None
        db.session.remove()
    for path in ("/reminders", "/reminders/messages/1"):
        page = admin.get(path).text
        assert "550 5.1.1 no such mailbox" in page
        assert "正在尝试" in page
        assert "中断" not in page

    with mailing.app_context():
        with transaction() as session:
            session.execute(update(Message).values(next_at=now - timedelta(seconds=1)))
        db.session.remove()
    page = admin.get("/reminders").text
    assert "中断：进程已结束" in page
    assert "正在尝试" not in page


def test_the_page_tells_that_all_mails_are_held_and_until_when(make_app: MakeApp) -> None:
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{free_port()}", MAIL_FROM="yuliang@here.test")
    admin = Desk(app, ADMIN)
    admin.post("/reminders/recipients/me")
    with app.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()

    page = admin.get("/reminders").text

    assert "连续失败 1 次" in page
    assert page.count("下次尝试 20") == 2, "of the server, and of the mail"


@pytest.mark.parametrize(
    ("public_url", "warned"),
    [("", True), ("http://localhost:8000", True), ("http://[::1]", True), ("https://yuliang.example", False)],
)
def test_who_adds_an_address_is_warned_where_its_link_could_not_be_opened(
    make_app: MakeApp, public_url: str, warned: bool
) -> None:
    page = Desk(make_app(PUBLIC_URL=public_url), ADMIN).get("/reminders").text

    assert ("别人无法打开" in page) == warned


def test_who_is_no_admin_any_more_is_told_nothing_until_they_agree_anew(mailing: Flask, inbox: Inbox) -> None:
    admin = Desk(mailing, ADMIN)
    second = admin_too(mailing)
    Desk(mailing, second).post("/reminders/recipients/me")
    role(mailing, second, "operator")
    with mailing.app_context():
        assert queries.deliverable(Rule.LOW) == [], "at once"
        for _each in range(2):
            review(utc_now())
        db.session.remove()

    assert f"{second.name} 已不是管理员" in admin.get("/").text
    page = admin.get("/reminders").text
    assert "须重新同意" in page
    admin.post("/reminders/recipients/1/ask")
    with mailing.app_context():
        sending.drain(this_instance(), utc_now())
        db.session.remove()
    Desk(mailing, None).post(link_in(plain(inbox, second.email), "confirm"))

    with mailing.app_context():
        review(utc_now())
        assert [one.address for one in queries.deliverable(Rule.LOW)] == [second.email]
        db.session.remove()
    assert "已不是管理员" not in admin.get("/").text


def admin_too(app: Flask) -> Member:
    """The auditor, made an admin."""
    role(app, AUDITOR, "admin")
    return AUDITOR


def role(app: Flask, member: Member, name: str) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(User).where(User.id == member.id).values(role=name))
        db.session.remove()


def test_a_mail_that_went_out_in_short_form_names_the_fault(
    mailing: Flask, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_picture(*_figures: object) -> bytes:
        raise KeyError("no figure fills this")

    monkeypatch.setattr(mails, "usage_picture", no_picture)
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients/me")
    with mailing.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        sending.drain(this_instance(), utc_now())
        db.session.remove()

    assert [mail["Subject"] for mail in inbox.to(ADMIN.email)] == ["[余量] 仅剩 1/10 次"]
    page = admin.get("/reminders/messages/1").text
    assert "no figure fills this" in page
    assert "简短邮件" in page
    assert "1 封提醒邮件无法完整生成" in admin.get("/reminders").text


def test_our_own_words_about_a_try_are_in_the_readers_language_and_the_servers_as_they_came(
    mailing: Flask, inbox: Inbox
) -> None:
    admin = Desk(mailing, ADMIN)
    admin.post("/reminders/recipients/me")
    with mailing.app_context():
        buy(10, now=utc_now())
        use(9, utc_now())
        with transaction() as session:
            for fault, words in (("no_answer", ""), ("certificate", "expired"), ("", "a word of an older version")):
                session.add(Attempt(message_id=1, started_at=utc_now(), verdict="transient", stage="connect",
                                    fault=fault, words=words))  # fmt: skip
        db.session.remove()

    for language, expected in (("zh", ["未在规定时间内应答", "服务器证书无效 (expired)"]),
                               ("en", ["no answer in time", "certificate does not hold (expired)"])):  # fmt: skip
        page = admin.get("/reminders/messages/1", headers={"Accept-Language": language}).text
        for one in [*expected, "a word of an older version"]:
            assert one in page


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
