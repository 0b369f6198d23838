"""Handing a mail over: the server's words are kept, its refusals told apart, every wait bounded."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.notify.servers import Inbox, Script, free_port, mail_server, scripted_server
from tests.vendor.certificates import HOST, make_identity
from webapp.foundation.smtp_url import MailServer, Security, parse_smtp_url
from webapp.notify.channels import smtp
from webapp.notify.channels.smtp import Connection, Reply
from webapp.notify.messages import Fault, Verdict

MAIL = b"Subject: hello\r\n\r\n.a line that begins with a dot\r\nend\r\n"


def send(server: MailServer, ca_bundle: Path | None = None, recipient: str = "you@there.test") -> Reply:
    connection = Connection(server, ca_bundle)
    try:
        return connection.send("me@here.test", recipient, MAIL)
    finally:
        connection.close()


def plain(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, Security.NONE)


def test_a_taken_mail_brings_the_servers_reply() -> None:
    with mail_server() as inbox:
        reply = send(plain(inbox.port))

    assert reply == Reply(Verdict.ACCEPTED, "content", 250, "OK queued as 1")
    [mail] = inbox.to("you@there.test")
    assert mail.get_content() == ".a line that begins with a dot\r\nend\r\n"


def test_one_connection_carries_many_mails_and_outlives_a_refusal() -> None:
    with mail_server() as inbox:
        inbox.answer = lambda address: "550 5.1.1 no such user" if address.startswith("nobody") else None
        connection = Connection(plain(inbox.port))
        replies = [connection.send("me@here.test", f"{name}@there.test", MAIL) for name in ("a", "nobody", "b")]
        connection.close()

    assert [reply.verdict for reply in replies] == [Verdict.ACCEPTED, Verdict.PERMANENT, Verdict.ACCEPTED]
    assert replies[1] == Reply(Verdict.PERMANENT, "recipient", 550, "5.1.1 no such user")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("450 4.2.0 greylisted", Verdict.TRANSIENT), ("452 mailbox full", Verdict.TRANSIENT),
     ("421 too many connections", Verdict.TRANSIENT), ("550 no such user", Verdict.PERMANENT),
     ("553 not allowed", Verdict.PERMANENT)],
)  # fmt: skip
def test_4xx_is_worth_another_try_and_5xx_of_the_recipient_is_final(answer: str, verdict: Verdict) -> None:
    with mail_server() as inbox:
        inbox.answer = lambda _address: answer
        reply = send(plain(inbox.port))

    assert (reply.verdict, reply.stage, reply.code) == (verdict, "recipient", int(answer[:3]))
    assert not reply.concerns_all


def says(text: str) -> Callable[[Script], None]:
    def script(talk: Script) -> None:
        talk.say(text)
        talk.hear()

    return script


def refuses_sender(talk: Script) -> None:
    talk.greet()
    talk.hear()
    talk.say("501 sender must be the user")
    talk.hear()


def refuses_content(talk: Script) -> None:
    talk.greet()
    talk.until_data()
    talk.content()
    talk.say("554 5.7.1 looks like spam 判为垃圾邮件")


def refuses_data(talk: Script) -> None:
    talk.greet()
    for _command in ("MAIL", "RCPT"):
        talk.hear()
        talk.say("250 OK")
    talk.hear()
    talk.say("451 try later")
    talk.hear()


def closes_in_data(talk: Script) -> None:
    talk.greet()
    talk.until_data()
    talk.hear()


def closes_after_content(talk: Script) -> None:
    talk.greet()
    talk.until_data()
    talk.content()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (says("554 no service here"), Reply(Verdict.TRANSIENT, "greeting", 554, "no service here")),
        (says("421 come back"), Reply(Verdict.TRANSIENT, "greeting", 421, "come back")),
        (refuses_sender, Reply(Verdict.TRANSIENT, "sender", 501, "sender must be the user")),
        (refuses_content, Reply(Verdict.PERMANENT, "content", 554, "5.7.1 looks like spam 判为垃圾邮件")),
        (refuses_data, Reply(Verdict.TRANSIENT, "content", 451, "try later")),
    ],
)
def test_each_refusal_is_told_with_its_step_and_the_servers_words(
    script: Callable[[Script], None], expected: Reply
) -> None:
    with scripted_server(script) as port:
        assert send(plain(port)) == expected


@pytest.mark.parametrize(
    ("script", "stage"),
    [(lambda talk: None, "greeting"), (closes_in_data, "content"), (closes_after_content, "content")],
)
def test_a_connection_that_closes_half_way_is_worth_another_try(script: Callable[[Script], None], stage: str) -> None:
    with scripted_server(script) as port:
        assert send(plain(port)) == failed(stage, Fault.CLOSED)


def failed(stage: str, fault: Fault, words: str = "") -> Reply:
    """What comes of a try that a fault ended, not a server's word."""
    return Reply(Verdict.TRANSIENT, stage, None, words, fault)


