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
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.foundation.smtp_url import MailServer, Security
from webapp.notify.messages import Verdict

STEP_SECONDS = 20
"""How long the server may take to answer a step."""
CONTENT_SECONDS = 120
"""How long it may take over the content: servers look for viruses then (RFC 5321 4.5.3.2.6 would grant 10 minutes)."""
MOST_SECONDS = 180
"""How long a connection or one message may take in all, however slowly bytes drip in."""
MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of handing over: the verdict, how far it came, the server's code and words."""

    verdict: Verdict
    stage: str
    code: int | None
    words: str

    @property
    def concerns_all(self) -> bool:
        """Whether it failed before any message was talked about: others need not try at this moment."""
        return self.verdict != Verdict.ACCEPTED and self.stage in ("connect", "greeting", "tls", "login")


class Connection:
    """A connection to a mail server, made when first needed. Not for two threads at once."""

    def __init__(self, server: MailServer, ca_bundle: Path | None = None) -> None:
        self._server = server
        self._ca_bundle = ca_bundle
        self._client: _Client | None = None
        self._stage = ""

    def send(self, sender: str, recipient: str, content: bytes) -> Reply:
        """Hands one mail over. Raises nothing: whatever happens becomes a `Reply`."""
        try:
            client = self._client or self._open()
            with client.limited(MOST_SECONDS):
                return self._hand_over(client, sender, recipient, content)
        except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
            reply = _failure(self._stage, error)
            self.close()
            return reply

    def close(self) -> None:
        """Says goodbye, if there is anyone to say it to."""
        client, self._client = self._client, None
        if client is not None:
            client.leave()

    def _open(self) -> _Client:
        server = self._server
        self._stage = "connect"
        context = ssl.create_default_context(cafile=str(self._ca_bundle) if self._ca_bundle else None)
        client = self._client = _Client(server, context)
        with client.limited(MOST_SECONDS):
            client.open_socket()
            if server.security == Security.TLS:
                self._stage = "tls"
                client.wrap()
            self._stage = "greeting"
            client.greet()
            if server.security == Security.STARTTLS:
                self._stage = "tls"
                client.starttls(context=context)
                client.ehlo_or_helo_if_needed()
            if server.user:
                self._stage = "login"
                client.login(server.user, server.password)
        return client

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

    def __init__(self, server: MailServer, context: ssl.SSLContext) -> None:
        name = socket.gethostname()
        super().__init__(local_hostname=name if "." in name and name.isascii() else "[127.0.0.1]", timeout=STEP_SECONDS)
        self._host = server.host  # what STARTTLS checks the certificate against
        self._server, self._context = server, context
        self._line: socket.socket | None = None

    def open_socket(self) -> None:
        self.sock = socket.create_connection((self._server.host, self._server.port), STEP_SECONDS)
        self._line = self.sock.dup()  # TLS takes the first handle over; through this one the line can still be cut

    def wrap(self) -> None:
        assert self.sock is not None  # noqa: S101  # opened by open_socket
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._server.host)

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
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
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
    if code == 250 or (stage == "recipient" and code == 251):
        return Reply(Verdict.ACCEPTED, stage, code, _plain(words))
    final = 500 <= code < 600 and stage in ("recipient", "content")
    return Reply(Verdict.PERMANENT if final else Verdict.TRANSIENT, stage, code, _plain(words))


def _failure(stage: str, error: Exception) -> Reply:
    match error:
        case smtplib.SMTPResponseException():
            return _answer(stage, error.smtp_code, error.smtp_error)
        case smtplib.SMTPServerDisconnected():
            words = "the connection was closed before the server answered"
        case TimeoutError():
            words = "no answer in time"
        case ssl.SSLCertVerificationError():
            words = f"the certificate does not hold: {error.verify_message}"
        case ssl.SSLError():
            words = f"TLS failed: {error.reason or error}"
        case socket.gaierror():
            words = "the name of the mail server is not known"
        case OSError():
            words = error.strerror or type(error).__name__
        case UnicodeError():
            words = "user name, password or address hold characters that this server cannot take"
        case _:
            words = str(error)
    return Reply(Verdict.TRANSIENT, stage, None, _plain(words))


def _plain(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return "".join(c if c.isprintable() else " " for c in text).strip()[:MOST_WORDS]
