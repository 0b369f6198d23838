"""The purge is killed, in a batch and between two: what was committed is gone, all else stands, the next goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.retention.ages import DAY, ask_then, identities, night, said
from tests.retention.purge_child import live
from tests.support.cast import NOW
from tests.support.nursery import Nursery, running_nursery
from tests.support.waiting import until
from tests.verification.calls import buy, differences, lot_figures, somebody
from tests.verification.crash_child import environment
from webapp.audit.trail import Action
from webapp.foundation.database import db
from webapp.retention.models import PurgeRun
from webapp.retention.rules import Kind
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import IdentityIndex, Verification

PEOPLE, SIZE = 5, 2
KEPT = {"KEEP_IDENTITY": "30", "KEEP_FACTS": "1096"}
Order = dict[str, object]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with running_nursery("tests.retention.purge_child") as nursery:
        yield nursery


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The product with people and facts that are all old enough to go."""
    app = make_app(**KEPT)
    buy(app, 100)
    for n in range(PEOPLE):
        ask_then(app, somebody(n), 1200 * DAY - timedelta(minutes=n))
    return app


@pytest.fixture
def order(database: str, tmp_path: Path, sandbox: Sandbox) -> Order:
    """What a child is told."""
    environ = environment(database, tmp_path / "instance", sandbox.url)
    environ |= {f"YULIANG_{name}": value for name, value in KEPT.items()}
    return {"environ": environ, "now": NOW.isoformat(), "size": SIZE, "point": "", "which": 0}


def facts(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Verification.id).order_by(Verification.id)))


def removed(app: Flask, kind: Kind) -> int:
    """What the runs of a class say that they destroyed."""
    with app.app_context():
        return sum(db.session.scalars(select(PurgeRun.removed).where(PurgeRun.kind == kind)))


def assert_whole(app: Flask) -> None:
    """Nothing is half gone, the runs say what is gone, and the books agree."""
    with app.app_context():
        found = set(db.session.scalars(select(IdentityIndex.verification_id)))
    assert set(identities(app)) == found, "an identity and what finds it go together"
    assert set(identities(app)) <= set(facts(app))
    assert removed(app, Kind.IDENTITY) == PEOPLE - len(identities(app))
    assert removed(app, Kind.FACTS) == PEOPLE - len(facts(app))
    assert differences(app) == []


# Transactions: 1 the run of people begins, 2 to 4 its batches; 5 the run of facts begins, 6 to 8 its batches.
@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
@pytest.mark.parametrize("which", [1, 3, 4, 7])
def test_a_purge_killed_at_a_commit_is_whole_and_the_next_goes_on(
    app: Flask, nursery: Nursery, order: Order, point: str, which: int
) -> None:
    lot = lot_figures(app, 1)
    nursery.begin(live, **order | {"point": point, "which": which})

    assert nursery.end() == -signal.SIGKILL
    assert_whole(app)
    committed = which - (point == "before_commit")
    assert len(identities(app)) == PEOPLE - min(PEOPLE, SIZE * max(0, committed - 1))
    assert len(facts(app)) == PEOPLE - min(PEOPLE, SIZE * max(0, committed - 5))
    night(app)
    assert_whole(app)
    assert (identities(app), facts(app), lot_figures(app, 1)) == ([], [], lot)
    done = [told for action, told in said(app, Action.PURGE_DONE) if action == Action.PURGE_DONE]
    assert [(told["kind"], told["removed"]) for told in done] == [("identity", PEOPLE), ("facts", PEOPLE)]


def test_a_purge_killed_somewhere_is_whole(app: Flask, nursery: Nursery, order: Order) -> None:
    child = nursery.begin(live, **order | {"size": 1})
    until(lambda: len(identities(app)) < PEOPLE, "the purge has begun to destroy")
    os.kill(child, signal.SIGKILL)

    assert nursery.end() in (-signal.SIGKILL, 0)
    assert_whole(app)
    night(app)
    assert_whole(app)
    assert (identities(app), facts(app)) == ([], [])
