"""`yuliang serve`: one supervisor over gunicorn, one worker and, in a sandbox instance, the sandbox.

Children are forked from the loaded supervisor, so that they share its memory. A child that dies is started again;
SIGTERM or SIGINT stops them in order: first the web (calls in flight are finished), then the worker, then the vendor.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication

from webapp.scheduler import Worker
from webapp.settings import SANDBOX, Settings
from webapp.vendor.calling import SANDBOX_ADDRESS, sandbox_address
from webapp.vendor.sandbox.server import Sandbox

log = structlog.get_logger("yuliang.serve")

PATIENCE = 10
"""Seconds beyond the vendor's deadline that the web may take to finish what is in flight."""
AGAIN_AFTER = 1.0
"""Seconds before a child that died is started again."""
QUICK = 10.0
MOST_QUICK_ENDS = 5
"""After so many ends in a row, each within `QUICK` seconds of the start, the product gives up."""


class CannotServe(Exception):
    """The product cannot start; the message says what to do."""


class _Web(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by our settings, on an app that is loaded already."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        options: dict[str, Any] = {
            "bind": f"{host}:{settings.port}", "workers": settings.web_workers, "threads": settings.web_threads,
            "worker_class": "gthread", "preload_app": True, "control_socket_disable": True, "accesslog": None,
            "timeout": int(settings.vendor_deadline) + 60, "graceful_timeout": int(settings.vendor_deadline) + PATIENCE,
            "keepalive": 15, "worker_tmp_dir": _memory_folder(), "logger_class": "webapp.watching.gunicorn_log.Log",
            "proc_name": "yuliang", "forwarded_allow_ips": "127.0.0.1,::1", "max_requests": 0,
            "limit_request_line": 8190,  # the product itself answers what is too long for a filter
        }  # fmt: skip
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


@dataclass(slots=True)
class _Child:
    name: str
    run: Callable[[], None]
    pid: int = 0
    again_at: float = 0.0
    began: float = 0.0
    quick_ends: int = 0


class Supervisor:
    """Starts the children, keeps them alive, and stops them in order."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._settings = settings
        self._children = [_Child("worker", lambda: Worker(app).run()), _Child("web", lambda: _Web(app, settings).run())]
        self._sandbox = listening_sandbox(settings) if settings.vendor_url == SANDBOX else None
        if self._sandbox is not None:
            app.extensions["vendor"].own_sandbox = self._sandbox.url
            self._children.insert(0, _Child("sandbox", self._serve_sandbox))

    @property
    def sandbox_url(self) -> str | None:
        """Where the sandbox listens, if there is one."""
        return self._sandbox.url if self._sandbox else None

    def run(self) -> int:
        """Serves until told to stop; 0 after a clean stop."""
        signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        gc.freeze()  # what is loaded stays shared with the children
        for child in reversed(self._children):  # the web first: someone waits for it
            self._start(child)
        while True:
            wait = min((c.again_at - time.monotonic() for c in self._children if not c.pid), default=60.0)
            got = signal.sigtimedwait(signals, max(0.05, min(wait, 60.0)))
            if got is not None and got.si_signo != signal.SIGCHLD:
                break
            if self._bury():
                return self._stop(1)
            for child in self._children:
                if not child.pid and time.monotonic() >= child.again_at:
                    self._start(child)
        return self._stop(0)

    def _start(self, child: _Child) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            child.pid, child.began = pid, time.monotonic()
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            os.setpgid(0, 0)  # Ctrl-C reaches the supervisor alone, which stops us in order
            _die_with_parent(parent)
            child.run()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception as fault:  # nobody above prints it: the process ends here
            log.error("child failed", child=child.name, exc_info=fault)
        finally:
            os._exit(code)

    def _bury(self) -> bool:
        """Has the children that died started again; True where that is in vain: the web ends whenever it starts."""
        for child in self._children:
            if not child.pid or not os.waitpid(child.pid, os.WNOHANG)[0]:
                continue
            now = time.monotonic()
            child.quick_ends = child.quick_ends + 1 if now - child.began < QUICK else 0
            child.pid, child.again_at = 0, now + AGAIN_AFTER
            if child.name == "web" and child.quick_ends >= MOST_QUICK_ENDS:
                print("yuliang: web ends whenever it is started: see the lines above", file=sys.stderr, flush=True)
                return True
            print(f"yuliang: {child.name} ended unexpectedly and is started again", file=sys.stderr, flush=True)
        return False

    def _stop(self, code: int) -> int:
        for child in reversed(self._children):
            if child.pid:
                self._end(child)
        if self._sandbox is not None and sandbox_address(self._settings.instance) == self._sandbox.url:
            (self._settings.instance / SANDBOX_ADDRESS).unlink(missing_ok=True)
        return code

    def _end(self, child: _Child) -> None:
        """Asks a child to stop; kills it when its patience is over or when we are told a second time."""
        os.kill(child.pid, signal.SIGTERM)
        last = time.monotonic() + self._settings.vendor_deadline + 2 * PATIENCE
        while os.waitpid(child.pid, os.WNOHANG)[0] == 0:
            signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
            got = signal.sigtimedwait(signals, max(0.05, min(1.0, last - time.monotonic())))
            if time.monotonic() >= last or (got is not None and got.si_signo != signal.SIGCHLD):
                print(f"yuliang: {child.name} did not stop in time and is killed", file=sys.stderr, flush=True)
                os.killpg(child.pid, signal.SIGKILL)

    def _serve_sandbox(self) -> None:
        sandbox = self._sandbox
        if sandbox is None:
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sandbox.request_stop())
        sandbox.serve_forever()


def check_port(settings: Settings) -> None:
    """Raises `CannotServe` where the address cannot be listened on."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            probe.listen()
    except OSError as error:
        raise CannotServe(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}): stop the other program, or set "
            "YULIANG_PORT (for example YULIANG_PORT=8010) or YULIANG_HOST"
        ) from error


def listening_sandbox(settings: Settings) -> Sandbox:
    """A sandbox that listens already, beside the product's port or on any free one; its address is left for callers."""
    sandbox = Sandbox(port=settings.port + 1 if settings.port < 65535 else 0)
    try:
        sandbox.listen()
    except OSError:
        sandbox = Sandbox(port=0)
        sandbox.listen()
    (settings.instance / SANDBOX_ADDRESS).write_text(sandbox.url, encoding="ascii")
    return sandbox


def _die_with_parent(parent: int) -> None:
    """Asks Linux to stop this child when the supervisor is killed, so that no orphan holds the port."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        return  # not Linux: an orphan must be stopped by hand
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)  # it died before we asked


def _memory_folder() -> str | None:
    """Where gunicorn's heartbeat files do not touch a disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
