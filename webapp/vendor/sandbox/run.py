"""The vendor's books: what was received, answered, charged since the last reset. In memory, thread-safe.

Who was asked about is kept only as a hash under a key that never leaves this object: somebody may type a
real person into a sandbox, and then nothing readable is left behind.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TypeVar

_MOST_PAIRS = 100_000
_MOST_REMEMBERED = 100_000
_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class Counts:
    """received: requests to the vendor's addresses; answered: answers sent whole; charged: calls deducted."""

    run: int
    received: int
    answered: int
    charged: int
    quota: int | None
    remaining: int | None
    appcode_in_url: int
    people: int
    """Distinct (name, number) pairs asked about."""
    charged_twice: int
    """Pairs that were charged more than once."""
    by_code: dict[str, int]
    """Answers sent whole: by the gateway's code or message, the backend's respCode or its status."""
    metered: int = 0
    """Requests to the vendor's own counter."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How often one (name, number) was received and charged in this run."""

    received: int = 0
    charged: int = 0


class Run:
    """One run's books. A request keeps the run it began in, so stragglers never blur a reset."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._received = self._answered = self._charged = self._in_url = 0
        self._metered = 0
        self._charged_at: deque[float] = deque(maxlen=_MOST_REMEMBERED)
        self._nonces: dict[bytes, bool] = {}
        self._by_code: Counter[str] = Counter()
        self._pairs: dict[bytes, PairCounts] = {}
        self._steps: dict[bytes, int] = {}

    def receive(self) -> None:
        with self._lock:
            self._received += 1

    def receive_pair(self, name: str, number: str) -> None:
        key = self._digest(name, number)
        with self._lock:
            seen = self._pairs.pop(key, PairCounts())
            self._remember(self._pairs, key, replace(seen, received=seen.received + 1))

    def appcode_in_url(self) -> None:
        with self._lock:
            self._in_url += 1

    def step(self, name: str, number: str, cycle: int) -> int:
        """How far a sequence of `cycle` steps has come for this number, counted from 0; moves it on."""
        key = self._digest(name, number)
        with self._lock:
            step = self._steps.pop(key, 0)
            self._remember(self._steps, key, (step + 1) % cycle)
            return step

    def admit(self, name: str, number: str, *, charge: bool, quota: int | None) -> bool:
        """Whether the quota lets a call through; charges it in the same breath where it is to be charged."""
        key = self._digest(name, number)
        with self._lock:
            if quota is not None and self._charged >= quota:
                return False
            if charge:
                self._charged += 1
                self._charged_at.append(time.monotonic())
                seen = self._pairs.pop(key, PairCounts())
                self._remember(self._pairs, key, replace(seen, charged=seen.charged + 1))
            return True

    def meter(self) -> None:
        with self._lock:
            self._metered += 1

    def is_new(self, nonce: str) -> bool:
        """Whether this nonce was never sent before in this run."""
        key = self._digest("nonce", nonce)
        with self._lock:
            known = key in self._nonces
            self._remember(self._nonces, key, True)
            return not known

    def seen_charged(self, lag_calls: int, lag_seconds: int) -> int:
        """How many of the charged calls a counter knows that lags behind by so many calls or seconds."""
        with self._lock:
            times = list(self._charged_at) if lag_seconds else []
            late = len(times) - bisect_right(times, time.monotonic() - lag_seconds)
            return max(0, self._charged - max(late, lag_calls))

    def answer(self, code: str) -> None:
        with self._lock:
            self._answered += 1
            self._by_code[code] += 1

    def pair(self, name: str, number: str) -> PairCounts:
        key = self._digest(name, number)
        with self._lock:
            return self._pairs.get(key, PairCounts())

    def counts(self, quota: int | None, elsewhere: int = 0) -> Counts:
        with self._lock:
            return Counts(
                run=self.number,
                received=self._received,
                answered=self._answered,
                charged=self._charged,
                quota=quota,
                remaining=None if quota is None else max(0, quota - elsewhere - self._charged),
                appcode_in_url=self._in_url,
                people=len(self._pairs),
                charged_twice=sum(pair.charged > 1 for pair in self._pairs.values()),
                by_code=dict(sorted(self._by_code.items())),
                metered=self._metered,
            )

    def _digest(self, name: str, number: str) -> bytes:
        told = f"{name}\0{number}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, told, hashlib.sha256)

    @staticmethod
    def _remember(kept: dict[bytes, _Kept], key: bytes, value: _Kept) -> None:
        if len(kept) >= _MOST_PAIRS:
            del kept[next(iter(kept))]
        kept[key] = value
