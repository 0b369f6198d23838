"""The history as it grows: its first page, deep pages, searches, filters and export, beside those who seal nothing.

The databases are made by demo-data and kept for the length of the run; what is compared is measured in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from benchmarks import export, history_exports, history_filters, history_finding, history_peers
from benchmarks.history_desk import Reader
from benchmarks.history_peers import ADMIN_URL, SIZE
from benchmarks.report import Report, median
from benchmarks.turns import in_turns
from tests.support.cast import ADMIN
from tests.support.postgres import running_server
from webapp.accounts.models import User
from webapp.configuration import kind
from webapp.demo import operations as demo
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, end_read, transaction
from webapp.foundation.instance import this_instance
from webapp.history import queries, scans
from webapp.history.filters import Cursor, Filters
from webapp.history.scans import Shape, V
from webapp.opening import let_go
from webapp.persons.masking import mask_name, mask_number
from webapp.verification import identities, rollups
from webapp.watching import logs

SIZES = (10_000, 1_000_000, 5_000_000)
DAYS, TURNS, FEW_TURNS = 365, 200, 20
FEWEST_TURNS = 5
"""Where peers take seconds a page."""
DEEP = 10_000
"""Page that is opened beside the first; where there are fewer, the last but one."""
LARGE = 5_000_000
"""Rows that the goals against others are for."""


def run(report: Report, sizes: Sequence[int] = SIZES) -> None:
    """Measures on both databases."""
    logs.configure("ERROR")
    with running_server() as server:
        for name in ("SQLite", "PostgreSQL"):
            urls = {size: server.create_database() if name == "PostgreSQL" else "" for size in sizes}
            with _filled(report, name, urls) as apps:
                _measure(report, name, apps)


@contextmanager
def _filled(report: Report, name: str, urls: dict[int, str]) -> Iterator[dict[int, Flask]]:
    """An app with a year of so many verifications, for each size, and beside them the same in the clear."""
    report.title(f"History, on {name}: made by demo-data, then once more in the clear")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        apps = {}
        for size, url in urls.items():
            apps[size] = app = export.instance(folder / str(size), url)
            history_peers.add_pages(app)
            stack.callback(let_go, app)
            with app.app_context():
                begun = time.perf_counter()
                demo.fill(size, DAYS, 1, this_instance(), utc_now())
                report.line(f"{size:,} verifications sealed, a second", size / (time.perf_counter() - begun), "/s")
                kind.agree(this_instance(), utc_now())
                with transaction():
                    rollups.remember(this_instance(), utc_now())
                history_peers.fill()
                db.session.remove()
        yield apps


def _measure(report: Report, name: str, apps: dict[int, Flask]) -> None:
    smallest, largest = min(apps), max(apps)
    readers = {size: Reader(app) for size, app in apps.items()}
    _grown(report, name, readers, smallest, largest)
    _beside_text(report, name, readers[largest], largest)
    _beside_bare_sql(report, name, apps[largest], largest)
    _beside_peers(report, name, readers[largest], apps[largest], largest)
    history_filters.measure(report, name, readers[largest], largest)
    fits = max((size for size in apps if size <= export.ROWS), default=smallest)
    history_exports.measure(report, name, readers[fits], apps[fits], fits)


def _grown(report: Report, name: str, readers: dict[int, Reader], smallest: int, largest: int) -> None:
    report.title(f"History, on {name}: pages of {SIZE} rows, as an admin")
    times = in_turns({str(size): reader.first for size, reader in readers.items()}, TURNS)
    pages = {size: median(times[str(size)]) for size in readers}
    for size, found in pages.items():
        report.line(f"first page, {size:,} rows, p50", found, " ms")
    grown = pages[largest] / pages[smallest]
    report.line(f"its growth from {smallest:,} to {largest:,} rows", grown, "×", most=1.1)


def _beside_text(report: Report, name: str, reader: Reader, rows: int) -> None:
    """The first page beside a page of text, and beside one that lies deep."""
    history_peers.freeze(reader.app, reader.get("/history"))
    page, after = _deep(reader.app, rows)
    times = in_turns({
        "first": reader.first, "static": lambda: reader.get("/bench/static"),
        "deep": lambda: reader.get(f"/history?after={after}"),
    }, TURNS)  # fmt: skip
    first, static, deep = (median(found) for found in times.values())
    report.line("the same page as text in the same layout and login, p50", static, " ms")
    report.line(f"first page against it, {rows:,} rows", first / static, "×", most=2 if name == "SQLite" else 3)
    report.line(f"page {page:,} against the first", deep / first, "×", most=1.1)
    with reader.app.app_context():
        report.line("share of opening and masking in the first page", _opening() / first * 100, " %", most=10)


def _deep(app: Flask, rows: int) -> tuple[int, str]:
    """Number of a deep page, and the cursor it begins at."""
    page = min(DEEP, rows // SIZE - 1)
    newest = select(V.c.created_at, V.c.id).order_by(V.c.created_at.desc(), V.c.id.desc())
    with app.app_context():
        at, number = db.session.execute(newest.offset((page - 1) * SIZE - 1).limit(1)).one()
    return page, Cursor.beside(at, number, older=True).encode()


def _opening() -> float:
    """Milliseconds to open and mask the people of one page."""
    sealer = this_instance().sealer
    some = db.session.execute(select(*scans.SHOWN).join_from(V, scans.SEALED).limit(SIZE)).all()

    def everybody() -> None:
        for row in some:
            person, number = identities.name_and_number(row.id, row.sealed, sealer)
            mask_name(person)
            mask_number(number)

    return median(in_turns({"opening": everybody}, TURNS)["opening"])


def _beside_bare_sql(report: Report, name: str, app: Flask, rows: int) -> None:
    """Our query, with all that chooses and unpacks it, beside the driver with the same statement."""
    shape = Shape(frozenset(), low=False, high=False, newer=False)
    with app.app_context():
        viewer, instance = db.session.get_one(User, ADMIN.id), this_instance()
        statement = scans.along(shape, SIZE + 1)
        bare = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
        driver = db.session.connection().connection.cursor()
        works = {
            "ours": lambda: queries.page(Filters(), viewer, instance, SIZE, None),
            "bare": lambda: _bare(driver, bare),
        }
        ours, alone = (median(found) for found in in_turns(works, TURNS * 5).values())
        end_read()
    report.line(f"our query of the first page, {rows:,} rows, p50", ours, " ms")
    report.line("… against bare SQL of the same rows, by the driver alone", ours / alone, "×", most=1.5)


def _bare(driver: Any, statement: str) -> list[tuple[Any, ...]]:
    """The rows as the driver gives them, but with instants: SQLite's has text in their place."""
    driver.execute(statement)
    rows: list[tuple[Any, ...]] = driver.fetchall()
    if isinstance(rows[0][1], str):
        return [(number, datetime.fromisoformat(at).replace(tzinfo=UTC), *rest) for number, at, *rest in rows]
    return rows


