"""Sockets and HTTP of the sandbox: accepts, reads, sends what was planned. A daemon thread a connection."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from webapp.vendor.sandbox import control, front_door, meter
from webapp.vendor.sandbox.answers import Answer, Asked, gateway
from webapp.vendor.sandbox.delivery import IDLE_SECONDS, Line, deliver, head
from webapp.vendor.sandbox.front_door import MOST_BODY_BYTES, Request
from webapp.vendor.sandbox.meter_scenarios import MeterScenario
from webapp.vendor.sandbox.plan import Plan, plan, quota_refusal, scenario_of
from webapp.vendor.sandbox.run import Run
from webapp.vendor.sandbox.scenario import Manner
from webapp.vendor.sandbox.settings import SandboxSettings
from webapp.vendor.sandbox.state import State

_MOST_DRAINED_BYTES = 4_194_304
_GOODBYE_SECONDS = 1.0


class Listener(socketserver.ThreadingTCPServer):
    """Binds in the constructor and raises OSError where it cannot. `hang_up` ends everything at once."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], state: State, today: Callable[[], date], now: Callable[[], datetime]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.state = state
        self.today = today
        self.now = now
        self.stopping = threading.Event()
        self._stop_requested = False
        self._open: set[Any] = set()
        self._gone = threading.Condition()
        super().__init__(address, Connection)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Until `request_stop`; waits on sockets only, so that stopping needs no polling."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stop_requested:
                for key, _ in selector.select():
                    if key.fileobj is self.socket:
                        self._accept()

    def request_stop(self) -> None:
        # Runs in signal handlers: an Event's lock may be held by the very thread the signal interrupted.
        self._stop_requested = True
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def hang_up(self) -> None:
        """Closes the port and every connection; waits for their threads to notice, at most a second."""
        self.stopping.set()
        self.let_go()
        with self._gone:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._gone.wait_for(lambda: not self._open, _GOODBYE_SECONDS)

    def let_go(self) -> None:
        """Closes this process's hold on the port, nothing else."""
        self.server_close()
        self._woken.close()
        self._waker.close()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._gone:
            self._open.discard(request)
            self._gone.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news; our own fault is named without its message: it may quote people."""
        error = sys.exception()
        if error is None or isinstance(error, OSError):
            return
        place = traceback.extract_tb(error.__traceback__)[-1]
        sys.stderr.write(f"sandbox: {type(error).__name__} in {place.name}, line {place.lineno}\n")

    def _accept(self) -> None:
        try:
            request, address = self.get_request()
        except OSError:
            return
        with self._gone:
            self._open.add(request)
        try:
            self.process_request(request, address)
        except RuntimeError:  # no more threads: this one is turned away, the others live on
            self.shutdown_request(request)


class Connection(BaseHTTPRequestHandler):
    """One client's connection and the requests on it."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Listener

    def serve(self) -> None:
        request = self._read()
        if request is None:
            self.close_connection = True
        elif control.owns(request):
            self._send(Plan(control.serve(request, self.server.state)), None)
        elif meter.owns(request):
            self._serve_as_counter(request)
        else:
            self._serve_as_vendor(request)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = do_CONNECT = serve

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library cannot read as a request: refused as the gateway would, and closed."""
        recipe = gateway("I405UM" if code == 501 else "I400HD")
        self.close_connection = True
        self.connection.sendall(head(recipe(Asked("", "", self.server.today())), keep_alive=False))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _serve_as_vendor(self, request: Request) -> None:
        settings, run = self.server.state.settings, self.server.state.run
        run.receive()
        if request.appcode_in_url:
            run.appcode_in_url()
        asked = front_door.enter(request, appcode=settings.appcode, today=self.server.today())
        chosen = Plan(asked) if isinstance(asked, Answer) else _plan(asked, settings, run)
        if settings.latency_ms and not self._wait(settings.latency_ms):
            self.close_connection = True
            return
        self._send(chosen, run)

    def _serve_as_counter(self, request: Request) -> None:
        state = self.server.state
        settings, run = state.settings, state.run
        run.meter()
        said = meter.answer(
            meter.read(request), state.books(), self.server.now() + timedelta(seconds=settings.meter_clock_seconds),
            page_size=settings.meter_page_size, scenario=settings.meter_scenario, is_new=run.is_new,
        )  # fmt: skip
        hangs = settings.meter_scenario == MeterScenario.NO_ANSWER
        self._send(Plan(None, Manner.HANG) if hangs else Plan(said), None)

    def _send(self, chosen: Plan, run: Run | None) -> None:
        settings = self.server.state.settings
        code = chosen.answer.code if chosen.answer else ""
        line = Line(
            self.connection,
            self._wait,
            settings.slow_ms,
            settings.trickle_ms,
            whole=lambda: run.answer(code) if run else None,
        )
        reset = chosen.manner is Manner.RESET
        keep_alive = deliver(
            line,
            chosen.answer,
            chosen.manner,
            keep_alive=not self.close_connection,
            bodiless=self.command == "HEAD",
        )
        self.close_connection = not keep_alive
        if reset:
            # Closed here, before the server would say a polite goodbye.
            self.connection.close()

    def _read(self) -> Request | None:
        """None where the client left in the middle or the length is no number."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 16):
            self.send_error(400)
            return None
        expected = int(length)
        if expected <= MOST_BODY_BYTES:
            body = self.rfile.read(expected)
            return Request(self.command, self.path, self.headers, body) if len(body) == expected else None
        self._drain(expected)
        self.close_connection = True
        return Request(self.command, self.path, self.headers, None)

    def _drain(self, expected: int) -> None:
        """A client that is still sending would not read the refusal: take in what is bearable first."""
        left = min(expected, _MOST_DRAINED_BYTES)
        while left and (piece := self.rfile.read(min(left, 65_536))):
            left -= len(piece)

    def _wait(self, milliseconds: int) -> bool:
        return not self.server.stopping.wait(milliseconds / 1000)


def _plan(asked: Asked, settings: SandboxSettings, run: Run) -> Plan:
    run.receive_pair(asked.name, asked.number)
    scenario = scenario_of(asked, settings.scenario)
    step = run.step(scenario.name, asked.number, scenario.times + 1) if scenario and scenario.first else 0
    chosen = plan(asked, scenario, step)
    if not chosen.reaches_backend:
        return chosen
    admitted = run.admit(asked.name, asked.number, charge=chosen.charges, quota=settings.open_quota)
    return chosen if admitted else quota_refusal(asked)
