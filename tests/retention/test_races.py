"""Purge, hold, erasure and receipt at once: one of two is first, and nothing is lost between them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.retention.ages import DAY, ask_then, identities, night, said
from tests.support.cast import ADMIN, NOW
from tests.verification.calls import buy, differences, somebody, who
from webapp.audit.trail import Action
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.receipts import operations as receipts
from webapp.receipts.models import Receipt, ReceiptSalt
from webapp.retention import batches, holds, rights
from webapp.retention.holds import Subject
from webapp.retention.models import LegalHold
from webapp.verification.models import Verification

PEOPLE = 8
T = TypeVar("T")


@pytest.fixture
def app(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The product with people and facts that are all old enough to go, one in a batch."""
    monkeypatch.setattr(batches, "SIZE", 1)
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
                holds.hold_verification(number, "case 7", who(ADMIN), NOW)
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
