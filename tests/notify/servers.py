"""Mail servers for the tests: a real one (aiosmtpd) that keeps what it takes, and a scripted one that misbehaves."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class Inbox:
    """What a real server took, in order. `answer` says what it replies to a recipient (None: it takes the mail)."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    answer: Callable[[str], str | None] = lambda _address: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address."""
        return [mail for recipient, mail in list(self.mails) if recipient == address]

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.answer(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        with self.changed:
            self.mails += [(address, mail) for address in envelope.rcpt_tos]
            self.sizes.append(len(content))
            self.changed.notify_all()
        return f"250 OK queued as {len(self.mails)}"

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Until so many mails have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, seconds), (
                f"{len(self.mails)} of {count} came"
            )


@contextmanager
def mail_server(
    *, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> Iterator[Inbox]:
    """A real mail server on 127.0.0.1. `login`: user and password it asks for; `tls`, `starttls`: its certificate."""
    inbox = Inbox(port=free_port())

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and login == (data.login.decode(), data.password.decode())
        return AuthResult(success=right, handled=right)

    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    if starttls:
        options |= {"tls_context": starttls, "require_starttls": True}
    if login:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, ready_timeout=20, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")  # on the loopback, in a test
        controller.start()
        try:
            yield inbox
        finally:
            controller.stop()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Script:
    """What a scripted server does with one connection: plain socket code, in the order of the conversation."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines = connection.makefile("rb")

    def say(self, text: str) -> None:
        """Sends a reply."""
        self.connection.sendall(text.encode() + b"\r\n")

    def hear(self) -> str:
        """The next command, its line end cut off."""
        return self.lines.readline().decode("utf-8", "replace").rstrip("\r\n")

    def greet(self) -> None:
        """The conversation up to the first command after EHLO."""
        self.say("220 scripted")
        assert self.hear().upper().startswith("EHLO")
        self.say("250 scripted")

    def until_data(self) -> None:
        """Takes sender and recipient and says that the content may come."""
        for _command in ("MAIL", "RCPT"):
            self.hear()
            self.say("250 OK")
        assert self.hear().upper() == "DATA"
        self.say("354 go on")

    def content(self) -> list[str]:
        """The whole content, without the last dot."""
        lines = []
        while (line := self.hear()) != ".":
            lines.append(line)
        return lines


@contextmanager
def scripted_server(*scripts: Callable[[Script], None]) -> Iterator[int]:
    """A server that plays one script for each connection, then closes it; the last script serves all the rest."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    open_ones: list[socket.socket] = []

    def serve() -> None:
        turn = 0
        while not over.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            open_ones.append(connection)
            threading.Thread(target=play, args=(connection, scripts[min(turn, len(scripts) - 1)]), daemon=True).start()
            turn += 1

    def play(connection: socket.socket, script: Callable[[Script], None]) -> None:
        # The other side may hang up: what it makes of that is what the test looks at.
        with connection, suppress(OSError, AssertionError, ValueError):
            script(Script(connection))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        over.set()
        for connection in open_ones:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        listener.close()
