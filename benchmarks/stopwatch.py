"""The time that measurements are taken in: the clock's, or that of the processor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_read: Callable[[], float] = time.perf_counter
_children: list[Path] = []


def seconds() -> float:
    """Since some instant."""
    return _read()


def count_processor() -> None:
    """From now on only the processor's time counts, of this process and of those that it started, a PostgreSQL server
    among them: on a machine that others keep busy the clock says what they do. Waiting for a disk is not in it."""
    global _read  # noqa: PLW0603
    _read = _processor


def look_for_children() -> None:
    """Finds the processes that this one has started by now. Before measuring: connections bring new ones."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    mine = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in mine} - mine:
        mine |= more
    _children[:] = [Path(f"/proc/{child}/schedstat") for child in sorted(mine - {os.getpid()})]


def _processor() -> float:
    return time.process_time() + sum(map(_of_child, _children))


def _of_child(status: Path) -> float:
    try:
        return int(status.read_text().split()[0]) / 1e9
    except OSError:
        return 0.0
