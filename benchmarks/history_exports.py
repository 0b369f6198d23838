"""The CSV of a whole history as the page sends it, beside a writer of plaintext and Flask-Admin's own export."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from werkzeug.test import TestResponse

from benchmarks import export, history_peers, stopwatch
from benchmarks.history_desk import Reader
from benchmarks.history_peers import ADMIN_URL
from benchmarks.report import Report, median
from webapp.foundation.database import end_read

TURNS = 3
Ask = Callable[[str], TestResponse]


def measure(report: Report, name: str, reader: Reader, app: Flask, rows: int) -> None:
    """Of all verifications. Flask-Admin comes last: it holds them all at once, and what it leaves behind is no base to
    measure a peak from."""
    with app.test_request_context():
        export.measure(report, name, rows)
        end_read()
    ours = [_drained(reader.stream, "/history/export?format=csv", rows) for _turn in range(TURNS)]
    peer = history_peers.flask_admin(app).test_client()
    peer.get(ADMIN_URL)
    stopwatch.look_for_children()
    theirs, _first = _drained(lambda address: peer.get(address, buffered=False), f"{ADMIN_URL}export/csv/", rows)
    whole, first = (median(list(found)) for found in zip(*ours, strict=True))
    report.line("first byte, from the click on", first * 1000, " ms", most=100)
    report.line("rows a second, from the click on", rows / whole, "/s")
    least = 6 if rows >= export.ROWS else None
    report.line("… times Flask-Admin's export in the clear", theirs / whole, "×", least=least)


def _drained(ask: Ask, address: str, rows: int) -> tuple[float, float]:
    """Seconds until the last byte, and until the first; sees that there is a line for each row, and a heading."""
    begun = stopwatch.seconds()
    answer = ask(address)
    first, lines = stopwatch.seconds() - begun, 0
    for piece in answer.response:
        lines += (piece if isinstance(piece, bytes) else piece.encode()).count(b"\n")
    whole = stopwatch.seconds() - begun
    answer.close()
    if answer.status_code != 200 or lines != rows + 1:
        raise RuntimeError(f"{address} answered {answer.status_code} with {lines} lines")
    return whole, first
