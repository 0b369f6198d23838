"""From a clean clone with an empty home: `make run` to the first page, and the whole of `make test`."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.report import Report
from benchmarks.serve import free_port, started

ROOT = Path(__file__).parent.parent


def run(report: Report) -> None:
    """Needs the package registries; what is committed is measured, not the work tree."""
    report.title("Cold: a clean clone, an empty home")
    with tempfile.TemporaryDirectory() as folder:
        clone, home = f"{folder}/clone", f"{folder}/home"
        Path(home).mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), clone], check=True)
        port = free_port()
        environ = {"HOME": home, "YULIANG_PORT": str(port)}
        with started(
            ["make", "--no-print-directory", "-C", clone, "run"], f"http://127.0.0.1:{port}/login", environ
        ) as (_, s):
            report.line("make run to the first page", s, " s", most=60)
        begun = time.perf_counter()
        done = subprocess.run(
            ["make", "--no-print-directory", "-C", clone, "test"],
            env={"HOME": home, "PATH": os.environ["PATH"]},
            check=False,
            capture_output=True,
            text=True,
        )
        print("   ", "\n    ".join(done.stdout.splitlines()[-1:]))
        report.line(f"make test (exit {done.returncode})", (time.perf_counter() - begun) / 60, " min", most=10)
        report.line("files left in the home folder", len(list(Path(home).rglob("*"))), most=0)
