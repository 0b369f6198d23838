"""Counting as calls grow: filling, charts, the dashboard, storing an intent and an outcome, and `check`.

The databases are made by demo-data and kept for the length of the run, so that the sizes are measured in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, render_template_string
from sqlalchemy import Engine, event, func, select

from benchmarks.report import Report, median
from tests.support.cast import ADMIN, OPERATOR, Desk, hire
from tests.support.postgres import running_server
from webapp import create_app
from webapp.accounts.permissions import ALLOWED, EVERYONE
from webapp.audit.trail import Who
from webapp.checking import check_everything
from webapp.demo import operations as demo
from webapp.foundation import schema
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.opening import let_go
from webapp.settings import read_settings
from webapp.usage import daily
from webapp.usage.spans import Span
from webapp.vendor.contract import Billed, Derived, Outcome, Reply
from webapp.vendor.sandbox import people
from webapp.verification import operations
from webapp.verification.models import Verification
from webapp.verification.operations import Asked
from webapp.watching import logs

SIZES = (10_000, 1_000_000, 5_000_000)
YEAR = 365
TURNS, CALLS = 40, 200
PAGE = "{% extends 'layout.html' %}{% block content %}<h1>Static</h1>{% endblock %}"
DERIVED = Derived("演练省", "演练市", "导览县", "19900101", "F", "36")


def run(report: Report, sizes: Sequence[int] = SIZES) -> None:
    """Measures on both databases."""
    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        with _filled(report, "SQLite", [(size, "") for size in sizes], Path(folder)) as apps:
            _measure(report, "SQLite", apps, growth=1.2)
        with running_server() as server:
            urls = [(size, server.create_database()) for size in sizes]
            with _filled(report, "PostgreSQL", urls, Path(folder)) as apps:
                _measure(report, "PostgreSQL", apps, growth=1.5)


@contextmanager
def _filled(report: Report, name: str, urls: Sequence[tuple[int, str]], folder: Path) -> Iterator[dict[int, Flask]]:
    """An app with a year of so many calls, for each size."""
    report.title(f"Counting, on {name}: made by demo-data")
    with ExitStack() as stack:
        apps = {}
        for size, url in urls:
            instance = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
            apps[size] = app = _instance(instance, url)
            stack.callback(let_go, app)
            with app.app_context():
                least = 20_000 if name == "SQLite" and size >= 100_000 else None
                processor, begun = time.process_time(), time.perf_counter()
                demo.fill(size, YEAR, 1, this_instance(), utc_now())
                seconds = time.perf_counter() - begun
                report.line(f"{size:,} verifications, a second", size / seconds, "/s", least=least)
                own = (time.process_time() - processor) / size * 1e6
                report.line("… processor time of the storing process, each", own, " µs")
        yield apps


def _instance(folder: str, url: str) -> Flask:
    environ = {"YULIANG_INSTANCE": folder, "YULIANG_LIMITS": "", "YULIANG_APPCODE": "bench"}
    app = create_app(read_settings(environ | ({"YULIANG_DATABASE_URL": url} if url else {})))
    app.add_url_rule("/bench", "bench", lambda: render_template_string(PAGE))
    ALLOWED["bench"] = EVERYONE
    with app.app_context():
        schema.migrate(utc_now())
        hire()
        db.session.remove()
    return app


def _measure(report: Report, name: str, apps: dict[int, Flask], growth: float) -> None:
    report.title(f"Counting, on {name}: {YEAR} days")
    charts = _in_turns(apps, _chart)
    for size, milliseconds in charts.items():
        report.line(f"chart data, {size:,} verifications, p50", milliseconds, " ms")
    smallest, largest = min(apps), max(apps)
    grown = charts[largest] / charts[smallest]
    report.line(f"its growth from {smallest:,} to {largest:,}", grown, "×", most=growth)
    with apps[largest].app_context():
        rows = _seconds(_group_by_over_rows) * 1000
    least = 1000 if largest >= 5_000_000 else None
    report.line(f"GROUP BY over {largest:,} rows", rows, " ms")
    report.line("… times the chart's", rows / charts[largest], "×", least=least)
    _pages(report, apps)
    for size, app in apps.items():
        _calls(report, name, size, app)
    for size, app in apps.items():
        with app.app_context():
            seconds = _seconds(lambda: _must_agree(check_everything()))
            most = 60 if name == "SQLite" and size == 5_000_000 else None
            report.line(f"check of {size:,} verifications", seconds, " s", most=most)


def _in_turns(apps: dict[int, Flask], work: Callable[[], object]) -> dict[int, float]:
    """The middle time of each size, in milliseconds: measured in turns, so that a busy machine is busy for all."""
    times: dict[int, list[float]] = {size: [] for size in apps}
    for _turn in range(TURNS):
        for size, app in apps.items():
            with app.app_context():
                times[size].append(_seconds(work) * 1000)
    return {size: median(found) for size, found in times.items()}


def _chart() -> object:
    zone = this_instance().settings.zone
    today = day_of(utc_now(), zone)
    return daily.calls("outcome", Span(today - timedelta(days=YEAR - 1), today), zone)


def _group_by_over_rows() -> object:
    day = func.date(Verification.created_at)
    return db.session.execute(select(day, Verification.outcome, func.count()).group_by(day, Verification.outcome)).all()


def _pages(report: Report, apps: dict[int, Flask]) -> None:
    """The dashboard beside a page without content, in turns."""
    for size, app in apps.items():
        admin = Desk(app, ADMIN)
        times = [(_opened(admin, "/"), _opened(admin, "/bench")) for _turn in range(TURNS)]
        dashboard, static = (median(list(found)) for found in zip(*times, strict=True))
        report.line(f"dashboard, {size:,} verifications, p50", dashboard, " ms")
        report.line("… times a static page in the same layout", dashboard / static, "×", most=3)


def _opened(admin: Desk, page: str) -> float:
    begun = time.perf_counter()
    answer = admin.get(page)
    if answer.status_code != 200:
        raise RuntimeError(f"{page} answered {answer.status_code}")
    return (time.perf_counter() - begun) * 1000


def _calls(report: Report, name: str, size: int, app: Flask) -> None:
    """Time inside the database driver: each statement, BEGIN, and COMMIT with its sync to the disk. Reading the rows of
    a SELECT on and on is not in it: here each gives a row or none."""
    with app.app_context():
        spent = _Spent(db.engine)
        found = [_one_call(turn, spent) for turn in range(CALLS)]
    for what, times in zip(("intent", "outcome"), zip(*found, strict=True), strict=True):
        statements, commits = (median(list(some)) for some in zip(*times, strict=True))
        whole = median([sum(one) for one in times])
        most = 1 if name == "SQLite" else None
        report.line(f"{what}, {size:,} verifications, database time p50", whole, " ms", most=most)
        report.line("… statements", statements, " ms")
        report.line("… COMMIT", commits, " ms")


def _one_call(turn: int, spent: _Spent) -> tuple[tuple[float, float], tuple[float, float]]:
    instance, who, now = this_instance(), Who(OPERATOR.id, OPERATOR.name), utc_now()
    number = people.tour_number(people.TOUR_PEOPLE, now.date() - timedelta(days=9_000 + turn), 101 + turn)
    with spent:
        made = operations.begin(Asked(people.tour_name(number), number, 1, consent=True), who, instance, now)
    intent = spent.statements, spent.commits
    reply = Reply(Outcome.MATCH, Billed.YES, code="0000", http_status=200, latency_ms=120, derived=DERIVED)
    with spent:
        operations.finish(made, reply, who, instance, utc_now())
    return intent, (spent.statements, spent.commits)


class _Spent:
    """How long a block waits for the database, in milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._dialect = engine, engine.dialect
        self._commit = engine.dialect.do_commit
        self.statements, self.commits, self._begun = 0.0, 0.0, 0.0

    def __enter__(self) -> None:
        self.statements, self.commits = 0.0, 0.0
        event.listen(self._engine, "before_cursor_execute", self._before)
        event.listen(self._engine, "after_cursor_execute", self._after)
        setattr(self._dialect, "do_commit", self._do_commit)  # noqa: B010  # there is no event after a commit

    def __exit__(self, *_fault: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._before)
        event.remove(self._engine, "after_cursor_execute", self._after)
        setattr(self._dialect, "do_commit", self._commit)  # noqa: B010

    def _before(self, *_arguments: Any) -> None:
        self._begun = time.perf_counter()

    def _after(self, *_arguments: Any) -> None:
        self.statements += (time.perf_counter() - self._begun) * 1000

    def _do_commit(self, connection: Any) -> None:
        begun = time.perf_counter()
        self._commit(connection)
        self.commits += (time.perf_counter() - begun) * 1000


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _must_agree(differences: list[str]) -> None:
    if differences:
        raise RuntimeError(f"{len(differences)} differences: {differences[0]}")
