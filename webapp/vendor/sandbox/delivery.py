"""Puts an answer on the wire, properly or in one of the documented wrong manners.

Blocks as long as the manner lasts; every wait ends at once when the sandbox stops. Raises OSError where the
client has gone.
"""

from __future__ import annotations

import socket
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from webapp.vendor.sandbox.answers import Answer
from webapp.vendor.sandbox.scenario import Manner

IDLE_SECONDS = 25
"""How long a connection may stay silent: what the recorded answers promise in Keep-Alive."""
_GARBAGE = b"\x16\x03\x01\x00\x02\x02\x28 not the protocol you are looking for\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One connection, its pace, and whom to tell that the whole answer is leaving."""

    connection: socket.socket
    wait: Callable[[int], bool]
    """Waits so many milliseconds; False when the sandbox stops meanwhile."""
    slow_ms: int
    trickle_ms: int
    whole: Callable[[], None]


def deliver(line: Line, answer: Answer | None, manner: Manner, *, keep_alive: bool, bodiless: bool = False) -> bool:
    """Returns whether the connection may serve another request."""
    if answer is None or manner in (Manner.HANG, Manner.RESET, Manner.CLOSE):
        _say_nothing(line, manner)
        return False
    if manner in _MANNERS:
        _MANNERS[manner](line, answer)
        return False
    if manner is Manner.SLOW and not line.wait(line.slow_ms):
        return False
    body = b"" if bodiless else answer.body
    whole = head(answer, keep_alive=keep_alive) + body
    if manner is Manner.CHUNKED:
        whole = head(answer, keep_alive=keep_alive, chunked=True) + _chunks(body)
    line.whole()
    line.connection.sendall(whole)
    return keep_alive


def head(answer: Answer, *, keep_alive: bool, chunked: bool = False) -> bytes:
    """Status line and headers: the answer's own, then what every answer carries."""
    length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(answer.body)))
    live = (("Connection", "keep-alive"), ("Keep-Alive", f"timeout={IDLE_SECONDS}"))
    headers = (
        *answer.headers,
        length,
        ("X-Ca-Request-Id", str(uuid.uuid4()).upper()),
        ("Date", formatdate(usegmt=True)),
        *(live if keep_alive else (("Connection", "close"),)),
    )
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *map(": ".join, headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def hang_up_hard(connection: socket.socket) -> None:
    """Makes closing the socket a reset instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _say_nothing(line: Line, manner: Manner) -> None:
    if manner is Manner.RESET:
        hang_up_hard(line.connection)
    elif manner is Manner.HANG:
        _wait_for_goodbye(line)


def _wait_for_goodbye(line: Line) -> None:
    """Until the client hangs up, or the sandbox stops and shuts the socket."""
    while True:
        try:
            if not line.connection.recv(4096):
                return
        except TimeoutError:
            continue


def _trickle(line: Line, data: bytes) -> bool:
    for byte in data:
        line.connection.sendall(bytes((byte,)))
        if not line.wait(line.trickle_ms):
            return False
    return True


def _trickle_head(line: Line, answer: Answer) -> None:
    if _trickle(line, head(answer, keep_alive=False)):
        line.whole()
        line.connection.sendall(answer.body)


def _trickle_body(line: Line, answer: Answer) -> None:
    line.connection.sendall(head(answer, keep_alive=False))
    if _trickle(line, answer.body[:-1]):
        line.whole()
        line.connection.sendall(answer.body[-1:])


def _cut(line: Line, answer: Answer) -> None:
    line.connection.sendall(head(answer, keep_alive=True) + answer.body[: len(answer.body) // 2])


def _half_close(line: Line, answer: Answer) -> None:
    _cut(line, answer)
    line.connection.shutdown(socket.SHUT_WR)
    _wait_for_goodbye(line)


def _garbage(line: Line, answer: Answer) -> None:
    line.connection.sendall(_GARBAGE)


def _long_header(line: Line, answer: Answer) -> None:
    padded = Answer(answer.status, (*answer.headers, ("X-Padding", "x" * 131_072)), answer.body)
    line.connection.sendall(head(padded, keep_alive=False) + answer.body)


def _chunks(body: bytes) -> bytes:
    pieces = (body[start : start + 64] for start in range(0, len(body), 64))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


_MANNERS: dict[Manner, Callable[[Line, Answer], None]] = {
    Manner.TRICKLE_HEAD: _trickle_head,
    Manner.TRICKLE_BODY: _trickle_body,
    Manner.CUT: _cut,
    Manner.HALF_CLOSE: _half_close,
    Manner.GARBAGE: _garbage,
    Manner.LONG_HEADER: _long_header,
}
