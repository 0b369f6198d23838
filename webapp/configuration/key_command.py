"""`yuliang rotate-keys`: begins a rotation, or goes on with one, and says how far it is until it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask

from webapp.configuration import rotation
from webapp.configuration.key_models import KeyRotation
from webapp.foundation import key_ring, keys, leases
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, end_read
from webapp.foundation.instance import Instance, this_instance
from webapp.verification.reindexing import calls_begun_before

JOB = "rotate keys"
"""The work's name among the leases: a worker and the command take turns."""
LEASE, TURN = timedelta(seconds=60), timedelta(seconds=20)
PAUSE = 0.25
"""Seconds between two looks while others work, or while the keys are being taken up."""

Tell = Callable[[str], object]


def run(app: Flask, holder: str, tell: Tell, clock: Callable[[], datetime] = utc_now) -> int:
    """Rotates the keys of this instance; 0 where everything is under the new ones. Raises `CannotRotate`,
    `KeyMissing`."""
    with app.app_context():
        instance = this_instance()
        number = rotation.begin(instance, clock())
        began, told = time.monotonic(), ""
        tell("New keys are in the ring; every process takes them up. This may be stopped at any time: it goes on here "
             "with the next call, and in any worker.")  # fmt: skip
        while not _is_over(number):
            key_ring.heed()
            if not _work(instance, holder, clock):
                time.sleep(PAUSE)
            line = progress_line(number)
            if line != told:
                tell(line)
                told = line
        return _told_end(number, instance, time.monotonic() - began, tell)


def _work(instance: Instance, holder: str, clock: Callable[[], datetime]) -> bool:
    """Works for a second, if nobody else does; False where there was nothing to do now."""
    if not leases.take(JOB, holder, clock(), LEASE, timedelta()):
        return False
    ends, did = time.monotonic() + 1, False
    try:
        while time.monotonic() < ends and rotation.go_on(instance, clock()):
            did = True
    finally:
        leases.give_back(JOB, holder, clock(), clock())
    return did


def _is_over(number: int) -> bool:
    row = db.session.get(KeyRotation, number, populate_existing=True)
    over = row is None or row.finished_at is not None
    end_read()
    return over


def progress_line(number: int) -> str:
    """How far each table is that is not done, for whoever waits at the command."""
    states, row = rotation.progress(number), db.session.get_one(KeyRotation, number)
    # Rows come while it runs, and some are sealed anew twice: never more done than there are.
    left = [one for one in states if one.finished_at is None]
    open_ones = [f"{one.name} {one.done:,} of {max(one.total, one.done):,}" for one in left]
    calls = calls_begun_before(row.promoted_at) if row.promoted_at is not None and not open_ones else 0
    end_read()
    waits = f"; {calls} calls that were begun before are still under way" if calls else ""
    return "Under the new keys: " + (", ".join(open_ones) or "everything") + waits


def _told_end(number: int, instance: Instance, seconds: float, tell: Tell) -> int:
    row, states = db.session.get_one(KeyRotation, number), rotation.progress(number)
    done, broken = sum(one.done for one in states), {one.name: one.broken for one in states if one.broken}
    tell(f"{done:,} rows were sealed anew in {seconds:.0f} s: everything is under data key {row.data_key} and index "
         f"key {row.index_key}.")  # fmt: skip
    for kind, old in (("data_keys", row.old_data_keys), ("index_keys", row.old_index_keys)):
        path = keys.key_file(kind, instance.settings)
        if old:
            tell(f"Nothing in the database needs {kind.replace('_', ' ')} {old} any more: take it out of "
                 f"{path or 'YULIANG_' + kind.upper()}, and keep it where you keep it apart, with backups of before "
                 f"{row.finished_at:%Y-%m-%d}: they open with it only.")  # fmt: skip
    for name, rows in broken.items():
        tell(f"{rows} rows of {name} open under no key and were left as they are: they were changed or moved.")
    return 1 if broken else 0
