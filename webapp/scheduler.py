"""The jobs, and the worker that runs them: APScheduler as the clock, leases in the database as the truth.

Any number of workers may run. Time is cut into cells of each job's length; the first worker that takes the job's
lease in a cell does the work, and the lease is not due again before the next cell.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import NamedTuple

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from webapp.accounts import operations as accounts
from webapp.audit import heads
from webapp.audit.trail import SYSTEM
from webapp.configuration import rotation
from webapp.foundation import key_ring, leases
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.foundation.sealing import KeyMissing
from webapp.history import export_operations, reveal_operations, saved_operations, search_operations
from webapp.notify import sending
from webapp.notify.sending import SEND_JOB
from webapp.quota import ledger
from webapp.receipts import proving
from webapp.reconciliation import operations as reconciliation
from webapp.reminders import operations as reminders
from webapp.reminders.operations import REVIEW_JOB
from webapp.retention import purging
from webapp.verification import operations as verification
from webapp.verification import place_index, privacy, rollups, tokens
from webapp.watching import trail

log = structlog.get_logger("yuliang.worker")

LEASE = timedelta(seconds=60)
"""How long a job may take before another worker believes its holder dead."""

Work = Callable[[Instance, datetime], bool]


class Job(NamedTuple):
    """`function` does one item and returns True if there was one; it runs until there is none, every `every`."""

    name: str
    function: Work
    every: timedelta


def _lapse(instance: Instance, now: datetime) -> bool:
    with transaction():
        today = day_of(now, instance.settings.zone)
        return ledger.lapse_expired(today, now) or ledger.reinstate_valid(today, now)


def _read_counter(instance: Instance, now: datetime) -> bool:
    return reconciliation.ask_hourly(current_app.extensions["meter"], SYSTEM, instance, now)


JOBS: tuple[Job, ...] = (
    Job("seal the audit trail", trail.seal_next, timedelta(seconds=1)),
    Job("give up forgotten calls", verification.abandon_one, timedelta(seconds=5)),
    Job("fold usage", lambda instance, _now: rollups.fold(instance), timedelta(seconds=5)),
    Job("write off expired calls", _lapse, timedelta(minutes=1)),
    Job(REVIEW_JOB, reminders.review, timedelta(minutes=1)),
    Job(SEND_JOB, sending.drain, timedelta(seconds=3)),
    Job("read the vendor's counter", _read_counter, timedelta(minutes=5)),
    Job("log the audit trail's head", lambda instance, _now: heads.log_head(instance.keys), timedelta(days=1)),
    Job("forget spent forms", lambda _instance, now: tokens.forget_spent(now), timedelta(hours=1)),
    Job("forget failed log-ins", lambda instance, now: accounts.forget_failures(now), timedelta(hours=1)),
    Job("forget searches", lambda _instance, now: search_operations.forget_expired(now), timedelta(hours=1)),
    Job("index places", place_index.index_some, timedelta(minutes=1)),
    Job("prepare exports", export_operations.prepare_piece, timedelta(seconds=3)),
    Job("destroy exports", lambda _instance, now: export_operations.destroy_expired(now), timedelta(minutes=1)),
    Job("forget reveals", lambda _instance, now: reveal_operations.forget_reveals(now), timedelta(hours=1)),
    Job("rotate keys", rotation.go_on, timedelta(seconds=2)),
    Job(purging.PURGE_JOB, purging.purge_due, timedelta(minutes=1)),
    Job("forget views of who left", lambda _instance, now: saved_operations.forget_left(now), timedelta(hours=1)),
    Job("forget who was tried out", lambda _instance, now: privacy.forget_old(now), timedelta(hours=1)),
    Job("forget wrong receipts", lambda _instance, now: proving.forget_failures(now), timedelta(hours=1)),
)


def next_cell(now: datetime, every: timedelta) -> datetime:
    """When the time cell after the one of `now` begins."""
    cell = every.total_seconds()
    return datetime.fromtimestamp((now.timestamp() // cell + 1) * cell, UTC)


def run_job(app: Flask, job: Job, holder: str, clock: Callable[[], datetime] = utc_now) -> bool:
    """Runs `job` once if its lease can be had now; True if it ran. A fault is logged and kept, never raised."""
    with app.app_context():
        now = clock()
        try:
            key_ring.heed()  # who lacks a key takes no turn from those who hold it
            if not leases.take(job.name, holder, now, LEASE, job.every):
                return False
            error = _work(job, now, clock)
            ended = clock()  # earlier than `now` where the clock was set back meanwhile
            leases.give_back(job.name, holder, ended, next_cell(min(now, ended), job.every), error)
        except KeyMissing as fault:
            log.error("this machine lacks a key: it does no work", what=str(fault))
            leases.tell_lacking(socket.gethostname(), str(fault), now)
            return False
        except SQLAlchemyError as fault:
            log.error("job could not reach the database", job=job.name, kind=type(fault).__name__)
            return False
        finally:
            db.session.remove()
        return True


def _work(job: Job, started: datetime, clock: Callable[[], datetime]) -> str | None:
    try:
        while job.function(this_instance(), clock()):
            key_ring.heed()
            if abs(clock() - started) > LEASE / 2:
                break  # the rest comes in the next cell, before anyone believes us dead; so where the clock was set
    except Exception as fault:  # one job's fault must not stop the others; it is logged and shown
        db.session.rollback()
        log.error("job failed", job=job.name, exc_info=fault)
        return type(fault).__name__
    return None


def holder_name() -> str:
    """A name for this process among all workers."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"


class Worker:
    """One process's clock over all jobs; `run` blocks until SIGTERM or SIGINT."""

    def __init__(self, app: Flask, jobs: tuple[Job, ...] = JOBS) -> None:
        from webapp.clockwork import Clockwork  # here: the pages are up before APScheduler is loaded

        self._app = app
        self.holder = holder_name()
        self._scheduler = Clockwork(self._clock_was_set)
        for job in jobs:
            self._scheduler.add_job(
                run_job, "interval", args=(app, job, self.holder), seconds=job.every.total_seconds(), id=job.name,
                max_instances=1, coalesce=True, misfire_grace_time=None, next_run_time=datetime.now(UTC),
            )  # fmt: skip

    def start(self) -> None:
        """Starts the clock in a thread."""
        self._scheduler.start()

    def stop(self) -> None:
        """Lets running jobs end, and mails that are under way, and gives all leases back."""
        with sending.stopped(self._app):
            self._scheduler.shutdown(wait=True)
        self._write("leases were not given back", lambda: leases.forget_holder(self.holder))

    def _clock_was_set(self) -> None:
        log.warning("the machine's clock was set: all jobs run anew")
        self._write("leases keep the times of another clock", leases.all_due)

    def _write(self, otherwise: str, write: Callable[[], None]) -> None:
        """What the leases have to be told; `otherwise`: what to log where the database is away."""
        with self._app.app_context():
            try:
                write()
            except SQLAlchemyError as fault:
                log.warning(otherwise, kind=type(fault).__name__)
            finally:
                db.session.remove()

    def run(self) -> None:
        """Works until the process is told to stop."""
        signals = {signal.SIGTERM, signal.SIGINT}
        for number in signals:
            signal.signal(number, _nothing)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self.start()
        log.info("worker started", holder=self.holder)
        signal.sigwait(signals)
        self.stop()
        log.info("worker stopped", holder=self.holder)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A signal handler: the signal is waited for."""
