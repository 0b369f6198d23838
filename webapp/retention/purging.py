"""The purge: each night, class by class, batch by batch, until nothing is older than it may be.

A run of a class is a row. Each batch destroys its rows, moves the run on and says so in one transaction, a few batches
in each: a process that is killed leaves what it had committed, and whoever comes next goes on behind it. Two at once
wait for each other at the run's row. The trail tells that a run began to destroy, and what it came to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select

from webapp.audit.proof import NotSound
from webapp.audit.trail import SYSTEM, Action, Who, append
from webapp.foundation.clock import day_of
from webapp.foundation.database import db, empty_log, must_write, transaction
from webapp.foundation.instance import Instance
from webapp.notify import notices
from webapp.retention import batches, copies, periods
from webapp.retention.batches import Batch, Place
from webapp.retention.models import PurgeRun
from webapp.retention.rules import Kind, is_due

PURGE_JOB = "purge what is old"
NOT_SOUND = "not_sound"
LEFT_TOLD = "admin", "auditor"
LATE = timedelta(days=2)
"""After which a purge is overdue: there is one each night."""
LONGEST = 0.05
"""Seconds after which a transaction begins no further batch: nobody else writes to an SQLite file meanwhile."""
LONGEST_PAUSE = 0.5
"""Seconds, at most, that others get after each transaction: as long as it took."""

BATCHES: Mapping[Kind, Callable[[Place, Instance, datetime], Batch]] = {
    Kind.IDENTITY: batches.identities_batch,
    Kind.FACTS: batches.facts_batch,
    Kind.OUTBOX: batches.messages_batch,
    Kind.VIEWS: batches.views_batch,
    Kind.AUDIT: batches.audit_batch,
}


def purge_due(instance: Instance, now: datetime) -> bool:
    """Does one transaction of tonight's purge, and removes copies that are too old; False: all is done."""
    copies.remove_old(now)
    return any(_go_on(kind, instance, now) or _begin_due(kind, instance, now) for kind in BATCHES)


def purge_now(who: Who, instance: Instance, clock: Callable[[], datetime]) -> list[PurgeRun]:
    """Purges every class to its end, whatever the hour, and returns what each came to."""
    done = []
    for kind in BATCHES:
        while _go_on(kind, instance, clock()):  # what somebody else began, with the edge of its day
            pass
        if _begin(kind, who, instance, clock()):
            while _go_on(kind, instance, clock()):
                pass
            newest = last_run(kind)
            done += [newest] if newest else []
    return done


def last_run(kind: Kind) -> PurgeRun | None:
    """The newest run of a class."""
    newest = select(PurgeRun).where(PurgeRun.kind == kind).order_by(PurgeRun.id.desc()).limit(1)
    return db.session.scalar(newest.execution_options(populate_existing=True))


def last_effect(kind: Kind) -> PurgeRun | None:
    """The newest run of a class that destroyed something."""
    newest = select(PurgeRun).where(PurgeRun.kind == kind, PurgeRun.removed > 0).order_by(PurgeRun.id.desc()).limit(1)
    return db.session.scalar(newest.execution_options(populate_existing=True))


def edge(kind: Kind) -> datetime | None:
    """Up to when runs of a class have destroyed what was old; None: none ever destroyed anything. A period that was
    made longer, or a clock that was set back, gives later runs an earlier edge: what an earlier one took is gone."""
    return db.session.scalar(select(func.max(PurgeRun.before)).where(PurgeRun.kind == kind, PurgeRun.removed > 0))


def overdue(instance: Instance, now: datetime) -> list[Kind]:
    """The classes that end and whose newest purge began too long ago: no worker begins another, or that one does not
    end."""
    kinds = (kind for kind in BATCHES if periods.period(kind, instance).ends)
    return [kind for kind in kinds if (last := last_run(kind)) and last.started_at < now - LATE]


def _begin_due(kind: Kind, instance: Instance, now: datetime) -> bool:
    last = last_run(kind)
    due = is_due(last.started_at if last else None, now, instance.settings.zone)
    return due and _begin(kind, SYSTEM, instance, now)


