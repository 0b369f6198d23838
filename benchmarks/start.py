"""How long `yuliang serve` takes to be ready, against a bare Flask app with the same libraries under gunicorn."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.report import Report, median
from benchmarks.serve import free_port, started

ROUNDS = 5
BARE = """
import alembic, apscheduler.schedulers.background, argon2, cryptography.hazmat.primitives.ciphers.aead, flask
import brotli, flask_babel, flask_login, flask_sqlalchemy, flask_wtf, requests, sqlalchemy.dialects.sqlite
import sqlalchemy.dialects.postgresql, structlog, whitenoise
app = flask.Flask(__name__)
@app.get("/")
def index():
    return "ok"
"""


def run(report: Report) -> None:
    """Starts both in turn, on a migrated database, and compares medians."""
    report.title("Ready: from the command to the first answer")
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare.py").write_text(BARE)
        environ = {"YULIANG_INSTANCE": f"{folder}/instance"}
        for turn in range(ROUNDS + 1):
            seconds = _ours(environ), _bare(folder)
            if turn:  # the first turn makes keys, the database and compiled files
                ours.append(seconds[0])
                bare.append(seconds[1])
    report.line("yuliang serve, ready", median(ours), " s")
    report.line("bare Flask app with the same libraries, ready", median(bare), " s")
    report.line("ratio", median(ours) / median(bare), "×", most=1.3)


def _ours(environ: dict[str, str]) -> float:
    port = free_port()
    command = [sys.executable, "-m", "webapp", "serve"]
    with started(command, f"http://127.0.0.1:{port}/healthz", environ | {"YULIANG_PORT": str(port)}) as (_, seconds):
        return seconds


def _bare(folder: str) -> float:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--chdir", folder, "--bind", f"127.0.0.1:{port}", "--preload",
               "--workers", "2", "--threads", "8", "--no-control-socket", "bare:app"]  # fmt: skip
    with started(command, f"http://127.0.0.1:{port}/", {}) as (_, seconds):
        return seconds
