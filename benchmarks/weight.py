"""What a page weighs on the wire: HTML, style sheet and scripts, as they are served to who takes Brotli."""

from __future__ import annotations

import re
import tempfile

from flask.testing import FlaskClient

from benchmarks.report import Report
from tests.support.cast import ADMIN, Desk, hire
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.settings import read_settings
from webapp.watching import logs

TAKES = {"Accept-Encoding": "br, gzip"}
MOST, MOST_WITH_CHART = 90, 270  # KB


def run(report: Report) -> None:
    """Weighs every page that has an address of its own."""
    report.title("Weight: bytes on the wire of a page with everything it loads, Brotli where it is served")
    with tempfile.TemporaryDirectory() as folder:
        logs.configure("ERROR")
        app = create_app(read_settings({"YULIANG_INSTANCE": folder}))
        with app.app_context():
            schema.migrate(utc_now())
            hire()
        desk = Desk(app, ADMIN)
        desk.record_lot(1000)
        desk.verify("张三", "11010519491231002X")  # nobody answers: the dashboard still draws a refused call
        plain: dict[str, float] = {}
        charts: dict[str, float] = {}
        for path in sorted(
            {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())}
        ):
            found = _weight(desk.client, path)
            if found is not None:
                kilobytes, chart = found
                (charts if chart else plain)[path] = kilobytes
        for path in ("/verify", "/history", max(plain, key=lambda one: plain[one])):
            report.line(path, plain[path], " KB", most=MOST)
        for path in ("/", max(charts, key=lambda one: charts[one])):
            report.line(f"{path}, with charts", charts[path], " KB", most=MOST_WITH_CHART)
        report.line("pages weighed", len(plain) + len(charts))
        with app.app_context():
            db.engine.dispose()


def _weight(client: FlaskClient, path: str) -> tuple[float, bool] | None:
    """Kilobytes, and whether a chart is among them; None where the address is no page for an admin."""
    with client.get(path, headers=TAKES) as answer:
        if answer.status_code != 200 or answer.mimetype != "text/html":
            return None
        served = len(answer.data)
    html = client.get(path).text
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
    for address in loaded:
        with client.get(address, headers=TAKES) as file:
            assert file.status_code == 200, address
            served += len(file.data)
    return served / 1024, any("/charts-" in address for address in loaded)
