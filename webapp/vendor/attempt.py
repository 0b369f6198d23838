"""One attempt at a call while it runs: how long it may still take, and whether anything of it has left us."""

import socket
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

Resolver = Callable[[str, int], list[Any]]
"""Host and port to addresses, as socket.getaddrinfo gives them; raises OSError."""


def resolve(host: str, port: int) -> list[Any]:
    """The system's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@dataclass(slots=True)
class Attempt:
    """Times in seconds. `ends`: when the whole verification must be over, on `clock`. `answer_time`: what an
    answer needs at least; with less than that left nothing is sent, for it could only end as unknown.

    `sent` decides what a failure means: before it, nothing was spent; after it, nobody knows.
    """

    ends: float
    connect_timeout: float
    read_timeout: float
    answer_time: float
    clock: Callable[[], float]
    resolver: Resolver
    sent: bool = field(default=False, init=False)

    def patience(self, limit: float, spare: float = 0) -> float:
        """How long to wait for one thing: `limit`, cut by the deadline.

        Raises TimeoutError if no more than `spare` is left of that.
        """
        left = self.ends - self.clock()
        if left <= spare:
            raise TimeoutError("the deadline of the call is over")
        return min(limit, left)

    def begin_sending(self) -> None:
        """Notes the point of no return. Raises TimeoutError if it is too late for that."""
        self.patience(self.read_timeout, spare=self.answer_time)
        self.sent = True


CURRENT: ContextVar[Attempt] = ContextVar("CURRENT")
"""The attempt this thread is making: pooled connections are shared and ask here whom they serve."""
