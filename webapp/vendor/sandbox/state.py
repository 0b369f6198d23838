"""The running sandbox's memory: settings and books, for the HTTP side and for tests in the same process."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from webapp.vendor.sandbox.meter import Books
from webapp.vendor.sandbox.run import Counts, PairCounts, Run
from webapp.vendor.sandbox.settings import SandboxSettings


class State:
    """Thread-safe: settings and run are replaced whole, and a request keeps those it took."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._lock = threading.Lock()
        self.settings = settings
        self.run = Run()

    def change(self, values: Mapping[str, object]) -> SandboxSettings:
        """Raises SettingsRefused, and then changes nothing."""
        with self._lock:
            self.settings = self.settings.changed(values)
            return self.settings

    def reset(self) -> None:
        """New books, new sequences, the quota full again; the settings stay."""
        with self._lock:
            self.run = Run(self.run.number + 1)

    def counts(self) -> Counts:
        return self.run.counts(self.settings.quota, self.settings.elsewhere)

    def books(self) -> Books:
        """What the vendor's own counter says now."""
        settings, run = self.settings, self.run
        used = settings.elsewhere + run.seen_charged(settings.meter_lag_calls, settings.meter_lag_seconds)
        return Books(used, max(used, settings.bought if settings.quota is None else settings.quota))

    def calls(self, name: str, number: str) -> PairCounts:
        return self.run.pair(name, number)
