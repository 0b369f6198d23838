"""What a page weighs on the wire: HTML, style sheet and scripts, Brotli-compressed as served."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import brotli

from benchmarks.report import Report
from tests.support.cast import ADMIN, Desk, hire
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.settings import read_settings

STATIC = Path(__file__).parent.parent / "static"


def run(report: Report) -> None:
    """Weighs a page without a chart and the one with it."""
    report.title("Weight: Brotli bytes of a page with everything it loads")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(read_settings({"YULIANG_INSTANCE": folder}))
        with app.app_context():
            schema.migrate(utc_now())
            hire()
        desk = Desk(app, ADMIN)
        desk.record_lot(1000)
        desk.verify("张三", "11010519491231002X")  # nobody answers: the dashboard still draws a refused call
        for path, most in (("/verify", 90), ("/history", 90), ("/", 270), ("/usage", 270), ("/quota", 270)):
            report.line(path, _weight(desk.get(path).text) / 1024, " KB", most=most)
        with app.app_context():
            db.engine.dispose()


def _weight(html: str) -> int:
    loaded = set(re.findall(r'(?:src|href)="/static/([^"]+)"', html))
    return len(brotli.compress(html.encode())) + sum(_compressed(STATIC / name) for name in loaded)


def _compressed(path: Path) -> int:
    ready = path.with_name(path.name + ".br")
    return ready.stat().st_size if ready.exists() else len(brotli.compress(path.read_bytes()))
