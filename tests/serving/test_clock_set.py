"""The machine's clock is set, back or ahead: every job keeps its interval, and nobody is told that no worker runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask

from tests.support.cast import NOW
from tests.support.waiting import Tally, until
from webapp.foundation import leases
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import Instance, this_instance
from webapp.reminders import health
from webapp.scheduler import JOBS, Job, Worker, run_job

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
STEPS = (-8 * HOUR, -HOUR / 2, 8 * HOUR, 56 * 365 * DAY)
"""The last is a machine that starts in 1970 and then learns what year it is."""


@pytest.fixture
def clock_set() -> Iterator[Callable[[timedelta], None]]:
    """Sets the machine's clock by so much; right again when the test is over."""
    travels: list[time_machine.travel] = []

    def move(step: timedelta) -> None:
        then = utc_now() + step
        for travel in travels:
            travel.stop()
        travels[:] = [time_machine.travel(then, tick=True)]
        travels[0].start()

    yield move
    for travel in travels:
        travel.stop()


def at(moments: list[datetime]) -> Callable[[], datetime]:
    return lambda: moments.pop(0) if len(moments) > 1 else moments[0]


def counting(name: str, every: timedelta, done: Tally) -> Job:
    def work(_instance: Instance, _now: datetime) -> bool:
        done.add(1)
        return False

    return Job(name, work, every)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_every_job_goes_on_within_seconds_when_the_clock_is_set(
    app: Flask, clock_set: Callable[[timedelta], None], step: timedelta
) -> None:
    often, seldom = Tally(), Tally()
    clock_set(timedelta())
    worker = Worker(app, (counting("often", SECOND, often), counting("seldom", HOUR, seldom)))
    worker.start()
    try:
        until(lambda: often.value >= 2 and seldom.value == 1, "both run")
        clock_set(step)
        before = often.value
        until(lambda: often.value >= before + 3, "the frequent one keeps its second", 15)
        until(lambda: seldom.value >= 2, "the other one does not wait for hours", 15)
        assert seldom.value == 2, "once, and then keeps its hour"
    finally:
        worker.stop()


def test_the_clock_goes_on_whatever_fails_when_it_was_set(
    app: Flask, clock_set: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, told = Tally(), Tally()

    def fail(_worker: Worker) -> None:
        told.add(1)
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "_clock_was_set", fail)
    clock_set(timedelta())
    worker = Worker(app, (counting("seldom", HOUR, done),))
    worker.start()
    try:
        until(lambda: done.value == 1, "it runs")
        clock_set(-8 * HOUR)
        until(lambda: told.value == 1, "the clock was seen to be set", 15)
        with app.app_context():
            leases.all_due()
            db.session.remove()
        clock_set(8 * HOUR)
        until(lambda: done.value >= 2, "the clock goes on", 15)
    finally:
        worker.stop()


@pytest.mark.parametrize("step", [-8 * HOUR, 8 * HOUR], ids=str)
def test_no_job_of_the_product_stands_still_and_no_page_says_that_no_worker_runs(
    app: Flask, clock_set: Callable[[timedelta], None], step: timedelta
) -> None:
    clock_set(timedelta())
    worker = Worker(app)
    worker.start()
    try:
        until(lambda: len(fresh(app)) == len(JOBS), "every job ran once")
        clock_set(step)
        until(lambda: len(fresh(app)) == len(JOBS), "every job ran again by the clock that is right now")
        assert about_the_worker(app) == []
        assert app.test_client().get("/readyz").json["checks"]["worker"]["ok"]  # type: ignore[index]
    finally:
        worker.stop()


def fresh(app: Flask) -> list[str]:
    """Jobs that ended within the minute, by the present clock."""
    with app.app_context():
        now = utc_now()
        found = [
            one.name for one in leases.all_leases() if one.finished_at and abs(now - one.finished_at) < 60 * SECOND
        ]
        db.session.remove()
    return found


def about_the_worker(app: Flask) -> list[str]:
    with app.app_context(), app.test_request_context(headers={"Accept-Language": "en"}):
        found = [one.text for one in health.faults(this_instance(), utc_now()) if one.level == "danger"]
        db.session.remove()
    return found


def test_a_job_in_whose_midst_the_clock_is_set_back_is_due_by_the_clock_that_is_right(app: Flask) -> None:
    job = counting("slow", 60 * SECOND, Tally())

    assert run_job(app, job, "a", at([NOW + 40 * SECOND, NOW + 40 * SECOND, NOW]))

    assert run_job(app, job, "a", at([NOW + 60 * SECOND]))


def test_a_job_with_much_to_do_ends_its_run_when_the_clock_is_set_back_meanwhile(app: Flask) -> None:
    done = Tally()

    def work(_instance: Instance, _now: datetime) -> bool:
        done.add(1)
        return done.value < 100

    assert run_job(app, Job("endless", work, SECOND), "a", at([NOW, NOW, NOW - 8 * HOUR]))

    assert done.value == 1, "nobody knows how long it has run: the rest comes with the next run"
