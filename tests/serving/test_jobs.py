"""Jobs: any number of workers run, each job is done once when it is due, and no fault stops the others."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.cast import NOW
from tests.support.waiting import Tally, together, until
from webapp.foundation import leases
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.leases import Lease
from webapp.scheduler import JOBS, LEASE, Job, Worker, next_cell, run_job

ROOT = Path(__file__).parents[2]
EVERY = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def counting(tally: Tally, name: str = "count", every: timedelta = EVERY) -> Job:
    """A job that counts how often it was done."""

    def work(_instance: Instance, _now: datetime) -> bool:
        tally.add(1)
        return False

    return Job(name, work, every)


def lease_of(app: Flask, name: str = "count") -> Lease:
    with app.app_context():
        return db.session.scalars(select(Lease).where(Lease.name == name)).one()


def test_a_job_is_done_once_in_each_cell_however_many_ask(app: Flask) -> None:
    done, job = Tally(), counting(Tally())
    job = counting(done)
    for cell in range(4):
        moment = NOW + cell * EVERY
        ran = Tally()

        def ask(n: int, moment: datetime = moment, ran: Tally = ran) -> None:
            if run_job(app, job, f"worker {n}", at(moment + n * SECOND / 4)):
                ran.add(1)

        together(*(lambda n=n, ask=ask: ask(n) for n in range(12)))

        assert (ran.value, done.value) == (1, cell + 1)


def test_a_job_is_due_again_with_the_next_cell_and_not_before(app: Flask) -> None:
    done = Tally()
    job = counting(done)
    assert run_job(app, job, "a", at(NOW + 4 * SECOND))

    assert not run_job(app, job, "b", at(NOW + 4.999 * SECOND))
    assert run_job(app, job, "b", at(NOW + EVERY))
    assert done.value == 2


@settings(max_examples=100)
@given(st.integers(946_684_800_000_000, 4_102_444_800_000_000), st.sampled_from([1, 3, 5, 60, 3600]))
def test_cells_follow_each_other_without_gaps(microseconds: int, seconds: int) -> None:
    moment, every = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds), timedelta(seconds=seconds)

    following = next_cell(moment, every)

    assert timedelta(0) < following - moment <= every
    assert next_cell(following, every) - following == every
    assert next_cell(following - timedelta(microseconds=1), every) == following


def test_the_lease_of_a_dead_worker_is_taken_over_when_it_ends(app: Flask) -> None:
    done = Tally()
    job = counting(done)
    with app.app_context():
        assert leases.take(job.name, "dead", NOW, LEASE, job.every)

    assert not run_job(app, job, "heir", at(NOW + LEASE - SECOND))
    assert run_job(app, job, "heir", at(NOW + LEASE))

    assert done.value == 1


def test_a_worker_thought_dead_does_not_end_the_lease_of_its_heir(app: Flask) -> None:
    with app.app_context():
        assert leases.take("count", "slow", NOW, LEASE, EVERY)
        assert leases.take("count", "heir", NOW + LEASE, LEASE, EVERY)

        assert not leases.give_back("count", "slow", NOW + LEASE + SECOND, NOW + 10 * LEASE)

        assert not leases.take("count", "third", NOW + LEASE + 2 * SECOND, LEASE, EVERY)
        assert leases.give_back("count", "heir", NOW + LEASE + 3 * SECOND, NOW + 2 * LEASE)


def test_of_many_who_want_a_lease_at_once_one_gets_it(app: Flask) -> None:
    got = Tally()

    def take(holder: str) -> None:
        with app.app_context():
            if leases.take("once", holder, NOW, LEASE, EVERY):
                got.add(1)

    together(*(lambda n=n: take(f"worker {n}") for n in range(16)))

    assert got.value == 1


def test_a_worker_that_stops_leaves_its_leases_to_the_others(app: Flask) -> None:
    with app.app_context():
        leases.take("one", "stopping", NOW, LEASE, EVERY)
        leases.take("two", "staying", NOW, LEASE, EVERY)

        leases.forget_holder("stopping")

        assert leases.take("one", "next", NOW + SECOND, LEASE, EVERY)
        assert not leases.take("two", "next", NOW + SECOND, LEASE, EVERY)


def test_a_job_works_until_there_is_nothing_left(app: Flask) -> None:
    left = [3, 2, 1]

    def work(_instance: Instance, _now: datetime) -> bool:
        return bool(left and left.pop())

    assert run_job(app, Job("drain", work, EVERY), "a", at(NOW))

    assert left == []


def test_a_job_with_too_much_to_do_stops_before_anyone_believes_it_dead(app: Flask) -> None:
    moment, done = [NOW], Tally()

    def work(_instance: Instance, _now: datetime) -> bool:
        done.add(1)
        moment[0] += 10 * SECOND
        return True

    assert run_job(app, Job("endless", work, EVERY), "a", lambda: moment[0])

    assert done.value == 4
    assert moment[0] - NOW < LEASE
    assert lease_of(app, "endless").until is None


def test_a_failing_job_is_noted_and_tried_again_in_the_next_cell(app: Flask) -> None:
    tries = Tally()

    def work(_instance: Instance, _now: datetime) -> bool:
        tries.add(1)
        raise ZeroDivisionError("a person's name")

    job = Job("fails", work, EVERY)
    assert run_job(app, job, "a", at(NOW))
    assert lease_of(app, "fails").error == "ZeroDivisionError"
    assert not run_job(app, job, "b", at(NOW + SECOND))
    assert run_job(app, job, "b", at(NOW + EVERY))

    assert tries.value == 2
    healthy = counting(Tally(), "fails")
    assert run_job(app, healthy, "a", at(NOW + 2 * EVERY))
    assert lease_of(app, "fails").error is None


def test_a_job_that_fails_in_the_middle_of_a_write_leaves_nothing_of_it_behind(app: Flask) -> None:
    def work(_instance: Instance, now: datetime) -> bool:
        leases.take("half-done", "a", now, LEASE, EVERY)
        db.session.connection()
        raise ZeroDivisionError

    assert run_job(app, Job("fails", work, EVERY), "a", at(NOW))
    assert run_job(app, counting(done := Tally()), "a", at(NOW)), "the thread's connection is free again"
    assert done.value == 1


def test_a_running_worker_goes_on_with_its_other_jobs_when_one_fails(app: Flask) -> None:
    done, failed = Tally(), Tally()

    def fail(_instance: Instance, _now: datetime) -> bool:
        failed.add(1)
        raise ZeroDivisionError

    worker = Worker(app, (Job("fails", fail, SECOND), counting(done, every=SECOND)))
    worker.start()
    until(lambda: done.value >= 2 and failed.value >= 2, "both jobs ran twice")
    worker.stop()

    assert lease_of(app, "fails").error == "ZeroDivisionError"
    assert lease_of(app).error is None
    assert (lease_of(app, "fails").until, lease_of(app).until) == (None, None)


def test_stopping_a_worker_waits_for_the_job_in_hand(app: Flask) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work(_instance: Instance, _now: datetime) -> bool:
        begun.set()
        go_on.wait(30)
        ended.set()
        return False

    worker = Worker(app, (Job("slow", work, SECOND),))
    worker.start()
    assert begun.wait(30)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    assert not ended.is_set()
    go_on.set()
    stopping.join(30)

    assert ended.is_set()
    assert lease_of(app, "slow").finished_at is not None


def test_every_job_of_the_product_runs_on_an_empty_database(app: Flask) -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert run_job(app, job, "me", at(NOW)), job.name
        assert lease_of(app, job.name).error is None


@pytest.fixture(scope="module")
def workers() -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes of `worker_child`, ready."""
    command = [sys.executable, "-m", "tests.serving.worker_child"]
    with ExitStack() as stack:
        begun = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for process in begun:
            stack.enter_context(process)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield begun
        for process in begun:
            assert process.stdin is not None
            process.stdin.close()


def test_of_several_processes_one_does_a_job_in_each_cell(
    app: Flask, database: str, tmp_path: Path, workers: list[subprocess.Popen[str]]
) -> None:
    environ = {"YULIANG_INSTANCE": str(tmp_path / "instance"), "YULIANG_DATABASE_URL": database}
    for cell in range(20):
        order = json.dumps({"environ": environ, "moment": (NOW + cell * EVERY).isoformat()})
        for process in workers:
            print(order, file=process.stdin, flush=True)
        ran = [process.stdout.readline() for process in workers]  # type: ignore[union-attr]
        assert sorted(ran) == ["False\n", "True\n"]
