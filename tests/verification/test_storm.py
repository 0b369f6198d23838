"""A storm at the desk: many hands, double clicks, impatient people who send again, and a web process that is killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from tests.conftest import settings_for
from tests.support.over_http import Visitor, field
from tests.support.serve import Served, serving
from tests.support.waiting import Tally
from tests.verification.calls import differences, give_up, outcomes, somebody
from webapp import create_app
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.vendor.sandbox.server import Sandbox

SEED = 20261123
EMAIL, PASSWORD = "storm@yuliang.test", "correct-horse-9"


def weather(people: int) -> list[int]:
    """Whom each submission asks about: everybody once, every ninth twice (one in ten is a double), mixed."""
    chance = random.Random(SEED)
    submissions = [*range(people), *range(0, people, 9)]
    chance.shuffle(submissions)
    return submissions


def web_processes(served: Served) -> list[int]:
    """Process ids of the web workers: the grandchildren that share the port."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    return [web for child in parents.get(served.process.pid, []) for web in parents.get(child, [])]


def patiently(ask: Callable[[], requests.Response]) -> requests.Response:
    """Asks; whose connection breaks, or who is told that the database is busy, asks the very same again."""
    for _ in range(50):
        try:
            answer = ask()
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            continue
        if answer.status_code != 503:
            return answer
    raise AssertionError("no answer after many tries")


def storm(database: str, sandbox: Sandbox, instance: Path, *, threads: int, people: int, kill_at: int | None) -> None:
    sandbox.change(latency_ms=30)
    given = {"VENDOR_URL": sandbox.url, "APPCODE": "test-appcode", "DATABASE_URL": database, "LIMITS": ""}
    app = create_app(settings_for(instance, database, VENDOR_URL=sandbox.url, APPCODE="test-appcode"))
    with serving(instance, **given, VENDOR_DEADLINE="5", WEB_WORKERS="2", WEB_THREADS="16") as served:
        admin = Visitor(served.address).log_in("admin@yuliang.test")
        tokens = {n: field(admin.get("/verify").text, "form_token") for n in range(0, people, 9)}
        done, local = Tally(), threading.local()

        def one(n: int) -> None:
            local.tab = getattr(local, "tab", None) or admin.copy()
            # A double comes with the same form; everybody else with a form of their own, half of them without a token.
            token = tokens.get(n, "")
            if n not in tokens and n % 2:
                token = field(patiently(lambda: local.tab.get("/verify")).text, "form_token")
            answer = patiently(lambda: local.tab.verify(*somebody(n), form_token=token))
            assert answer.status_code in (200, 409), answer.status_code
            done.add(1)
            if done.value == kill_at:
                os.kill(web_processes(served)[0], signal.SIGKILL)

        with ThreadPoolExecutor(threads) as hands:
            list(hands.map(one, weather(people)))
        check = requests.get(f"{served.address}/readyz", timeout=30)
        assert check.status_code == 200
    give_up(app, utc_now() + timedelta(hours=1))
    stored, counts = outcomes(app), sandbox.counts()
    charged, unknown = (sum(n for key, n in stored.items() if key[1] == billed) for billed in ("yes", "unknown"))
    assert counts.charged_twice == 0, "no question spends twice"
    assert charged <= counts.charged <= charged + unknown
    assert sum(stored.values()) == people, "every question became one verification"
    assert kill_at or (charged, unknown) == (counts.charged, 0)
    assert differences(app) == []
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.long
def test_64_hands_1000_submissions_a_tenth_of_them_doubles_and_a_killed_web_process(
    database: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    storm(database, sandbox, tmp_path / "instance", threads=64, people=900, kill_at=400)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_small_storm_with_a_killed_web_process(database: str, sandbox: Sandbox, tmp_path: Path) -> None:
    storm(database, sandbox, tmp_path / "instance", threads=16, people=54, kill_at=20)