def _beside_peers(report: Report, name: str, reader: Reader, app: Flask, rows: int) -> None:
    """Against those who keep everything in the clear: they need not open, mask or record anything."""
    goals = {"paginate": 20, "admin": 50, "search": 1000} if rows >= LARGE else {}
    peer = history_peers.flask_admin(app).test_client()
    turns = FEWEST_TURNS if rows >= LARGE else FEW_TURNS
    people = iter(reader.numbers(2 * (turns + 1)))
    times = in_turns({
        "first": reader.first,
        "paginate": lambda: reader.get("/bench/paginate"),
        "admin": lambda: history_peers.listed(peer.get(ADMIN_URL)),
        "whole": lambda: reader.search(next(people)),
        "search": lambda: history_peers.listed(peer.get(ADMIN_URL, query_string={"search": next(people)}), least=1),
    }, turns)  # fmt: skip
    first, paginate, admin, whole, search = (median(found) for found in times.values())
    report.line("Flask-SQLAlchemy's paginate, in the clear, p50", paginate, " ms")
    report.line("… times our first page", paginate / first, "×", least=goals.get("paginate"))
    report.line("Flask-Admin's first page, in the clear, p50", admin, " ms")
    report.line("… times our first page", admin / first, "×", least=goals.get("admin"))
    report.line("whole number: sending the search and its page, p50", whole, " ms")
    report.line("Flask-Admin's search for a number, in the clear, p50", search, " ms")
    report.line("… times our search, pages and sending included", search / whole, "×")
    history_finding.measure(report, reader, rows, turns, least=goals.get("search"))