def test_nobody_listening_is_said_and_concerns_all_mails() -> None:
    reply = send(plain(free_port()))

    assert reply == failed("connect", Fault.TURNED_AWAY)
    assert reply.concerns_all


def test_a_name_nobody_knows_is_said() -> None:
    assert send(MailServer("mail.invalid", 25, Security.NONE)) == failed("connect", Fault.NO_NAME)


def test_what_is_no_mail_server_is_said() -> None:
    with scripted_server(says("HTTP/1.1 400 Bad Request")) as port:
        reply = send(plain(port))

    assert (reply.verdict, reply.stage, reply.code, reply.fault) == (
        Verdict.TRANSIENT, "greeting", None, Fault.NOT_SMTP)  # fmt: skip


def hangs_at_greeting(talk: Script) -> None:
    talk.hear()


def hangs_at_recipient(talk: Script) -> None:
    talk.greet()
    talk.hear()
    talk.say("250 OK")
    talk.hear()
    talk.hear()  # nothing more is said; the client hangs up


def hangs_after_content(talk: Script) -> None:
    talk.greet()
    talk.until_data()
    talk.content()
    talk.hear()


def drips(talk: Script) -> None:
    """One byte now and then: never silent for long, never done."""
    while True:
        talk.connection.sendall(b"2")
        time.sleep(0.05)  # the server's slowness is what is tested


@pytest.mark.parametrize(
    ("script", "stage"),
    [(hangs_at_greeting, "greeting"), (hangs_at_recipient, "recipient"), (hangs_after_content, "content"),
     (drips, "greeting")],
)  # fmt: skip
def test_a_server_that_hangs_or_drips_is_left_when_its_time_is_over_and_that_is_what_is_said(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[Script], None], stage: str
) -> None:
    monkeypatch.setattr(smtp, "STEP_SECONDS", 1)
    monkeypatch.setattr(smtp, "CONTENT_SECONDS", 1)
    monkeypatch.setattr(smtp, "MOST_SECONDS", 2.5)
    with scripted_server(script) as port:
        started = time.monotonic()
        reply = send(plain(port))

    assert reply == failed(stage, Fault.NO_ANSWER)
    assert time.monotonic() - started < 20, "and not after the usual time"


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_tls_is_used_as_asked_and_its_certificate_checked_against_the_bundle(
    tmp_path: Path, security: Security
) -> None:
    identity = make_identity(tmp_path)
    with tls_server(security, identity.server) as inbox:
        server = MailServer("127.0.0.1", inbox.port, security)
        trusted, unknown = send(server, identity.bundle), send(server)

    assert trusted.verdict == Verdict.ACCEPTED
    assert unknown == failed("tls", Fault.CERTIFICATE, "self-signed certificate")
    assert len(inbox.mails) == 1


def tls_server(security: Security, context: ssl.SSLContext) -> AbstractContextManager[Inbox]:
    return mail_server(tls=context) if security == Security.TLS else mail_server(starttls=context)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_certificate_for_another_name_does_not_hold(tmp_path: Path, security: Security) -> None:
    identity = make_identity(tmp_path)
    with tls_server(security, identity.server) as inbox:
        reply = send(MailServer("localhost", inbox.port, security), identity.bundle)

    assert HOST != "localhost"
    assert (reply.verdict, reply.stage, reply.fault) == (Verdict.TRANSIENT, "tls", Fault.CERTIFICATE)
    assert "localhost" in reply.words


