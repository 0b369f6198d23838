"""Handing mails to a server by SMTP (RFC 5321): one connection, many messages, every step timed and named.

What the server says is kept word for word. A refusal (5xx) of the recipient or of the content is final; anything
else may be mended (by waiting, or by an admin on the settings page) and is worth another try. A try that ends
before the server has answered the content is safe to repeat; when it is the answer that does not come, the server
may have the mail: it gets long to answer, and the repeated mail has the same Message-ID.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify.channels.deadlines import deadlines
from webapp.notify.messages import Fault, Verdict

STEP_SECONDS = 20
"""How long the server may take to answer a step."""
CONTENT_SECONDS = 120
"""How long it may take over the content: servers look for viruses then (RFC 5321 4.5.3.2.6 would grant 10 minutes)."""
MOST_SECONDS = 180
"""How long a connection or one message may take in all, however slowly bytes drip in."""
MOST_WORDS = 500
BEFORE_ANY_MAIL = ("connect", "greeting", "tls", "login")
"""Steps at which no mail has been talked about yet."""
OF_THE_SERVER = (*BEFORE_ANY_MAIL, "sender")
"""Steps that are the same for all mails: what fails at one of them is the server's trouble, or that of the settings."""
GOES = 421
"""The server ends the conversation (RFC 5321 3.8)."""


class Reply(NamedTuple):
    """What came of handing over: the verdict, how far it came, the server's code and words."""

    verdict: Verdict
    stage: str
    code: int | None
    words: str
    fault: str = ""
    """A word of `Fault` where no server said what is wrong; `words` may say more about it."""

    @property
    def concerns_all(self) -> bool:
        """Whether it failed at what all mails have in common: others need not try at this moment."""
        return self.verdict != Verdict.ACCEPTED and self.stage in OF_THE_SERVER

    @property
    def refuses_us(self) -> bool:
        """Whether the server has answered that it will not serve us: by its address, log-in or sender."""
        return self.concerns_all and self.code is not None and self.code >= 500


class _BadBundle(Exception):
    """The certificates to trust cannot be read."""


class Connection:
    """A connection to a mail server, made when first needed. Not for two threads at once."""

    def __init__(self, server: MailServer, ca_bundle: Path | None = None) -> None:
        self._server = server
        self._ca_bundle = ca_bundle
        self._client: _Client | None = None
        self._stage = ""

    @property
    def let_in(self) -> bool:
        """Whether the server has let us in."""
        return self._stage not in ("", *BEFORE_ANY_MAIL)

    @property
    def about_one_mail(self) -> bool:
        """Whether the server has taken us and our sender: if it does not answer now, that is one mail's own trouble."""
        return self._stage not in ("", *OF_THE_SERVER)

    def send(self, sender: str, recipient: str, content: bytes) -> Reply:
        """Hands one mail over. Raises nothing: whatever happens becomes a `Reply`."""
        used = self._client is not None
        reply = self._send(sender, recipient, content)
        if used and reply.stage == "sender" and (reply.fault == Fault.CLOSED or reply.code == GOES):
            self.close()  # it has had enough of this conversation, not of us
            reply = self._send(sender, recipient, content)
        return reply

    def _send(self, sender: str, recipient: str, content: bytes) -> Reply:
        try:
            client = self._client or self._open()
            with client.limited(MOST_SECONDS):
                reply = self._hand_over(client, sender, recipient, content)
            if client.cut:  # what came then may be half a reply
                raise TimeoutError
            return reply
        except (smtplib.SMTPException, OSError, UnicodeError, ValueError, _BadBundle) as error:
            reply = _failure(self._stage, error, out_of_time=self._client is not None and self._client.cut)
            self.close()
            return reply

    def close(self) -> None:
        """Says goodbye, if there is anyone to say it to."""
        client, self._client = self._client, None
        if client is not None:
            client.leave()

    def _open(self) -> _Client:
        server = self._server
        self._stage = "tls"
        context = None if server.security == Security.NONE else self._trusting()
        self._stage = "connect"
        client = self._client = _Client(server)
        with client.limited(MOST_SECONDS):
            client.open_socket()
            if server.security == Security.TLS:
                self._stage = "tls"
                client.wrap(context)
            self._stage = "greeting"
            client.greet()
            if server.security == Security.STARTTLS:
                self._stage = "tls"
                client.starttls(context=context)
                client.ehlo_or_helo_if_needed()
            if server.user:
                self._stage = "login"
                client.login(server.user, server.password)
        if client.cut:  # while there was no line to cut yet: a name server, or the socket itself, took all the time
            raise TimeoutError
        return client

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self._ca_bundle) if self._ca_bundle else None)
        except OSError as error:
            raise _BadBundle(str(self._ca_bundle)) from error

    def _hand_over(self, client: _Client, sender: str, recipient: str, content: bytes) -> Reply:
        for self._stage, command, address in (("sender", client.mail, sender), ("recipient", client.rcpt, recipient)):
            code, words = command(address)
            if code not in (250, 251):
                return self._refused(client, code, words)
        self._stage = "content"
        client.be_patient()
        try:
            return _answer("content", *client.data(content))
        except smtplib.SMTPDataError as refused:  # refused before the content was sent: the connection is sound
            return self._refused(client, refused.smtp_code, refused.smtp_error)

    def _refused(self, client: _Client, code: int, words: bytes | str) -> Reply:
        """Keeps the connection for the next mail, if the server keeps it too; its words stand either way."""
        try:
            client.rset()
        except (smtplib.SMTPException, OSError):
            self.close()
        return _answer(self._stage, code, words)


