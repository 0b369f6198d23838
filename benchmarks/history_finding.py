"""Finding one number among all rows, without the page around it: sealed, and by Flask-Admin in the clear."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from benchmarks import history_peers
from benchmarks.history_desk import Reader
from benchmarks.history_peers import SIZE
from benchmarks.report import Report, median
from benchmarks.turns import in_turns
from tests.support.cast import ADMIN
from webapp.accounts.models import User
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.history import queries
from webapp.history.filters import Filters


def measure(report: Report, reader: Reader, rows: int, turns: int, *, least: float | None) -> None:
    """In one history; each turn somebody else."""
    people, peer = iter(reader.numbers(2 * (turns + 1))), history_peers.flask_admin(reader.app)
    works = {"ours": lambda: _ours(reader.app, people), "theirs": lambda: _theirs(peer, people)}
    ours, theirs = (median(found) for found in in_turns(works, turns).values())
    report.line(f"finding a whole number in {rows:,} rows, sealed, p50", ours, " ms")
    report.line("Flask-Admin's finding it in the clear, against that", theirs / ours, "×", least=least)


def _ours(app: Flask, people: Iterator[str]) -> None:
    with app.app_context():
        viewer = db.session.get_one(User, ADMIN.id)
        found = queries.page(Filters(search=next(people)), viewer, this_instance(), SIZE, None)
    if not found.rows:
        raise RuntimeError("nobody was found")


def _theirs(app: Flask, people: Iterator[str]) -> None:
    with app.test_request_context():
        view = app.extensions["admin"][0]._views[1]
        count, _rows = view.get_list(0, None, None, next(people), None, page_size=SIZE)
    if not count:
        raise RuntimeError("nobody was found")
