"""Memory of an idle `yuliang serve`: supervisor, web with two workers, one worker, and the sandbox."""

from __future__ import annotations

import sys
import tempfile

from benchmarks.report import Report
from benchmarks.serve import answers, free_port, proportional_memory, started, tree


def run(report: Report) -> None:
    """Adds the PSS of all processes after each page was opened once."""
    report.title("Memory: PSS of an idle serve")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environ = {"YULIANG_INSTANCE": folder, "YULIANG_PORT": str(port)}
        command = [sys.executable, "-m", "webapp", "serve"]
        with started(command, f"http://127.0.0.1:{port}/readyz", environ) as (process, _):
            for _ in range(20):
                answers(f"http://127.0.0.1:{port}/login")
            processes = tree(process.pid)
            report.line("processes", len(processes))
            report.line("supervisor, gunicorn, 2 web workers, worker, sandbox together",
                        sum(map(proportional_memory, processes)), " MB", most=250)  # fmt: skip
