"""A storm at the desk: many hands, double clicks, impatient people who send again, and a web process that is killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from tests.conftest import settings_for
from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, Member
from tests.support.over_http import Visitor, field, visit
from tests.support.serve import Served, serving
from tests.support.waiting import Tally
from tests.verification.calls import differences, give_up, somebody
from tests.verification.test_reuse import terms
from webapp import create_app
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import identities
from webapp.verification.models import Verification

SEED = 20261123
WEB_THREADS = 16
"""Of each of two web processes."""


class Double(StrEnum):
    """How a question comes twice."""

    FORM = "the same form"
    FORMS = "two forms of one operator"
    OPERATORS = "two operators"
    PURPOSES = "two purposes"
    """Two questions, then: each may be asked once."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Whom it asks about, by which of two operators, and for which purpose; `with_form`: it brings a form's token."""

    person: int
    double: Double | None
    second: bool = False

    @property
    def by(self) -> Member:
        return COLLEAGUE if self.second and self.double is Double.OPERATORS else OPERATOR

    @property
    def purpose(self) -> str:
        return "2" if self.second and self.double is Double.PURPOSES else "1"

    @property
    def with_form(self) -> bool:
        return self.double is not None or self.person % 2 == 0


def weather(people: int) -> list[Submission]:
    """Everybody once, every ninth twice (one in ten is a double), in every way in turn, mixed."""
    doubles = {n: list(Double)[n // 9 % len(Double)] for n in range(0, people, 9)}
    once = [Submission(n, doubles.get(n)) for n in range(people)]
    twice = [Submission(n, double, second=True) for n, double in doubles.items()]
    submissions = [*once, *twice]
    random.Random(SEED).shuffle(submissions)
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


class Hands:
    """Those who submit: each thread has tabs of its own for either operator."""

    def __init__(self, address: str, shared_forms: dict[int, str]) -> None:
        self.visitors = {member: visit(address, member) for member in (OPERATOR, COLLEAGUE)}
        self.shared_forms = shared_forms
        self.local = threading.local()

    def tab(self, member: Member) -> Visitor:
        self.local.tabs = getattr(self.local, "tabs", None) or {one: v.copy() for one, v in self.visitors.items()}
        tabs: dict[Member, Visitor] = self.local.tabs
        return tabs[member]

    def submit(self, submission: Submission) -> None:
        """Sends it. Whoever hears that another question about the person is under way asks again; after the kill that
        can last."""
        for _ in range(20 if submission.double is Double.PURPOSES else 1):
            token, tab = self.token(submission), self.tab(submission.by)
            fields = {"form_token": token, "purpose": submission.purpose}
            answer = patiently(lambda: tab.verify(*somebody(submission.person), **fields))  # noqa: B023  # asked at once
            assert answer.status_code in (200, 409), answer.status_code
            if answer.status_code == 200:
                return

    def token(self, submission: Submission) -> str:
        if submission.double is Double.FORM:
            return self.shared_forms[submission.person]
        tab = self.tab(submission.by)
        return field(patiently(lambda: tab.get("/verify")).text, "form_token") if submission.with_form else ""


def storm(database: str, sandbox: Sandbox, instance: Path, *, threads: int, people: int, kill_at: int | None) -> None:
    sandbox.change(latency_ms=30)
    given = {"VENDOR_URL": sandbox.url, "APPCODE": "test-appcode", "DATABASE_URL": database, "LIMITS": ""}
    app = create_app(settings_for(instance, database, VENDOR_URL=sandbox.url, APPCODE="test-appcode"))
    submissions, done = weather(people), Tally()
    with serving(instance, **given, VENDOR_DEADLINE="5", WEB_WORKERS="2", WEB_THREADS=str(WEB_THREADS)) as served:
        visit(served.address, ADMIN).post("/settings/purposes/new", terms(name_zh="另一用途", name_en="Another"))
        operator = visit(served.address, OPERATOR)
        shared = {one.person for one in submissions if one.double is Double.FORM}
        hands = Hands(served.address, {n: field(operator.get("/verify").text, "form_token") for n in shared})

        def one(submission: Submission) -> None:
            hands.submit(submission)
            done.add(1)
            if done.value == kill_at:
                os.kill(web_processes(served)[0], signal.SIGKILL)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, submissions))
        check = requests.get(f"{served.address}/readyz", timeout=30)
        assert check.status_code == 200
    give_up(app, utc_now() + timedelta(hours=1))
    charged, unknown = both_sides_agree(app, sandbox, submissions, killed=kill_at is not None)
    assert charged == sandbox.counts().charged, "every call that the vendor charged has its verification"
    assert unknown <= (WEB_THREADS if kill_at else 0), "unknown is only what was under way in the killed process"
    assert differences(app) == []
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def both_sides_agree(
    app: Flask, sandbox: Sandbox, submissions: list[Submission], *, killed: bool
) -> tuple[int, int]:  # fmt: skip
    """Person by person: each question became one verification, and the vendor charged what our books say. Returns how
    many calls the vendor charged, and how many are unknown to us."""
    rows, asked = people_in(app), dict[tuple[str, str], set[int]]()
    for one in submissions:
        asked.setdefault(somebody(one.person), set()).add(int(one.purpose))
    assert rows.keys() == asked.keys(), "everybody was asked about"
    charged = unknown = 0
    for person, purposes in asked.items():
        verified = [row.purpose_id for row in rows[person]]
        assert len(verified) == len(set(verified)), "no question became two verifications"
        assert set(verified) == purposes or (killed and set(verified) < purposes), f"{verified} of {purposes}"
        certain, open_ones = (sum(row.billed == billed for row in rows[person]) for billed in ("yes", "unknown"))
        vendors = sandbox.calls(*person).charged
        assert certain <= vendors <= certain + open_ones, "what is known to us is so at the vendor's, to the call"
        charged, unknown = charged + vendors, unknown + open_ones
    return charged, unknown


def people_in(app: Flask) -> dict[tuple[str, str], list[Verification]]:
    """The verifications of each person."""
    rows: dict[tuple[str, str], list[Verification]] = {}
    with app.app_context():
        for row in db.session.scalars(select(Verification)):
            person = identities.open_person(row.id, this_instance().sealer)
            assert person is not None
            rows.setdefault((person.name, person.number), []).append(row)
    return rows


def test_every_way_of_a_double_is_in_the_weather() -> None:
    submissions = weather(900)

    assert len(submissions) == 1000
    for double in Double:
        assert sum(one.double is double and one.second for one in submissions) == 25


@pytest.mark.long
def test_64_hands_1000_submissions_a_tenth_of_them_doubles_and_a_killed_web_process(
    database: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    storm(database, sandbox, tmp_path / "instance", threads=64, people=900, kill_at=400)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_small_storm_with_a_killed_web_process(database: str, sandbox: Sandbox, tmp_path: Path) -> None:
    storm(database, sandbox, tmp_path / "instance", threads=16, people=54, kill_at=20)