def _begin(kind: Kind, who: Who, instance: Instance, now: datetime) -> bool:
    """Stores a new run; False where the class is kept for ever."""
    before = periods.period(kind, instance).before(now, instance.settings.zone)
    if before is None:
        return False
    with transaction() as session:
        idle = PurgeRun.kind == kind, PurgeRun.finished_at.is_not(None), PurgeRun.removed == 0, PurgeRun.fault == ""
        session.execute(delete(PurgeRun).where(*idle))  # a row for each quiet night would tell nothing
        session.add(PurgeRun(kind=kind, started_at=now, before=before, actor_id=who.user_id))
    return True


def _go_on(kind: Kind, instance: Instance, now: datetime) -> bool:
    """Does the next batches of an unfinished run, and lets others write for as long; False where there is none."""
    if db.session.scalar(_unfinished(kind)) is None:
        return False
    began = time.monotonic()
    with transaction() as session:
        run_id = session.scalar(_unfinished(kind).with_for_update())
        if run_id is None:  # another worker has just ended it
            return False
        session.get_one(PurgeRun, run_id, populate_existing=True)
        while _next(run_id, instance, now) and time.monotonic() - began < LONGEST:
            pass
        run = session.get_one(PurgeRun, run_id)
        is_over = run.finished_at is not None and run.removed > 0
    if is_over:
        empty_log()
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))
    return True


def _next(run_id: int, instance: Instance, now: datetime) -> bool:
    """Does one batch in the caller's transaction; False where the run is at its end."""
    run = must_write().get_one(PurgeRun, run_id)
    try:
        batch = _batch(run, instance, now)
    except NotSound as fault:
        _give_up(run, fault, now, instance)
        return False
    run = must_write().get_one(PurgeRun, run_id)  # a batch may have let go of all that was loaded
    _take(run, batch, instance, now)
    return batch.more


def _batch(run: PurgeRun, instance: Instance, now: datetime) -> Batch:
    """The run's next batch. Where the class has come to be kept longer since the run began, that counts already."""
    before = periods.period(run.kind, instance).before(now, instance.settings.zone)
    if before is None:
        return Batch(run.position, 0, more=False)
    return BATCHES[run.kind](Place(min(run.before, before), run.position), instance, now)


def _take(run: PurgeRun, batch: Batch, instance: Instance, now: datetime) -> None:
    """Moves a run on by what a batch came to, and records its first effect and its end."""
    if batch.removed and not run.removed:
        append(SYSTEM, Action.PURGE_BEGUN, now, on=("purge", run.id), kind=run.kind, before=run.before.isoformat())
    run.position, run.removed, run.spared = batch.position, run.removed + batch.removed, run.spared + batch.spared
    if not batch.more:
        run.finished_at = now
        if run.kind == Kind.AUDIT and run.spared:
            day = day_of(now, instance.settings.zone).isoformat()
            for role in LEFT_TOLD:
                notices.tell(role, "purge_left", f"purge_left:{role}:{run.id}", now, day=day, records=run.spared)
        if run.removed:
            append(SYSTEM, Action.PURGE_DONE, now, on=("purge", run.id), kind=run.kind, removed=run.removed,
                   spared=run.spared)  # fmt: skip
    must_write().flush()


def _give_up(run: PurgeRun, fault: NotSound, now: datetime, instance: Instance) -> None:
    """Ends a run of the trail that would destroy evidence, and tells auditors."""
    run.finished_at, run.fault = now, NOT_SOUND
    append(SYSTEM, Action.PURGE_DONE, now, on=("purge", run.id), success=False, kind=run.kind, fault=str(fault))
    day = day_of(now, instance.settings.zone).isoformat()
    notices.tell("auditor", "purge_stopped", f"purge_stopped:{day}", now, day=day)
    must_write().flush()


def _unfinished(kind: Kind) -> Select[int]:
    oldest = select(PurgeRun.id).where(PurgeRun.kind == kind, PurgeRun.finished_at.is_(None))
    return oldest.order_by(PurgeRun.id).limit(1)
