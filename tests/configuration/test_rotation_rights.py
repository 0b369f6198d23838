"""Rotating keys beside the law: what is held stays held at every moment, who is erased stays erased."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.configuration.rotating import LATER, begin, promote, sealed_under
from tests.conftest import MakeApp
from tests.history.rows import store
from tests.support.cast import NOW
from tests.verification.calls import somebody, who
from webapp.audit.trail import SYSTEM
from webapp.configuration import rotation
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.receipts import operations as receipts
from webapp.receipts.models import ReceiptSalt
from webapp.retention import holds, rights
from webapp.retention.holds import Subject
from webapp.verification import identities, reindexing
from webapp.verification.identities import Person
from webapp.verification.models import Identity, IdentityIndex

PEOPLE = 30
ERASED = range(0, PEOPLE, 2)


@pytest.fixture(autouse=True)
def many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "MOST", 3)


def subject(number: int) -> Subject:
    return Subject(*somebody(number))


def test_a_held_person_is_held_at_every_moment_and_the_hold_is_sealed_anew(app: Flask) -> None:
    held = subject(1)
    with app.app_context():
        with transaction():
            rows = store(*[NOW] * 8, person=Person(held.name, held.number))
            store(*[NOW] * 8, person=Person(*somebody(2)))
        holds.hold_person(held, "case 2026-17", who(), this_instance(), NOW)
        assert sealed_under("k1")["legal_hold.sealed"] == 1
    begin(app)
    promote(app)

    with app.app_context():
        at, sealer = NOW + LATER, this_instance().sealer
        while rotation.present() is not None:
            db.session.rollback()
            assert holds.held_among([*rows, rows[-1] + 1], sealer) == set(rows)
            with pytest.raises(rights.Held):
                rights.erase(held, "asked for it", who(), this_instance(), NOW)
            at += timedelta(seconds=1)
            rotation.go_on(this_instance(), at)
        assert sealed_under("k1") == {}
        assert sealed_under("k2")["legal_hold.sealed"] == 1
        [shown] = holds.listed(sealer, 5)
        assert shown.person == held


def test_who_is_erased_while_keys_are_rotated_comes_back_nowhere(make_app: MakeApp) -> None:
    app, other = make_app(), make_app()
    with app.app_context():
        with transaction():
            rows = [store(NOW, NOW, person=Person(*somebody(n), reference=f"R-{n}")) for n in range(PEOPLE)]
        for first, _second in rows:
            receipts.issue(first, SYSTEM, this_instance(), NOW)
    begin(app)
    promote(app)
    together = threading.Barrier(2)

    def rotate() -> None:
        with app.app_context():
            together.wait(30)
            at = NOW + LATER
            while rotation.present() is not None:
                db.session.rollback()
                at += timedelta(seconds=1)
                rotation.go_on(this_instance(), at)
            db.session.remove()

    def erase() -> None:
        with other.app_context():
            together.wait(30)
            for number in ERASED:
                assert rights.erase(subject(number), "asked for it", who(), this_instance(), NOW).verifications == 2
            db.session.remove()

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(rotate), threads.submit(erase)]:
            one.result(120)

    gone = [row for number in ERASED for row in rows[number]]
    with app.app_context():
        sealer = this_instance().sealer
        for model in (Identity, IdentityIndex, ReceiptSalt):
            mine = select(func.count()).select_from(model).where(model.verification_id.in_(gone))
            assert db.session.scalar(mine) == 0, model
        for number in range(PEOPLE):
            wanted = [] if number in ERASED else rows[number]
            assert identities.with_number(somebody(number)[1], sealer) == wanted
        assert sealed_under("k1") == {}
        assert sealed_under("k2")["receipt_salt.sealed"] == PEOPLE - len(ERASED)