class _Client(smtplib.SMTP):
    """smtplib's client with every wait bounded: by step, and in all by cutting the line from another thread."""

    def __init__(self, server: MailServer) -> None:
        name = socket.gethostname()
        super().__init__(local_hostname=name if "." in name and name.isascii() else "[127.0.0.1]", timeout=STEP_SECONDS)
        self._host = server.host  # what STARTTLS checks the certificate against
        self._server = server
        self._line: socket.socket | None = None
        self.cut = False
        """Whether the line was cut for having taken too long in all."""

    def open_socket(self) -> None:
        self.sock = socket.create_connection((self._server.host, self._server.port), STEP_SECONDS)
        self._line = self.sock.dup()  # TLS takes the first handle over; through this one the line can still be cut

    def wrap(self, context: ssl.SSLContext | None) -> None:
        assert self.sock is not None  # noqa: S101  # opened by open_socket
        assert context is not None  # noqa: S101  # made wherever TLS is wanted
        self.sock = context.wrap_socket(self.sock, server_hostname=self._server.host)

    def greet(self) -> None:
        code, words = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        self.ehlo_or_helo_if_needed()

    def be_patient(self) -> None:
        self._wait(CONTENT_SECONDS)

    def _wait(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        self._wait(STEP_SECONDS)
        with deadlines.then(seconds, self._cut):
            yield

    def _cut(self) -> None:
        self.cut = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._wait(2)
            self.quit()
        with contextlib.suppress(OSError):
            self.close()
        if self._line is not None:
            self._line.close()


def _answer(stage: str, code: int, words: bytes | str) -> Reply:
    if code < 200:  # smtplib's word for what is no reply at all
        return Reply(Verdict.TRANSIENT, stage, None, _plain(words), Fault.NOT_SMTP)
    if code == 250 or (stage == "recipient" and code == 251):
        return Reply(Verdict.ACCEPTED, stage, code, _plain(words))
    final = 500 <= code < 600 and stage in ("recipient", "content")
    return Reply(Verdict.PERMANENT if final else Verdict.TRANSIENT, stage, code, _plain(words))


def _failure(stage: str, error: Exception, *, out_of_time: bool) -> Reply:
    if out_of_time or _waited_in_vain(error):
        return Reply(Verdict.TRANSIENT, stage, None, "", Fault.NO_ANSWER)
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(stage, error.smtp_code, error.smtp_error)
    fault, words = _why(stage, error)
    return Reply(Verdict.TRANSIENT, stage, None, _plain(words), fault)


def _waited_in_vain(error: BaseException | None) -> bool:
    """Whether a wait that was over is the cause: smtplib tells it as a lost connection."""
    while error is not None:
        if isinstance(error, TimeoutError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _why(stage: str, error: Exception) -> tuple[Fault, str]:
    """The fault, and more about it. An `SMTPException` is an `OSError`, and so is TLS trouble: the order matters."""
    match error:
        case _BadBundle():
            return Fault.BUNDLE, str(error)
        case smtplib.SMTPServerDisconnected():
            return Fault.CLOSED, ""
        case smtplib.SMTPException() if stage in NOT_OFFERED:
            return NOT_OFFERED[stage], ""
        case ssl.SSLCertVerificationError():
            return Fault.CERTIFICATE, error.verify_message
        case ssl.SSLError():
            return Fault.TLS, error.reason or str(error)
        case UnicodeError():
            return Fault.CHARACTERS, ""
    for kind, fault in OF_THE_NETWORK:
        if isinstance(error, kind):
            return fault, ""
    return Fault.OTHER, getattr(error, "strerror", None) or str(error)


NOT_OFFERED = {"tls": Fault.NO_STARTTLS, "login": Fault.NO_LOGIN}
OF_THE_NETWORK: tuple[tuple[type[Exception], Fault], ...] = (
    (socket.gaierror, Fault.NO_NAME),
    (ConnectionRefusedError, Fault.TURNED_AWAY),
    (ConnectionError, Fault.CLOSED),
)


def _plain(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return "".join(c if c.isprintable() else " " for c in text).strip()[:MOST_WORDS]
