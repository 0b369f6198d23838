"""Four workers and four web processes on one database: each crossing is told once to each recipient."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from tests.notify.servers import mail_server
from tests.reminders.story import add_confirmed, episodes, messages, subscribe
from tests.support.cast import ADMIN
from tests.support.waiting import until
from webapp.foundation.database import db

pytestmark = pytest.mark.usefixtures("context")


class House:
    """The processes of one instance."""

    def __init__(self, stack: ExitStack, instance: Path, database: str, port: int) -> None:
        self._stack, self._arguments = stack, [str(instance), database, str(port)]
        self.workers = [self._start("worker") for _each in range(4)]
        self.web = [self._start("web") for _each in range(4)]
        for child in (*self.workers, *self.web):
            assert self._hear(child) == "ready"

    def _start(self, role: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.reminders.process_child", role, *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._stack.enter_context(child)
        self._stack.callback(child.send_signal, signal.SIGTERM if role == "worker" else signal.SIGKILL)
        return child

    @staticmethod
    def _hear(child: subprocess.Popen[str]) -> str:
        assert child.stdout is not None
        return child.stdout.readline().strip()

    def tell(self, *webs: subprocess.Popen[str], word: str) -> None:
        """Gives the order to all of them at once and waits until each has done it."""
        for child in webs:
            assert child.stdin is not None
            child.stdin.write(f"{word}\n")
            child.stdin.flush()
        assert [self._hear(child) for child in webs] == ["done"] * len(webs)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("crossings", [6, pytest.param(200, marks=pytest.mark.long)])
def test_each_crossing_is_told_once_to_each_recipient(
    app: Flask, database: str, tmp_path: Path, stack: ExitStack, crossings: int
) -> None:
    """Up by a purchase of 10 calls, down by four processes using 2 each at once. After every other fall we wait for
    its mails; the others are lifted at once, and what waits is dropped."""
    inbox = stack.enter_context(mail_server())
    subscribe(ADMIN)
    add_confirmed("boss@outside.test")
    db.session.remove()
    house = House(stack, tmp_path / "instance", database, inbox.port)
    house.tell(house.web[0], word="buy 100")
    house.tell(*house.web, word="use 18")

    for crossing in range(crossings):
        if crossing:
            house.tell(house.web[crossing % 4], word="buy 10")
        house.tell(*house.web, word="use 2")
        if crossing % 2:
            wanted = 2 * (crossing + 1)
            until(lambda wanted=wanted: len(settled()) == wanted, f"the mails of crossing {crossing}")  # type: ignore[misc]

    until(lambda: len(settled()) == 2 * crossings, "the last mails")
    assert [one.closed for one in episodes()] == ["renewed"] * (crossings - 1) + [None]
    written = Counter((one.cause, one.address) for one in messages())
    assert set(written.values()) == {1}
    assert len(written) == 2 * crossings
    sent = Counter(one.wire_id for one in messages("") if one.state == "sent")
    assert Counter(mail["Message-ID"] for _address, mail in inbox.mails) == sent
    assert sum(sent.values()) >= crossings


def settled() -> list[str]:
    """Messages that are through: sent, or dropped."""
    return [one.wire_id for one in messages() if one.state in ("sent", "dropped")]
