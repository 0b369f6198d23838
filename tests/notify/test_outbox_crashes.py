"""Killed at any step, no mail is lost, and one arrives twice only after the server's OK, with the same Message-ID."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.notify.servers import Inbox, Script, mail_server, scripted_server
from tests.support.cast import NOW
from webapp.foundation.database import db, transaction
from webapp.notify import outbox, queries
from webapp.notify.messages import Message
from webapp.notify.outbox import LEASE, Draft

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as running:
        yield running


class Sender:
    """Starts the program that sends, on the test's database."""

    def __init__(self, instance: Path, database: str) -> None:
        self.instance, self.database = instance, database

    def start(self, port: int, now: datetime, step: str) -> subprocess.Popen[str]:
        arguments = [str(self.instance), self.database, str(port), now.isoformat(), step]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.notify.crash_child", *arguments], stdout=subprocess.PIPE, text=True
        )

    def run(self, port: int, now: datetime, step: str = "never") -> int:
        """Its exit code: -9 when it was killed."""
        with self.start(port, now, step) as child:
            return child.wait(60)


@pytest.fixture
def sender(database: str, tmp_path: Path, app: Flask) -> Sender:
    return Sender(tmp_path / "instance", database)


def write(*addresses: str) -> None:
    with transaction():
        outbox.write([Draft(f"c:{one}", "c", "mail.test", one, "en") for one in addresses], NOW)


def states() -> dict[str, str]:
    db.session.rollback()
    found = {address: str(state) for address, state in db.session.execute(select(Message.address, Message.state))}
    db.session.rollback()
    return found


@pytest.mark.parametrize(
    ("step", "attempts", "copies"),
    [("before claim", ["accepted"], 1), ("after claim", [None, "accepted"], 1),
     ("after OK, before commit", [None, "accepted"], 2)],
)  # fmt: skip
def test_a_sender_killed_at_a_step_loses_nothing(
    sender: Sender, inbox: Inbox, step: str, attempts: list[str | None], copies: int
) -> None:
    write("a@there.test")

    assert sender.run(inbox.port, NOW, step) == -signal.SIGKILL
    assert states() == {"a@there.test": "queued"}
    assert sender.run(inbox.port, NOW + LEASE) == 0

    assert states() == {"a@there.test": "sent"}
    mails = inbox.to("a@there.test")
    assert len(mails) == copies
    assert len({mail["Message-ID"] for mail in mails}) == 1
    chain = queries.chain(1)
    assert chain is not None
    assert [one.verdict for one in chain.attempts] == attempts


def test_a_sender_killed_while_the_content_goes_over_the_wire_loses_nothing(sender: Sender, inbox: Inbox) -> None:
    write("a@there.test")
    started = threading.Event()

    def half(talk: Script) -> None:
        talk.greet()
        talk.until_data()
        talk.hear()
        started.set()
        while talk.hear():
            pass

    with scripted_server(half) as port, sender.start(port, NOW, "during DATA") as child:
        assert started.wait(60)
        child.send_signal(signal.SIGKILL)

    assert states() == {"a@there.test": "queued"}
    assert sender.run(inbox.port, NOW + LEASE) == 0
    assert len(inbox.to("a@there.test")) == 1


@pytest.mark.long
def test_200_kills_at_random_lose_nothing_and_copies_come_only_after_an_ok(sender: Sender, inbox: Inbox) -> None:
    chance, now, kills, expected = random.Random(2026), NOW, 0, Counter[str]()
    written = 0
    while kills < 200:
        write(*(f"{written + number}@there.test" for number in range(6)))
        written += 6
        now += LEASE
        with sender.start(inbox.port, now, "never") as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            threading.Event().wait(chance.random() * 0.12)
            kills += child.poll() is None
            os.kill(child.pid, signal.SIGKILL)
        # Whatever the server took of what we did not record will come once more: those, and no others.
        unsettled = {address for address, state in states().items() if state != "sent"}
        taken = Counter(address for address, _mail in inbox.mails)
        expected = Counter({address: count + (address in unsettled) for address, count in taken.items()})
    assert sender.run(inbox.port, now + LEASE) == 0

    assert set(states().values()) == {"sent"}
    copies = Counter(address for address, _mail in inbox.mails)
    assert set(copies) == {f"{number}@there.test" for number in range(written)}
    assert {address: copies[address] for address in expected} == dict(expected)
    ids = {address: {mail["Message-ID"] for mail in inbox.to(address)} for address in copies}
    assert all(len(found) == 1 for found in ids.values())
