"""The reminders: what a check costs as verifications grow, and how fast the outbox drains into a local server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from benchmarks.report import Report, median, percentile
from tests.support.cast import ADMIN, hire
from tests.support.postgres import running_server
from webapp import create_app
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM
from webapp.foundation import schema
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.instance import this_instance
from webapp.notify import outbox, queries, sending
from webapp.notify.outbox import Draft
from webapp.quota import ledger
from webapp.quota.ledger import Purchase
from webapp.reminders import operations, recipients
from webapp.reminders import queries as reminders
from webapp.reminders.rules import Rule
from webapp.settings import read_settings

SIZES = (10_000, 1_000_000, 5_000_000)
SIZES_ELSEWHERE = (10_000, 1_000_000)
"""On PostgreSQL, which takes minutes to fill."""
MESSAGES = 10_000
CHECKS = 100

SERVER = """
import asyncio, sys
from aiosmtpd.smtp import SMTP
class Take:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Take(), loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

FILL = """
WITH RECURSIVE n(i) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO verification (id, created_at, deadline_at, finished_at, outcome, billed, source, operator_id, purpose_id,
                          legal_basis, consent, lot_id, attempts, vendor_code, request_id)
SELECT i, '2026-01-01 00:00:00', '2026-01-01 00:00:30', '2026-01-01 00:00:01', 'match', 'yes', 'desk', 2, 1,
       'consent', TRUE, 1, 1, '0000', '' FROM n
"""
ENTRIES = """
INSERT INTO ledger_entry (at, kind, lot_id, change, available_after, verification_id, reason)
SELECT created_at, :kind, 1, :change, 1, id, '' FROM verification WHERE id BETWEEN :first AND :last
"""


def run(report: Report) -> None:
    """Measures both on SQLite, and on PostgreSQL where it is installed; the mail server is a process of its own."""
    report.title("Reminders, on SQLite")
    _measure(report, SIZES)
    try:
        with running_server() as server:
            report.title("Reminders, on PostgreSQL (without fsync)")
            _measure(report, SIZES_ELSEWHERE, server.create_database())
    except FileNotFoundError:
        print("  PostgreSQL is not installed: not measured there")


def _measure(report: Report, sizes: tuple[int, ...], database: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder, mail_server() as port:
        app = _instance(Path(folder), port, database)
        with app.app_context():
            _checks(report, sizes)
        with app.app_context():
            _drain(report)
            db.session.remove()
            db.engine.dispose()


@contextmanager
def mail_server() -> Iterator[int]:
    """A server that takes everything."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


def _instance(folder: Path, port: int, database: str) -> Flask:
    environ = {"YULIANG_INSTANCE": str(folder), "YULIANG_SMTP_URL": f"smtp://127.0.0.1:{port}",
               "YULIANG_MAIL_FROM": "yuliang@bench.test"}  # fmt: skip
    app = create_app(read_settings(environ | ({"YULIANG_DATABASE_URL": database} if database else {})))
    with app.app_context():
        now = utc_now()
        schema.migrate(now)
        hire()
        today = day_of(now, this_instance().settings.zone)
        with transaction():
            for days in (5, 40, 300):
                ledger.record_purchase(Purchase(10**8, today, today + timedelta(days=days)), SYSTEM, now)
            recipients.subscribe(must_write().get_one(User, ADMIN.id), "zh_CN", SYSTEM, now)
        db.session.remove()
    return app


def _checks(report: Report, sizes: tuple[int, ...]) -> None:
    first, medians = 1, []
    for size in sizes:
        fill(first, size)
        first = size + 1
        operations.review(this_instance(), utc_now())
        for name, check in (("every minute", lambda: operations.review(this_instance(), utc_now())),
                            ("after a call", lambda: operations.call_settled(utc_now()))):  # fmt: skip
            times = []
            for _each in range(CHECKS):
                started = time.perf_counter()
                check()
                times.append((time.perf_counter() - started) * 1000)
            report.line(f"the check {name}, {size:,} verifications, p50", median(times), " ms", most=5)
            report.line(f"the check {name}, {size:,} verifications, p95", percentile(times, 95), " ms")
            if name == "every minute":
                medians.append(median(times))
    report.line(f"its growth from {sizes[0]:,} to {sizes[-1]:,}", medians[-1] / medians[0], " x", most=1.5)


def fill(first: int, last: int) -> None:
    """Rows as paid calls leave them: a verification and two ledger entries each."""
    for start in range(first, last + 1, 500_000):
        span = {"first": start, "last": min(start + 499_999, last)}
        with transaction() as session:
            session.execute(text(FILL), span)
            for kind, change in (("hold", -1), ("charge", 0)):
                session.execute(text(ENTRIES), span | {"kind": kind, "change": change})


def _drain(report: Report) -> None:
    now = utc_now()
    episode, reader = reminders.episodes(1)[0].id, reminders.deliverable(Rule.EXPIRY)[0].reader
    drafts = (
        Draft(
            f"bench:{number}", "bench", "reminder.expiry", f"{number}@bench.test", "zh_CN", {"episode": episode}, reader
        )
        for number in range(MESSAGES)
    )
    with transaction():
        outbox.write(drafts, now)
    started = time.perf_counter()
    while queries.waiting(utc_now())[0] and time.perf_counter() - started < 300:
        sending.drain(this_instance(), utc_now())
    rate = queries.states_of(["bench"])["bench"].get("sent", 0) / (time.perf_counter() - started)
    report.line(f"{MESSAGES:,} reminder mails drained into a local server", rate, " /s", least=100)
