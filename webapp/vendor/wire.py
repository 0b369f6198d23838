"""HTTP connections that keep what urllib3 and requests do not promise by themselves.

- It is known for certain whether anything of a request was sent.
- A deadline holds over everything: name, connect, handshake, and a vendor that sends one byte a second.
- A pooled connection that may be dead is not used.
- Nothing the vendor sends is followed, remembered or logged.
"""

import http.client
import io
import queue
import socket
import threading
from http.client import HTTPException
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from webapp.vendor.attempt import CURRENT

IDLE_LIMIT = 4.0
"""Seconds since its last use began after which a pooled connection is replaced.

A vendor may close an idle connection at the very moment we write to it. Since bytes did leave, that must end
as unknown: a needless one. Common servers keep a connection for five seconds (Node) to 75 (nginx), so below
this limit such a meeting is an accident; a connection that was closed before is seen and replaced.
"""

_KEPT_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "transfer-encoding",
        "x-ca-error-code",
        "x-ca-error-message",
        "x-ca-request-id",
    }
)


class _TimedStream(io.RawIOBase):
    """A socket's bytes; no read takes longer than the attempt has patience for: trickling gains nothing."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        attempt = CURRENT.get()
        self._sock.settimeout(attempt.patience(attempt.read_timeout))
        received: int | None = self._raw.readinto(buffer)
        self.ended = self.ended or received == 0
        return received

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer read under the deadline, with no more headers than the product reads."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._stream = _TimedStream(sock, self.fp.detach())
        self.fp: io.BufferedReader = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        if self._stream.ended:
            # http.client takes the end of a connection for the end of the headers.
            raise HTTPException("the headers broke off")
        if self.status < 200:
            # Not the answer yet. Left on a pooled connection, the real one would reach whoever calls next.
            raise HTTPException("an interim answer")
        # Cookies would be kept, a Location parsed, malformed lines (perhaps the person's) logged by urllib3.
        for name in {name.lower() for name in self.msg}.difference(_KEPT_HEADERS):
            del self.msg[name]
        self.msg.set_payload("")
        self.msg.defects.clear()


class _Connection(HTTPConnection):
    """A connection that tells the attempt when its request begins to leave."""

    response_class = _Response
    _used_at = float("-inf")

    @property
    def is_connected(self) -> bool:
        """Whether it may be used again: used lately, not closed, and no bytes waiting nobody asked for."""
        return CURRENT.get().clock() - self._used_at < IDLE_LIMIT and super().is_connected

    def request(self, *args: Any, **options: Any) -> None:
        attempt = CURRENT.get()
        if self.sock is None:
            # http.client would connect while sending; a failure to connect must stay one.
            self.connect()
        self.timeout = attempt.patience(attempt.read_timeout)
        attempt.begin_sending()
        self._used_at = attempt.clock()
        super().request(*args, **options)

    def _new_conn(self) -> socket.socket:
        """A TCP connection within the attempt's time; the TLS handshake, if any, has the same patience."""
        attempt = CURRENT.get()
        error: OSError = OSError("the name has no address")
        for family, kind, protocol, _, address in self._addresses():
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as failure:
                error = failure
                continue
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(attempt.patience(attempt.connect_timeout))
                sock.connect(address)
                sock.settimeout(attempt.patience(attempt.connect_timeout))
            except OSError as failure:
                sock.close()
                error = failure
            else:
                return sock
        raise NewConnectionError(self, "no connection") from error

    def _addresses(self) -> list[Any]:
        # The system's resolver knows no timeout, so it runs aside; it ends by itself some time later.
        attempt = CURRENT.get()
        found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                found.put(attempt.resolver(self._dns_host, self.port))
            except (OSError, ValueError) as failure:
                found.put(failure)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        try:
            answer = found.get(timeout=attempt.patience(attempt.connect_timeout))
        except queue.Empty:
            answer = TimeoutError("the name was not resolved in time")
        if isinstance(answer, Exception):
            raise NameResolutionError(self.host, self, socket.gaierror(str(answer))) from answer
        return answer


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}
"""What urllib3's managers open for each scheme."""
