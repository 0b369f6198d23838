"""Waiting for what another thread or process will bring about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """The first true value of `condition`; the test fails when there was none for `seconds`."""
    pause, ends = threading.Event(), time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, f"waited in vain: {what}"
        pause.wait(0.005)
    return value


def together(*works: Callable[[], object], seconds: float = 60) -> None:
    """Runs all at once, each in a thread that starts with the others; raises the first fault of any."""
    gate, faults = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], object]) -> None:
        try:
            gate.wait(seconds)
            work()
        except BaseException as fault:  # noqa: BLE001 - handed to the test below
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "a thread does not end"
    if faults:
        raise faults[0]


class Tally:
    """A number that threads share."""

    def __init__(self, value: int = 0) -> None:
        self.value = value
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self.value += more
