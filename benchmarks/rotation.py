"""Rotating keys while the product runs: rows a second, what a call takes meanwhile, and that a killed one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from sqlalchemy import select

from benchmarks.export import instance
from benchmarks.report import Report, median, percentile
from tests.support.postgres import running_server
from tests.verification.calls import MATCH, ask, buy, somebody
from webapp.configuration import kind, rotation
from webapp.configuration.key_models import KeyRotation
from webapp.demo import operations as demo
from webapp.foundation import key_ring
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.redaction import forget
from webapp.opening import let_go
from webapp.verification import rollups
from webapp.watching import logs

ROWS = 10_000
DAYS, BEFORE = 365, 100
TABLE = "identity"
"""What nearly all of the work is: one sealed person and some eight blind indexes a row."""


def run(report: Report, sizes: Sequence[int] = (ROWS,)) -> None:
    """Measures on both databases."""
    logs.configure("ERROR")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder, running_server() as server:
            for name, url in (("SQLite", ""), ("PostgreSQL", server.create_database())):
                app = instance(Path(folder) / name, url)
                with app.app_context():
                    demo.fill(rows, DAYS, 1, this_instance(), utc_now())
                    kind.agree(this_instance(), utc_now())
                    with transaction():
                        rollups.remember(this_instance(), utc_now())
                    db.session.remove()
                buy(app, 10**6)
                _measure(report, name, rows, app, _environ(Path(folder) / name, url))
                let_go(app)


def _environ(folder: Path, url: str) -> dict[str, str]:
    given = {"YULIANG_INSTANCE": str(folder), "YULIANG_LIMITS": "", "YULIANG_APPCODE": "bench"}
    return os.environ | given | ({"YULIANG_DATABASE_URL": url} if url else {})


def _measure(report: Report, name: str, rows: int, app: Flask, environ: dict[str, str]) -> None:
    report.title(f"Rotation of keys over {rows:,} verifications, on {name}, beside a desk that verifies all the time")
    calls, beside, over = _calls(app), list[float](), threading.Event()
    alone = [next(calls) for _turn in range(BEFORE)]

    def work() -> None:
        while not over.is_set():
            beside.append(next(calls))

    desk = threading.Thread(target=work)
    with _rotating(environ) as first:
        begun = _until(app, 0.05, first)
        desk.start()
        half = _until(app, 0.5, first)
        first.send_signal(signal.SIGKILL)
    report.line("rows a second, sealed and indexed anew", (half.done - begun.done) / (half.at - begun.at), "/s")
    with _rotating(environ) as second:
        killed = _stand(app)
        next_one = _until(app, (killed.done + 1) / killed.total, second)
        _until(app, 1, second)
        over.set()
        desk.join()
        report.line("from the start of the next process to its first rows", next_one.at - killed.at, " s", most=75)
        report.line("exit code of the process that went on", second.wait(), most=0)
    alone += [next(calls) for _turn in range(BEFORE)]  # a busy machine is busy for both
    report.line("a call alone, before and after, p50", median(alone), " ms")
    report.line("a call meanwhile, p50", median(beside), " ms")
    report.line("a call meanwhile, p95", percentile(beside, 95), " ms")
    report.line("a call meanwhile against a call alone, p50", median(beside) / median(alone), "×", most=3)
    with app.app_context():
        key_ring.heed()
        left = sum(part.fetch(None, this_instance().sealer) is not None for part in rotation.parts())
        db.session.remove()
    report.line("tables with a row under a former key when all is over", left, most=0)


@contextmanager
def _rotating(environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "webapp", "rotate-keys"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def _calls(app: Flask) -> Iterator[float]:
    """Milliseconds of call after call, each about somebody new; the vendor answers at once."""
    for number in count():
        begun = time.perf_counter()
        ask(app, somebody(number % 100_000), lambda *_person: MATCH)
        yield (time.perf_counter() - begun) * 1000
        forget()


class Stand(NamedTuple):
    """How many people were renewed, and when that was."""

    done: int
    total: int
    at: float


def _stand(app: Flask) -> Stand:
    with app.app_context():
        newest = db.session.scalar(select(KeyRotation.id).order_by(KeyRotation.id.desc()).limit(1))
        states = rotation.progress(newest) if newest is not None else []
        done, total = next(((one.done, one.total) for one in states if one.name == TABLE), (0, 1))
        db.session.remove()
        return Stand(done, total, time.perf_counter())


def _until(app: Flask, share: float, process: subprocess.Popen[bytes]) -> Stand:
    while (found := _stand(app)).done < share * found.total:
        if process.poll() is not None:
            raise RuntimeError(f"rotate-keys ended with {process.returncode}")
        time.sleep(0.05)
    return found