def test_a_bundle_without_certificates_is_named_and_is_in_the_way_of_tls_only(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate", encoding="ascii")
    with mail_server() as inbox:
        in_the_clear = send(plain(inbox.port), bundle)
        secured = send(MailServer("127.0.0.1", inbox.port, Security.TLS), bundle)

    assert in_the_clear.verdict == Verdict.ACCEPTED
    assert secured == failed("tls", Fault.BUNDLE, str(bundle))


def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    with mail_server() as inbox:
        reply = send(MailServer("127.0.0.1", inbox.port, Security.STARTTLS))

    assert reply == failed("tls", Fault.NO_STARTTLS)
    assert inbox.mails == []


def test_a_plain_server_behind_the_tls_port_is_told_as_tls_trouble() -> None:
    with scripted_server(says("220 plain")) as port:
        reply = send(MailServer("127.0.0.1", port, Security.TLS))

    assert reply == failed("tls", Fault.TLS, "WRONG_VERSION_NUMBER")


def test_user_and_password_are_given_and_a_wrong_one_is_worth_mending() -> None:
    with mail_server(login=("me@here.test", "p:w/d@1")) as inbox:
        right = parse_smtp_url(f"smtp://me%40here.test:p%3Aw%2Fd%401@127.0.0.1:{inbox.port}")
        wrong = MailServer(right.host, right.port, right.security, right.user, "other")
        replies = send(right), send(wrong)

    assert replies[0].verdict == Verdict.ACCEPTED
    assert (replies[1].verdict, replies[1].stage, replies[1].code) == (Verdict.TRANSIENT, "login", 535)
    assert replies[1].concerns_all


def test_a_password_no_server_can_take_is_said() -> None:
    with mail_server(login=("me", "x")) as inbox:
        reply = send(MailServer("127.0.0.1", inbox.port, Security.NONE, "me", "密码"))

    assert reply == failed("login", Fault.CHARACTERS)


def offers_no_login(talk: Script) -> None:
    talk.greet()
    talk.hear()


def offers_strange_login(talk: Script) -> None:
    talk.say("220 scripted")
    talk.hear()
    talk.say("250-scripted")
    talk.say("250 AUTH GSSAPI")
    talk.hear()


@pytest.mark.parametrize("script", [offers_no_login, offers_strange_login])
def test_a_server_that_offers_no_login_we_know_is_said_and_gets_no_mail(script: Callable[[Script], None]) -> None:
    with scripted_server(script) as port:
        reply = send(MailServer("127.0.0.1", port, Security.NONE, "me", "x"))

    assert reply == failed("login", Fault.NO_LOGIN)


@pytest.mark.parametrize(
    "text", ["http://h", "smtp://", "smtp://h:0", "smtp://h:99999", "smtp://h/path", "smtps://h?starttls=true",
             "smtp://h?starttls=maybe", "smtp://h?tls=1", "smtp://h h", "smtp://h:port"],
)  # fmt: skip
def test_an_address_that_cannot_be_a_mail_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|takes"):
        parse_smtp_url(text)


@pytest.mark.parametrize(
    "server",
    [MailServer("h.test", 25, Security.NONE), MailServer("::1", 587, Security.STARTTLS, "u@h.test", "a b/?#%密"),
     MailServer("h.test", 465, Security.TLS, "u", ":@")],
)  # fmt: skip
def test_what_is_written_as_an_address_is_read_back_the_same(server: MailServer) -> None:
    assert parse_smtp_url(server.url()) == server
    assert server.password == "" or server.password not in repr(server)


def test_the_inbox_of_these_tests_keeps_what_it_took(tmp_path: Path) -> None:
    with mail_server() as inbox:
        send(plain(inbox.port), recipient="other@there.test")

    assert isinstance(inbox, Inbox)
    assert inbox.to("you@there.test") == []
    assert len(inbox.to("other@there.test")) == 1
