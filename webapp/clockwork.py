"""The clock over the jobs: APScheduler, which goes on when the machine's clock is set.

APScheduler plans by the wall clock. Were that set back by hours, each job would wait as much longer; were it set ahead
by years, each run that was missed would be counted. So the wall clock is compared with the steady one each second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from webapp.foundation.clock import utc_now

log = structlog.get_logger("yuliang.worker")

LOOK_SECONDS = 1.0
"""How soon it is seen at the latest that the clock was set."""
PARTED_SECONDS = 2.0
"""Less is a clock that is being drawn level: no job waits noticeably longer by it."""


class Clockwork(BackgroundScheduler):  # type: ignore[misc]  # untyped
    """Runs jobs at their intervals. Where the clock was set (or the machine slept), `clock_was_set` is called, in this
    clock's own thread, and all jobs run at once: nobody knows when they ran last."""

    def __init__(self, clock_was_set: Callable[[], None]) -> None:
        super().__init__(timezone=UTC)
        self._clock_was_set, self._lead = clock_was_set, _lead()

    def _process_jobs(self) -> float:
        try:
            return self._look()
        except Exception as fault:  # else this clock's thread would end, and no job would run any more
            log.error("jobs could not be started", exc_info=fault)
            return LOOK_SECONDS

    def _look(self) -> float:
        lead = _lead()
        if abs(lead - self._lead) > PARTED_SECONDS:
            self._lead = lead
            self._tell()
            for job in self.get_jobs():
                self.modify_job(job.id, next_run_time=utc_now())
        wait: float | None = super()._process_jobs()
        return LOOK_SECONDS if wait is None else min(wait, LOOK_SECONDS)

    def _tell(self) -> None:
        try:
            self._clock_was_set()
        except Exception as fault:  # whatever it is, the clock over all jobs must go on
            log.error("the clock was set, and not all could be told", exc_info=fault)


def _lead() -> float:
    """By how many seconds the wall clock is ahead of the steady one, which nobody sets."""
    return utc_now().timestamp() - time.monotonic()
