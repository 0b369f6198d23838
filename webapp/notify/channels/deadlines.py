"""What must not take longer than so many seconds: one thread for all of it, for a timer each would cost a thread for
every mail. It is started when first needed, and again in a process that was forked."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

IDLE_SECONDS = 60.0
"""The thread ends when it has had nothing to watch for so long."""


class Deadlines:
    """Calls what is due; each call must be short and raise nothing."""

    def __init__(self) -> None:
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes = 0.0

    @contextlib.contextmanager
    def then(self, seconds: float, call: Callable[[], None]) -> Iterator[None]:
        """Calls `call` once, from another thread, if the block takes longer than that."""
        mark, at = object(), time.monotonic() + seconds
        with self._changed:
            self._due[mark] = at, call
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._wakes = at
                self._thread.start()
            elif at < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(mark, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for mark, (at, call) in list(self._due.items()):
                    if at <= now:
                        del self._due[mark]
                        call()
                idle = not self._due
                self._wakes = min((at for at, _call in self._due.values()), default=now + IDLE_SECONDS)
                self._changed.wait(self._wakes - now)
                if idle and not self._due:
                    self._thread = None
                    return


deadlines = Deadlines()
