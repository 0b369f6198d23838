"""Two hundred times the process is killed at a random moment while it verifies: no call is lost and none doubled."""

from __future__ import annotations

import os
import random
import signal
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.nursery import running_nursery
from tests.support.waiting import until
from tests.verification.calls import buy, differences, give_up, lot_figures, outcomes
from tests.verification.crash_child import LOOP, environment, live
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.quota.models import Lot
from webapp.usage import counters
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import identities
from webapp.verification.models import Verification
from webapp.verification.operations import GRACE

KILLS = 200
SEED = 20261123
LONGEST_LIFE = 0.15
"""Seconds from the first call on; a call takes some hundredths of one."""
LOT = 100_000
LATER = timedelta(minutes=1) + GRACE


@pytest.mark.long
def test_two_hundred_kills_at_random_moments_lose_and_double_nothing(
    app: Flask, database: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.change(latency_ms=2)
    lot = buy(app, LOT)
    chance, pause = random.Random(SEED), threading.Event()

    environ = environment(database, tmp_path / "instance", sandbox.url)
    with running_nursery("tests.verification.crash_child") as nursery:
        for kill in range(KILLS):
            received = sandbox.counts().received
            child = nursery.begin(live, environ=environ, point=LOOP, first=kill * 400, seed=kill)
            until(partial(has_more, sandbox, received), "the first call arrives")
            pause.wait(chance.uniform(0, LONGEST_LIFE))
            os.kill(child, signal.SIGKILL)
            assert nursery.end() == -signal.SIGKILL
            if kill % 20 == 0:
                assert differences(app) == []
                work_between(app)

    give_up(app, utc_now() + LATER)
    assert differences(app) == []
    stored = outcomes(app)
    kept = {key: calls for key, calls in stored.items() if key[2] == "abandoned"}
    assert sum(stored.values()) > KILLS, "the processes lived long enough to verify"
    assert sum(kept.values()) > KILLS / 10, "many died in the middle of a call"
    charged = the_vendors_side_of(app, sandbox)
    assert sandbox.counts().charged == charged, "every call that the vendor charged has its verification"
    assert sandbox.counts().charged_twice == 0
    certain = sum(calls for (_outcome, billed, _cause), calls in stored.items() if billed == "yes")
    unknown = sum(calls for (_outcome, billed, _cause), calls in stored.items() if billed == "unknown")
    assert certain <= charged <= certain + unknown
    assert lot_figures(app, lot) == (LOT - certain - unknown, unknown, certain)


def has_more(sandbox: Sandbox, received: int) -> bool:
    return sandbox.counts().received > received


def work_between(app: Flask) -> None:
    """What the worker does: folds, and gives up what must be forgotten."""
    with app.app_context():
        counters.fold(this_instance().settings.zone)
    give_up(app, utc_now())


def the_vendors_side_of(app: Flask, sandbox: Sandbox) -> int:
    """How many of our verifications the vendor has charged; fails where it says otherwise than we do."""
    charged = 0
    with app.app_context():
        sealer = this_instance().sealer
        assert db.session.get_one(Lot, 1).calls == LOT
        for row in db.session.scalars(select(Verification)):
            person = identities.open_person(row.id, sealer)
            assert person is not None
            vendors = sandbox.calls(person.name, person.number)
            assert vendors.charged <= 1
            if row.billed != "unknown":
                assert vendors.charged == (row.billed == "yes"), f"verification {row.id}"
            charged += vendors.charged
    return charged
