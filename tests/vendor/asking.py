"""Asking a scripted vendor through the real client, in a time that can be pushed ahead."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webapp.vendor.client import Route, VendorClient
from webapp.vendor.contract import Billed, Cause, Outcome, Reply

NAME, NUMBER, APPCODE = "张三·阿", "11010519491231002X", "83359fd73fe94948385f570e3c139105"


class Time:
    """Real time that can be pushed ahead: who sleeps in it does not wait."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += seconds


@contextmanager
def client(url: str, clock: Time | None = None, **options: Any) -> Iterator[VendorClient]:
    seams = {name: options.pop(name) for name in ("resolver", "chance") if name in options}
    clock = clock or Time()
    made = VendorClient(Route(url, **options), clock=clock.now, sleep=clock.sleep, **seams)
    try:
        yield made
    finally:
        made.close()


def ask(url: str, clock: Time | None = None, **options: Any) -> Reply:
    with client(url, clock, **options) as made:
        return made.verify(NAME, NUMBER, appcode=APPCODE)


def is_unknown(reply: Reply) -> bool:
    return (reply.outcome, reply.billed, reply.cause) == (Outcome.UNKNOWN, Billed.UNKNOWN, Cause.NO_ANSWER)


def is_network(reply: Reply) -> bool:
    return (reply.outcome, reply.billed, reply.cause) == (Outcome.REFUSED, Billed.NO, Cause.NETWORK)
