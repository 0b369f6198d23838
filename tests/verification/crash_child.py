"""A process that dies: it verifies with the real app on the real database, and kills itself at a named point.

Tests let it live and die in a nursery (tests/support/nursery.py).
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask
from sqlalchemy import event

from tests.support.waiting import until
from tests.verification.calls import ask, somebody
from webapp import create_app
from webapp.foundation.database import db
from webapp.settings import read_settings
from webapp.vendor.contract import Reply
from webapp.verification.operations import Call
from webapp.watching import logs

POINTS = (
    "before_intent_commit", "after_intent", "during_call", "after_answer", "before_outcome_commit", "after_outcome",
)  # fmt: skip
LOOP = "loop"
"""Verifies one person after the other until somebody kills it."""
NAMES = (None, None, None, None, "演练正文中断", "演练重置已计次", "演练连接关闭", "演练后端报错", "演练请求头错误")
"""What the loop meets: mostly plain answers, some broken ones; nothing that stops calls."""


def environment(database: str, instance: Path, vendor_url: str) -> dict[str, str]:
    """The settings of a process on this database, with this vendor."""
    settings = {"INSTANCE": str(instance), "DATABASE_URL": database, "VENDOR_URL": vendor_url, "APPCODE": "test",
                "LIMITS": "", "VENDOR_READ_TIMEOUT": "5"}  # fmt: skip
    return {f"YULIANG_{name}": value for name, value in settings.items()}


def die() -> NoReturn:
    """Ends this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


class Doomed:
    """The app's vendor, wrapped so that this process dies at `point`."""

    def __init__(self, app: Flask, point: str, vendor: Call) -> None:
        self._point = point
        self._vendor = vendor
        self._answered = False
        with app.app_context():
            event.listen(
                db.session, "before_commit", lambda _session: self._at("before_intent_commit", "before_outcome_commit")
            )
            event.listen(db.session, "after_commit", lambda _session: self._at("after_intent", "after_outcome"))

    def __call__(self, name: str, number: str) -> Reply:
        if self._point == "during_call":
            threading.Thread(target=self._die_when_received, args=(name, number), daemon=True).start()
        reply = self._vendor(name, number)
        if self._point == "after_answer":
            die()
        self._answered = True
        return reply

    def _at(self, before_call: str, after_call: str) -> None:
        if self._point == (after_call if self._answered else before_call):
            die()

    def _die_when_received(self, name: str, number: str) -> None:
        until(lambda: _received(name, number), "the vendor has the call")
        die()


def _received(name: str, number: str) -> bool:
    """Whether the sandbox has the call, by its own books."""
    asked = json.dumps({"name": name, "idNo": number}).encode()
    address = os.environ["YULIANG_VENDOR_URL"] + "/_sandbox/calls"
    with urllib.request.urlopen(address, asked, timeout=5) as answer:  # noqa: S310 - the tests' own sandbox
        return bool(json.load(answer)["received"])


def live(order: dict[str, Any]) -> None:
    """The process's life. `environ`: the settings; `point`; `first`: number of the first person; `name`: in place of
    the person's own, a situation of the sandbox; `seed`: of the loop."""
    os.environ.update(order["environ"])
    logs.configure("ERROR")
    app = create_app(read_settings(os.environ))
    with app.app_context():
        vendor: Call = app.extensions["vendor"].ready()
    name, number = somebody(order["first"])
    if order["point"] != LOOP:
        ask(app, (order.get("name") or name, number), Doomed(app, order["point"], vendor))
        return
    chance, numbers = random.Random(order["seed"]), itertools.count(order["first"])
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                n, called = next(numbers), chance.choice(NAMES)
            ask(app, (called or somebody(n)[0], somebody(n)[1]), vendor)

    threading.Thread(target=work, daemon=True).start()
    work()
