"""A vendor on a real socket that does, request by request, what a script says: well or badly."""

import contextlib
import io
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.vendor.table import body


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@dataclass
class Turn:
    """A script's side of one request."""

    request: Received
    sock: socket.socket
    closing: threading.Event

    def send(self, content: bytes) -> None:
        self.sock.sendall(content)


Script = Callable[[Turn], bool]
"""Answers one request; True keeps the connection."""


def http(status: int, headers: Mapping[str, str], content: bytes = b"") -> bytes:
    fields = {"Content-Length": str(len(content)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Some Words\r\n{lines}\r\n".encode("latin-1") + content


MATCH = http(200, {"Content-Type": "application/json"}, body("0000"))


def answer(content: bytes = MATCH) -> Script:
    """Sends these bytes and keeps the connection."""

    def script(turn: Turn) -> bool:
        turn.send(content)
        return True

    return script


def part(content: bytes) -> Script:
    """Sends these bytes and closes."""

    def script(turn: Turn) -> bool:
        turn.send(content)
        return False

    return script


def half_close(content: bytes) -> Script:
    """Sends these bytes, then closes its own direction only."""

    def script(turn: Turn) -> bool:
        turn.send(content)
        turn.sock.shutdown(socket.SHUT_WR)
        return not turn.closing.wait(5)

    return script


def reset(turn: Turn) -> bool:
    """Resets the connection."""
    turn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(turn: Turn) -> bool:
    """Never answers."""
    return not turn.closing.wait(10)


def trickle(content: bytes, at_once: int = 0, every: float = 0.02) -> Script:
    """Sends one byte every so many seconds, but the first `at_once` together."""

    def script(turn: Turn) -> bool:
        turn.send(content[:at_once])
        for byte in content[at_once:]:
            if turn.closing.wait(every):
                return False
            turn.send(bytes([byte]))
        return True

    return script


def flood(head: bytes, block: bytes) -> Script:
    """Sends the block again and again until nobody listens."""

    def script(turn: Turn) -> bool:
        turn.send(head)
        while not turn.closing.is_set():
            turn.send(block)
        return False

    return script


class ScriptedVendor:
    """Listens on loopback; each request takes the next script, the last one serves for all that follow.

    `tls`: speak TLS from the start; `tunnel`: be a proxy that accepts CONNECT and then speaks TLS itself.
    `handshake`: False accepts connections and never says a word.
    """

    def __init__(
        self,
        *scripts: Script,
        tls: ssl.SSLContext | None = None,
        tunnel: ssl.SSLContext | None = None,
        handshake: bool = True,
    ) -> None:
        self._scripts = list(scripts) or [answer()]
        self._tls = tls
        self._tunnel = tunnel
        self._handshake = handshake
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.received: list[Received] = []
        self.connections = 0
        self.ended = threading.Semaphore(0)
        """Released once for every connection that was closed."""

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _serve(self, plain: socket.socket) -> None:
        # A client that goes away in the middle is what many a test is about.
        with contextlib.closing(plain), contextlib.suppress(OSError):
            if not self._handshake:
                self._closing.wait(10)
            elif self._tls:
                self._converse(self._tls.wrap_socket(plain, server_side=True))
            else:
                self._converse(plain)
        self.ended.release()

    def _converse(self, sock: socket.socket) -> None:
        with contextlib.closing(sock):
            for request in self._requests(sock):
                self.received.append(request)
                if self._tunnel and request.line.startswith("CONNECT"):
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    sock.settimeout(5)
                    self._converse(self._tunnel.wrap_socket(sock, server_side=True))
                    return
                if not self._play(Turn(request, sock, self._closing)):
                    return

    def _play(self, turn: Turn) -> bool:
        with self._lock:
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        turn.sock.settimeout(5)
        return script(turn)

    def _requests(self, sock: socket.socket) -> Iterator[Received]:
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                if not (more := self._receive(sock)):
                    return
                pending += more
            head, _, pending = pending.partition(b"\r\n\r\n")
            length = int(Received(head, b"").headers.get("content-length", "0"))
            while len(pending) < length:
                if not (more := self._receive(sock)):
                    return
                pending += more
            yield Received(head, pending[:length])
            pending = pending[length:]

    def _receive(self, sock: socket.socket) -> bytes:
        sock.settimeout(0.05)
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                return sock.recv(io.DEFAULT_BUFFER_SIZE)
        return b""
