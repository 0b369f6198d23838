"""The nursery of `crash_child` as tests use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Nursery:
    """One child at a time; `environ` are the settings of all."""

    process: subprocess.Popen[str]
    environ: dict[str, str]

    def begin(self, **order: Any) -> int:
        """Starts a child and returns its number."""
        assert self.process.stdin is not None
        print(json.dumps({"environ": self.environ, **order}), file=self.process.stdin, flush=True)
        return int(self._line())

    def end(self) -> int:
        """How the child ended: minus the signal that killed it, else its exit code."""
        return int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the nursery is gone"
        return line


@contextmanager
def running_nursery(database: str, instance: Path, vendor_url: str) -> Iterator[Nursery]:
    """A nursery for the length of a `with` block."""
    settings = {
        "INSTANCE": str(instance),
        "DATABASE_URL": database,
        "VENDOR_URL": vendor_url,
        "APPCODE": "test-appcode",
        "LIMITS": "",
        "VENDOR_READ_TIMEOUT": "5",
    }
    environ = {f"YULIANG_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "tests.verification.crash_child"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Nursery(process, environ)
        finally:
            process.stdin.close()
            process.wait(30)
