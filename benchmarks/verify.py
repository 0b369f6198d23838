"""The verify operation's own time: from what was asked to the stored outcome, the vendor's latency taken out. As at
the desk: each person a new one, a recent result looked for, everything counted and recorded."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from benchmarks.report import Report, median
from tests.support.cast import OPERATOR, hire
from tests.support.postgres import running_server
from tests.verification.calls import somebody
from webapp import create_app
from webapp.audit.trail import SYSTEM, Who
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import forget
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.settings import read_settings
from webapp.vendor.contract import Reply
from webapp.verification import operations
from webapp.verification.operations import Asked

CALLS = 400


def run(report: Report) -> None:
    """Measures on both databases against one sandbox."""
    report.title("Verify: our own time around the vendor's answer")
    with sandbox_process() as vendor, tempfile.TemporaryDirectory() as folder, running_server() as server:
        for name, url in (("SQLite", f"sqlite:///{folder}/bench.db"), ("PostgreSQL", server.create_database())):
            own = sorted(_own_times(url, Path(folder), vendor))
            most = 10 if name == "SQLite" else None
            report.line(f"{name}: own time p50", median(own), " ms", most=most)
            report.line(f"{name}: own time p95", own[int(len(own) * 0.95)], " ms")


@contextmanager
def sandbox_process() -> Iterator[str]:
    """The sandbox as a process of its own, as the vendor is: in ours it would compete for the interpreter's lock."""
    command = [sys.executable, "-m", "webapp", "sandbox", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(30)


def _own_times(url: str, folder: Path, vendor: str) -> list[float]:
    environ = {"YULIANG_INSTANCE": str(folder), "YULIANG_DATABASE_URL": url, "YULIANG_VENDOR_URL": vendor,
               "YULIANG_APPCODE": "bench", "YULIANG_LIMITS": ""}  # fmt: skip
    app = create_app(read_settings(environ))
    with app.app_context():
        schema.migrate(utc_now())
        hire()
        with transaction():
            today = utc_now().date()
            ledger.record_purchase(Purchase(10**6, today, today.replace(year=today.year + 1)), SYSTEM, utc_now())
        own = _measure(app)
        db.session.remove()
        db.engine.dispose()
    return own


def _measure(app: Flask) -> list[float]:
    instance, vendor = this_instance(), app.extensions["vendor"]
    gc.freeze()  # as `serve` does
    who = Who(OPERATOR.id, OPERATOR.name)
    own, spent = [], [0.0]

    def timed(name: str, number: str) -> Reply:
        begun = time.perf_counter()
        reply: Reply = vendor.ready()(name, number)
        spent.append(time.perf_counter() - begun)
        return reply

    for turn in range(CALLS + 20):
        forget()  # as each request begins
        begun = time.perf_counter()
        operations.verify(Asked(*somebody(turn), purpose_id=1, consent=True, reuse=True), who, instance, timed)
        if turn >= 20:  # the first ones open connections and warm caches
            own.append((time.perf_counter() - begun - spent[-1]) * 1000)
    return own
