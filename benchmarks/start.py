"""How long `yuliang serve` takes to be ready, against a bare Flask app with the same libraries under gunicorn."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.report import Report, median
from benchmarks.serve import free_port, started

ROUNDS = 9
AT_START = """
import apscheduler.schedulers.background, argon2, brotli, cryptography.hazmat.primitives.ciphers.aead, flask
import flask_babel, flask_login, flask_sqlalchemy, flask_wtf, requests, sqlalchemy.dialects.sqlite
import sqlalchemy.dialects.postgresql, structlog, whitenoise
"""
WHEN_NEEDED = """
import alembic, chinese_calendar, id_validator, PIL.Image, psycopg
"""
"""What the product names as its libraries too, and loads when something first needs them."""
APP = """
app = flask.Flask(__name__)
@app.get("/")
def index():
    return "ok"
"""


def run(report: Report) -> None:
    """Starts them in turn, on a migrated database, and compares medians."""
    report.title("Ready: from the command to the first answer")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "every.py").write_text(AT_START + WHEN_NEEDED + APP)
        Path(folder, "fewer.py").write_text(AT_START + APP)
        environ = {"YULIANG_INSTANCE": f"{folder}/instance"}
        turns = [(_ours(environ), _bare(folder, "every"), _bare(folder, "fewer")) for _turn in range(ROUNDS + 1)]
    # The first turn makes keys, the database and compiled files.
    ours, every, fewer = (median([turn[which] for turn in turns[1:]]) for which in range(3))
    report.line("yuliang serve, ready", ours, " s")
    report.line("bare Flask app with all libraries that pyproject.toml names, ready", every, " s")
    report.line("ratio", ours / every, "×", most=1.3)
    report.line("bare Flask app with those alone that serve loads at its start, ready", fewer, " s")
    report.line("ratio", ours / fewer, "×")


def _ours(environ: dict[str, str]) -> float:
    port = free_port()
    command = [sys.executable, "-m", "webapp", "serve"]
    with started(command, f"http://127.0.0.1:{port}/healthz", environ | {"YULIANG_PORT": str(port)}) as (_, seconds):
        return seconds


def _bare(folder: str, module: str) -> float:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--chdir", folder, "--bind", f"127.0.0.1:{port}", "--preload",
               "--workers", "2", "--threads", "8", "--no-control-socket", f"{module}:app"]  # fmt: skip
    with started(command, f"http://127.0.0.1:{port}/", {}) as (_, seconds):
        return seconds
