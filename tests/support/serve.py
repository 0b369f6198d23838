"""`yuliang serve` as a process of its own, with an instance folder and a free port: what people really start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "webapp", "serve")


@dataclass(frozen=True, slots=True)
class Served:
    """A running product: where it answers, and the folder that it keeps its database and keys in."""

    address: str
    instance: Path
    process: subprocess.Popen[bytes]
    said: Path

    @property
    def printed(self) -> str:
        """What it has said on standard output so far."""
        return self.said.read_text(encoding="utf-8")

    @property
    def logged(self) -> str:
        """What it has said on standard error so far."""
        return log_beside(self.said).read_text(encoding="utf-8")

    def code(self) -> str:
        """The one-time code for the first admin, as the start printed it."""
        found = re.search(r"/first-run with the one-time code (\S+)", self.printed)
        assert found is not None, f"no code was printed: {self.printed}"
        return found[1]

    def ready(self) -> bool:
        """Whether it answers; fails the test when it has ended."""
        assert self.process.poll() is None, f"yuliang serve ended: {self.printed}{self.logged[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:  # noqa: S310  # our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def serving(instance: Path, **settings: str) -> Iterator[Served]:
    """A ready product on `instance`, stopped at the end; `settings` are variables without their prefix."""
    port = _free_port()
    given = {"INSTANCE": str(instance), "PORT": str(port), **settings}
    environ = {"PATH": os.environ["PATH"], **{f"YULIANG_{name}": value for name, value in given.items()}}
    with tempfile.TemporaryDirectory(prefix="yuliang-serve-") as folder:
        said = Path(folder) / "output"
        with _started(environ, said) as process:
            served = Served(f"http://127.0.0.1:{port}", instance, process, said)
            until(served.ready, "yuliang serve becomes ready", seconds=60)
            yield served


@contextmanager
def _started(environ: Mapping[str, str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    with said.open("wb") as output, log_beside(said).open("wb") as log:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=environ, stdout=output, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def log_beside(said: Path) -> Path:
    """The file of standard error beside that of standard output."""
    return said.with_name("log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
