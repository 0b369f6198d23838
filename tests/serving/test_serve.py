"""`yuliang serve` as people start it: it answers, keeps its parts alive, and stops without losing anything."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from tests.serving.processes import alive, children, descendants
from tests.serving.visiting import Visitor
from tests.support.cast import OPERATOR, card_of
from tests.support.serve import Served, serving
from tests.support.waiting import until
from tests.vendor.scripted import MATCH, ScriptedVendor, Turn, silence
from tests.verification.calls import buy, differences, lot_figures, outcomes, somebody
from webapp.foundation.database import db
from webapp.foundation.leases import Lease
from webapp.scheduler import JOBS

ONE_EACH = {"WEB_WORKERS": "1", "WEB_THREADS": "4", "APPCODE": "test", "LIMITS": ""}


@pytest.mark.parametrize(
    ("database", "told"), [("sqlite", signal.SIGTERM), ("postgresql", signal.SIGINT)], indirect=["database"]
)
def test_a_stop_lets_the_call_in_flight_finish(app: Flask, database: str, tmp_path: Path, told: signal.Signals) -> None:
    called, answer = threading.Event(), threading.Event()

    def vendor_answers(turn: Turn) -> bool:
        called.set()
        assert answer.wait(30)
        turn.send(MATCH)
        return True

    lot = buy(app, 10)
    pages: list[tuple[int, str]] = []
    with (
        ScriptedVendor(vendor_answers) as vendor,
        serving(tmp_path / "instance", DATABASE_URL=database, VENDOR_URL=vendor.url, **ONE_EACH) as served,
    ):
        visitor = Visitor(served.address)
        visitor.log_in(OPERATOR)
        family = [served.process.pid, *descendants(served.process.pid)]
        assert len(family) == 4, "supervisor, worker, web and its one worker"
        sending = threading.Thread(target=lambda: pages.append(visitor.submit(somebody(1))))
        sending.start()
        assert called.wait(30)

        served.process.send_signal(told)
        until(lambda: "Handling signal: term" in served.logged, "the web has heard of it")
        assert served.process.poll() is None, "it waits for the call"
        answer.set()

        assert served.process.wait(60) == 0
        sending.join(30)
        until(lambda: not any(alive(pid) for pid in family), "nobody is left")
        assert_free(served)
    assert pages == [(303, "/verifications/1")]
    assert outcomes(app) == {("match", "yes", None): 1}
    assert lot_figures(app, lot) == (9, 0, 1)
    assert differences(app) == []
    with app.app_context():
        assert [lease.until for lease in db.session.scalars(select(Lease))] == [None] * len(JOBS), "given back"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stop_during_a_call_that_is_never_answered_records_it_as_unknown(
    app: Flask, database: str, tmp_path: Path
) -> None:
    lot = buy(app, 10)
    more = ONE_EACH | {"VENDOR_CONNECT_TIMEOUT": "1", "VENDOR_READ_TIMEOUT": "1", "VENDOR_DEADLINE": "2"}
    with (
        ScriptedVendor(silence) as vendor,
        serving(tmp_path / "instance", DATABASE_URL=database, VENDOR_URL=vendor.url, **more) as served,
    ):
        visitor = Visitor(served.address)
        visitor.log_in(OPERATOR)
        sending = threading.Thread(target=lambda: visitor.submit(somebody(1)))
        sending.start()
        until(lambda: vendor.received, "the vendor has the call")

        served.process.send_signal(signal.SIGTERM)

        assert served.process.wait(60) == 0
        sending.join(30)
    assert outcomes(app) == {("unknown", "unknown", "no_answer"): 1}
    assert lot_figures(app, lot) == (9, 1, 0)
    assert differences(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_killed_is_started_again_and_nothing_outlives_the_supervisor(
    app: Flask, database: str, tmp_path: Path
) -> None:
    with serving(tmp_path / "instance", DATABASE_URL=database, **ONE_EACH) as served:
        supervisor = served.process.pid
        sandbox, worker, web = until(lambda: three(supervisor), "all three parts run")
        visitor = Visitor(served.address)
        visitor.log_in(OPERATOR)
        assert card_of(visitor.verify(somebody(1))[1]) == ("no_such_number", "yes")

        for part in (worker, web, sandbox):
            os.kill(part, signal.SIGKILL)
            until(partial(replaced, part, supervisor), "it is started again")
        until(served.ready, "it answers again")

        until(lambda: works(app, children(supervisor)), "the new worker does the jobs")
        until(lambda: visitor.verify(somebody(2))[0] == 200, "the new web serves")
        assert card_of(visitor.verify(somebody(3))[1]) == ("no_such_number", "yes")
        assert "is started again" in served.logged
        assert differences(app) == []

        family = descendants(supervisor)
        os.kill(supervisor, signal.SIGKILL)
        served.process.wait(30)
        until(lambda: not any(alive(pid) for pid in family), "the parts go with it")
        assert_free(served)


def three(supervisor: int) -> list[int]:
    found = children(supervisor)
    return found if len(found) == 3 else []


def replaced(part: int, supervisor: int) -> bool:
    return part not in children(supervisor) and bool(three(supervisor))


def works(app: Flask, family: list[int]) -> bool:
    """Whether one of the family's processes has held a lease last."""
    with app.app_context():
        db.session.rollback()
        holders = {lease.holder for lease in db.session.scalars(select(Lease))}
    return any(f":{pid}:" in (holder or "") for holder in holders for pid in family)


def assert_free(served: Served) -> None:
    """The port can be listened on again."""
    where = urlsplit(served.address)
    with socket.create_server((str(where.hostname), where.port or 0)):
        pass


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_second_server_beside_the_first_takes_nothing_from_it(app: Flask, database: str, tmp_path: Path) -> None:
    with serving(tmp_path / "instance", DATABASE_URL=database, **ONE_EACH) as first:
        with serving(tmp_path / "instance", DATABASE_URL=database, **ONE_EACH) as second:
            until(second.ready, "the second serves too")
        visitor = Visitor(first.address)
        visitor.log_in(OPERATOR)

        assert card_of(visitor.verify(somebody(1))[1]) == ("no_such_number", "yes")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_connection_stands_after_a_body_that_was_not_wanted(app: Flask, database: str, tmp_path: Path) -> None:
    with serving(tmp_path / "instance", DATABASE_URL=database, **ONE_EACH) as served:
        until(served.ready, "it serves")
        connection = http.client.HTTPConnection(urlsplit(served.address).netloc, timeout=30)
        for path, size, status in (("/login", 20_000_000, 413), ("/nowhere", 3_000_000, 404)):
            connection.request("POST", path, b"x" * size, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() is not None
        connection.close()
