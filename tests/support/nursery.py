"""Processes that begin without a start: forked from one that has loaded the code already.

A start costs a second, a fork some milliseconds. Run as a program (`python -m tests.support.nursery MODULE…`) it reads
one JSON object a line, forks a child that calls the function `call` (`module:function`) with it, prints the child's
number and, when the child is dead, how it ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Nursery:
    """One child at a time."""

    process: subprocess.Popen[str]

    def begin(self, call: Callable[[dict[str, Any]], object], **order: Any) -> int:
        """Starts a child that calls this function of a loaded module with `order`; returns its number."""
        assert self.process.stdin is not None
        named = {"call": f"{call.__module__}:{call.__name__}"}
        print(json.dumps(named | order), file=self.process.stdin, flush=True)
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
def running_nursery(*modules: str) -> Iterator[Nursery]:
    """A nursery that has loaded these modules, for the length of a `with` block."""
    command = [sys.executable, "-m", "tests.support.nursery", *modules]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Nursery(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


def main() -> None:
    for module in sys.argv[1:]:
        import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _live(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _live(order: dict[str, Any]) -> None:
    """The child's life; what the function returns is its exit code."""
    code = 1
    try:
        module, function = order.pop("call").split(":")
        code = int(getattr(import_module(module), function)(order) or 0)
    except BaseException:  # noqa: BLE001 - a child that fails must be seen, and never go on as a nursery
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
