"""Starting servers as real processes, and watching them from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], url: str, environ: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Starts `command`; yields it and the seconds until `url` answered. Stops it at the end."""
    begun = time.perf_counter()
    environ = {"PATH": os.environ["PATH"], **environ}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(url):
            if process.poll() is not None or time.perf_counter() - begun > 120:
                raise RuntimeError(f"{command} does not answer at {url}")
            time.sleep(0.005)
        yield process, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    """Whether `url` answers 2xx or 3xx at this moment."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # our own address
            return True
    except (urllib.error.URLError, OSError):
        return False


def tree(pid: int) -> list[int]:
    """`pid` and all processes below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in tree(int(child)))]


def proportional_memory(pid: int) -> float:
    """PSS of a process in MB (2^20 bytes): shared pages are counted once among their sharers."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no PSS line")
