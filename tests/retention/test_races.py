"""Purge, hold, erasure and receipt at once: one of two is first, and nothing is lost between them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from tests.retention.ages import DAY, ask_then, identities, night, said
from tests.support.cast import ADMIN, NOW
from tests.support.waiting import until
from tests.verification.calls import buy, differences, somebody, who
from webapp.audit.trail import Action
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import reveal_operations as reveals
from webapp.history.reveal_models import Reveal
from webapp.history.reveal_rules import Reason
from webapp.receipts import operations as receipts
from webapp.receipts.models import Receipt, ReceiptSalt
from webapp.retention import batches, holds, purging, rights
from webapp.retention.holds import Subject
from webapp.retention.models import LegalHold
from webapp.verification import identities as stored
from webapp.verification.models import IdentityIndex, IndexKind, Verification

PEOPLE = 8
T = TypeVar("T")


@pytest.fixture
def app(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The product with people and facts that are all old enough to go, one in a batch."""
    monkeypatch.setattr(batches, "SIZE", 1)
    monkeypatch.setattr(purging, "LONGEST", 0.0)
    app = make_app(KEEP_IDENTITY="30", KEEP_FACTS="1096")
    buy(app, 100)
    for n in range(PEOPLE):
        ask_then(app, somebody(n), 1200 * DAY)
    return app


def at_once(app: Flask, *acts: Callable[[], T]) -> list[T]:
    """Does all of these, each in a thread and context of its own, from one moment on."""
    together = Barrier(len(acts))

    def do(act: Callable[[], T]) -> T:
        with app.app_context():
            together.wait(30)
            return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [one.result(60) for one in [threads.submit(do, act) for act in acts]]


def purge(app: Flask) -> set[int]:
    night(app)
    return set()


def facts(app: Flask) -> set[int]:
    with app.app_context():
        return set(db.session.scalars(select(Verification.id)))


def test_whatever_is_held_while_the_purge_runs_stands_or_was_gone_before(app: Flask) -> None:
    def hold() -> set[int]:
        held = set()
        for number in range(PEOPLE, 0, -1):
            try:
                holds.hold_verification(number, "case 7", who(ADMIN), this_instance(), NOW)
                held.add(number)
            except holds.Gone:
                pass
        return held

    _none, held = at_once(app, lambda: purge(app), hold)

    assert set(identities(app)) == held
    assert facts(app) == held
    with app.app_context():
        assert set(db.session.scalars(select(LegalHold.verification_id))) == held
    assert differences(app) == []


def test_a_person_is_either_held_or_erased(app: Flask) -> None:
    def hold(n: int) -> Callable[[], bool]:
        return lambda: bool(holds.hold_person(Subject(*somebody(n)), "case 7", who(ADMIN), this_instance(), NOW))

    def erase(n: int) -> Callable[[], bool]:
        def act() -> bool:
            try:
                return bool(rights.erase(Subject(*somebody(n)), "asked for it", who(ADMIN), this_instance(), NOW))
            except rights.Held:
                return False

        return act

    erased = [at_once(app, hold(n), erase(n))[1] for n in range(PEOPLE)]

    assert identities(app) == [n + 1 for n in range(PEOPLE) if not erased[n]]
    covered = [told["verifications"] for _action, told in said(app, Action.HOLD_PLACED)]
    assert covered == [0 if gone else 1 for gone in erased], "a hold says how much it found, and keeps it"


def test_a_receipt_is_issued_and_keeps_its_fact_or_the_person_was_gone_before(app: Flask) -> None:
    def issue() -> set[int]:
        issued = set()
        for number in range(PEOPLE, 0, -1):
            try:
                receipts.issue(number, who(ADMIN), this_instance(), NOW)
                issued.add(number)
            except receipts.IdentityGone:
                pass
        return issued

    _none, issued = at_once(app, lambda: purge(app), issue)
    night(app)

    assert identities(app) == []
    assert facts(app) >= issued
    with app.app_context():
        assert set(db.session.scalars(select(Receipt.verification_id))) == issued
        assert db.session.scalar(select(func.count()).select_from(ReceiptSalt)) == 0
    assert differences(app) == []


def test_a_person_is_shown_and_recorded_or_was_gone_before(app: Flask) -> None:
    def reveal() -> set[int]:
        shown = set()
        for number in range(PEOPLE, 0, -1):
            with suppress(reveals.IdentityGone):
                wanted = reveals.Wanted(number, Reason.AUDIT, "case 7", f"nonce {number}")
                reveals.reveal(wanted, who(ADMIN), this_instance(), NOW)
                shown.add(number)
        return shown

    _none, shown = at_once(app, lambda: purge(app), reveal)
    night(app)

    assert (identities(app), facts(app)) == ([], set())
    assert len(said(app, Action.PERSON_REVEALED)) == len(shown)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Reveal)) == 0, "gone with their facts"
    assert differences(app) == []


def test_an_erasure_waits_for_who_indexes_a_person_anew_and_takes_that_too(app: Flask) -> None:
    locked = Event()

    def index_anew() -> bool:
        with transaction() as session:
            assert stored.lock([1]) == {1}
            session.add(IdentityIndex(blind=b"another key's", verification_id=1, kind=IndexKind.NAME))
            session.flush()
            locked.set()
            until(lambda: _waits(app), "the erasure waits")
        return True

    def erase() -> bool:
        assert locked.wait(30)
        return bool(rights.erase(Subject(*somebody(0)), "asked for it", who(ADMIN), this_instance(), NOW))

    assert at_once(app, index_anew, erase) == [True, True]

    assert identities(app) == list(range(2, PEOPLE + 1))
    with app.app_context():
        found = db.session.scalars(select(IdentityIndex).where(IdentityIndex.verification_id == 1)).all()
        assert found == [], "nothing finds who is erased"


def _waits(app: Flask) -> bool:
    """Whether somebody waits for a lock; in an SQLite file everybody who writes does."""
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            return True
        with db.engine.connect() as connection:
            return bool(connection.scalar(text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )))  # fmt: skip


def test_two_workers_at_once_purge_everything_once(app: Flask) -> None:
    at_once(app, lambda: purge(app), lambda: purge(app))

    assert (identities(app), facts(app)) == ([], set())
    done = [told["removed"] for _action, told in said(app, Action.PURGE_DONE)]
    assert sum(map(int, map(str, done))) == 2 * PEOPLE
    assert differences(app) == []


def test_an_erasure_and_the_purge_destroy_a_person_once(app: Flask) -> None:
    def erase() -> set[int]:
        for n in range(PEOPLE - 1, -1, -1):
            with suppress(rights.Nobody):
                rights.erase(Subject(*somebody(n)), "asked for it", who(ADMIN), this_instance(), NOW)
        return set()

    at_once(app, lambda: purge(app), erase)

    assert identities(app) == []
    erased = sum(int(str(told["verifications"])) for _action, told in said(app, Action.PERSON_ERASED))
    purged = sum(
        int(str(told["removed"])) for _action, told in said(app, Action.PURGE_DONE) if told["kind"] == "identity"
    )
    assert erased + purged == PEOPLE
    assert differences(app) == []
