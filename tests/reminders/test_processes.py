"""Four workers and four web processes on one database: each crossing is told once to each recipient."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.notify.servers import Inbox, mail_server
from tests.reminders.story import add_confirmed, episodes, messages, subscribe
from tests.support.cast import ADMIN, OPERATOR, Desk, card_of
from tests.support.over_http import Visitor, visit
from tests.support.waiting import together, until
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify.sending import SEND_JOB
from webapp.reminders.models import ToldLot
from webapp.reminders.operations import REVIEW_JOB
from webapp.scheduler import JOBS, Worker
from webapp.vendor.sandbox.people import PEOPLE
from webapp.vendor.sandbox.server import Sandbox

pytestmark = pytest.mark.usefixtures("context")


class House:
    """The processes of one instance, and people in front of each web process."""

    def __init__(self, stack: ExitStack, *arguments: str) -> None:
        self._stack, self._arguments = stack, arguments
        self.workers = [self._start("worker") for _each in range(4)]
        web = [self._start("web") for _each in range(4)]
        assert [self._hear(child) for child in self.workers] == ["ready"] * 4
        addresses = [self._hear(child) for child in web]
        admin, operator = visit(addresses[0], ADMIN), visit(addresses[0], OPERATOR)
        self.admins = [_at(address, admin) for address in addresses]
        self.operators = [_at(address, operator) for address in addresses]

    def _start(self, role: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.reminders.process_child", role, *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._stack.enter_context(child)
        self._stack.callback(child.send_signal, signal.SIGTERM if role == "worker" else signal.SIGKILL)
        return child

    @staticmethod
    def _hear(child: subprocess.Popen[str]) -> str:
        assert child.stdout is not None
        return child.stdout.readline().strip()

    def use(self, calls: int) -> None:
        """Each web process is asked for so many verifications, all of them at once."""

        def verify(number: int) -> None:
            for _call in range(calls):
                person, busy = PEOPLE[number], True
                while busy:  # a slow machine may be too busy for all at once: nothing was sent then
                    answer = self.operators[number].verify(person.name, person.number, again="yes")
                    busy = answer.status_code == 503
                assert card_of(answer.text) == ("match", "yes"), answer.text

        together(*(lambda number=number: verify(number) for number in range(4)))

    def buy(self, number: int, calls: int, expires_on: date) -> None:
        """A lot, recorded in one of the web processes."""
        fields = {"calls": str(calls), "bought_on": "2026-01-01", "expires_on": str(expires_on), "price": "30"}
        assert self.admins[number].post("/quota/lots/new", fields).status_code == 200


def _at(address: str, known: Visitor) -> Visitor:
    tab = known.copy()
    tab.address = address
    return tab


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def inbox(stack: ExitStack) -> Inbox:
    return stack.enter_context(mail_server())


@pytest.fixture
def house(app: Flask, database: str, tmp_path: Path, sandbox: Sandbox, stack: ExitStack, inbox: Inbox) -> House:
    """The processes, with two recipients."""
    subscribe(ADMIN)
    add_confirmed("boss@outside.test")
    db.session.remove()
    return House(stack, str(tmp_path / "instance"), database, str(inbox.port), sandbox.url)


@pytest.mark.parametrize("crossings", [6, pytest.param(200, marks=pytest.mark.long)])
def test_each_crossing_is_told_once_to_each_recipient(house: House, inbox: Inbox, crossings: int) -> None:
    """Up by a purchase of 10 calls, down by four web processes using 2 each at once: to a fifth of all each time.
    After every other fall we wait for its mails; the others are lifted at once, and what waits is dropped."""
    for crossing in range(crossings):
        house.buy(crossing % 4, 10, date(2099, 12, 31))
        house.use(2)
        if crossing % 2:
            wanted = 2 * (crossing + 1)
            until(lambda wanted=wanted: len(settled()) == wanted, f"the mails of crossing {crossing}")  # type: ignore[misc]

    until(lambda: len(settled()) == 2 * crossings, "the last mails")
    assert [one.closed for one in episodes()] == ["renewed"] * (crossings - 1) + [None]
    told_once(inbox, 2 * crossings)
    assert len(inbox.mails) >= crossings


def told_once(inbox: Inbox, count: int) -> None:
    """One message for each episode and recipient, and one mail for each that was sent."""
    written = Counter((one.cause, one.address) for one in messages())
    assert set(written.values()) == {1}
    assert len(written) == count
    sent = Counter(one.wire_id for one in messages("") if one.state == "sent")
    assert Counter(mail["Message-ID"] for _address, mail in inbox.mails) == sent


def settled() -> list[str]:
    """Messages that are through: sent, or dropped."""
    return [one.wire_id for one in messages() if one.state in ("sent", "dropped")]


def test_each_lot_that_ends_soon_is_told_once_whoever_records_it_and_whoever_looks(house: House, inbox: Inbox) -> None:
    """Four web processes record lots at once, three days in a row each, while four workers look all the time."""
    today = day_of(utc_now(), this_instance().settings.zone)
    days = [today + timedelta(days=ahead) for ahead in (1, 2, 3)]

    def record(number: int) -> None:
        for day in days:
            house.buy(number, 10, day)

    together(*(lambda number=number: record(number) for number in range(4)))
    until(lambda: len(told_lots()) == 12 and len(settled()) == 2 * len(episodes()), "every lot is told")

    assert sorted(told_lots()) == list(range(1, 13))
    assert {one.ends_on for one in episodes()} == set(days)
    told_once(inbox, 2 * len(episodes()))


def told_lots() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(ToldLot.lot_id)))


def test_a_call_over_http_that_reaches_the_line_is_a_mail_within_the_minute(
    make_app: MakeApp, inbox: Inbox, stack: ExitStack
) -> None:
    """With the jobs as they are, from the button that spends the call to the mail in the box."""
    app = make_app(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="yuliang@here.test")
    Desk(app, ADMIN).post("/reminders/recipients/me")
    Desk(app, ADMIN).record_lot(5)
    worker = Worker(app)
    worker.start()
    stack.callback(worker.stop)
    operator, started = Desk(app, OPERATOR), time.monotonic()
    for person in PEOPLE[:4]:
        assert card_of(operator.verify(person.name, person.number).text) == ("match", "yes")

    inbox.wait_for(1, 60)

    assert time.monotonic() - started < 60
    assert [address for address, _mail in inbox.mails] == [ADMIN.email]


def test_the_rules_are_looked_at_every_minute_and_the_outbox_every_few_seconds() -> None:
    every = {job.name: job.every for job in JOBS}

    assert every[REVIEW_JOB] == timedelta(minutes=1)
    assert every[SEND_JOB] <= timedelta(seconds=5)
