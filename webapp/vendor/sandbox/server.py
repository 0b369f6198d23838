"""The sandbox as one object: a vendor of one's own, on a real port.

    with Sandbox(quota=100) as sandbox:
        ...  # talk HTTP to sandbox.url, then look at sandbox.counts()

HTTP/1.1 with keep-alive, loopback unless told otherwise. Nothing is logged: requests hold names and numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from types import TracebackType
from typing import Self

from webapp.vendor.sandbox.listener import Listener
from webapp.vendor.sandbox.meter import PATH as METER_PATH
from webapp.vendor.sandbox.run import Counts, PairCounts
from webapp.vendor.sandbox.settings import SandboxSettings
from webapp.vendor.sandbox.state import State

_CHINA = timezone(timedelta(hours=8))


def china_today() -> date:
    """The vendor's day."""
    return datetime.now(_CHINA).date()


def vendor_now() -> datetime:
    """The vendor's clock, by which signed requests are judged."""
    return datetime.now(UTC)


class Sandbox:
    """Settings as in SandboxSettings; `port` 0 takes a free one; `today` is the vendor's day, for the ages.

    Raises SettingsRefused for a wrong setting; `start` and `listen` raise OSError where the address is not to
    be had.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        quota: int | None = None,
        appcode: str | None = None,
        *,
        latency_ms: int = 0,
        slow_ms: int = 3000,
        trickle_ms: int = 1000,
        today: Callable[[], date] = china_today,
    ) -> None:
        settings = SandboxSettings(
            quota=quota, appcode=appcode, latency_ms=latency_ms, slow_ms=slow_ms, trickle_ms=trickle_ms
        )
        self.state = State(settings)
        self._address = (host, port)
        self._today = today
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def metering_url(self) -> str:
        """Where the vendor's own counter answers."""
        return self.url + METER_PATH

    @property
    def url(self) -> str:
        """Base URL without a slash at the end. Raises RuntimeError before it listens."""
        if self._listener is None:
            raise RuntimeError("the sandbox does not listen yet: start it first")
        host, port = self._listener.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{shown}:{port}"

    def listen(self) -> Listener:
        """Takes the port, unless it has it; requests wait until somebody serves."""
        if self._listener is None:
            self._listener = Listener(self._address, self.state, self._today, vendor_now)
        return self._listener

    def start(self) -> Self:
        """Serves in a daemon thread; returns when the port is open."""
        listener = self.listen()
        self._thread = threading.Thread(target=listener.serve_forever, name="sandbox", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serves in this thread until `request_stop` or `stop`."""
        self.listen().serve_forever()

    def request_stop(self) -> None:
        """Ends `serve_forever`; does no more than a signal handler may."""
        if self._listener is not None:
            self._listener.request_stop()

    def stop(self) -> None:
        """Frees the port and cuts every connection, hanging ones too; at once. It may start again."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.request_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        listener.hang_up()

    def close_listener(self) -> None:
        """In a forked process that does not serve: lets go of the port, which the serving one keeps."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.let_go()

    def counts(self) -> Counts:
        return self.state.counts()

    def calls(self, name: str, number: str) -> PairCounts:
        """How often this pair was received and charged in this run."""
        return self.state.calls(name, number)

    def change(self, **values: object) -> None:
        """Changes settings while it runs. Raises SettingsRefused, and then changes nothing."""
        self.state.change(values)

    def reset(self) -> None:
        """New books and sequences; settings stay."""
        self.state.reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
