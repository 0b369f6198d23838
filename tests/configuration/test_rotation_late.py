"""Whatever was begun under an old key ends under the new one, however late, and in a process that knew of nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.configuration.rotating import LATER, begin, finish, promote, rotate, sealed_under
from tests.conftest import MakeApp
from tests.history.rows import store
from tests.support.cast import ADMIN, NOW, Desk
from tests.verification.calls import MATCH, ask, give_up, somebody, verification
from webapp.configuration import rotation
from webapp.foundation import key_ring, runtime
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_operations, export_streaming
from webapp.vendor.contract import Derived, Outcome, Reply
from webapp.verification import identities
from webapp.verification.identities import Person
from webapp.verification.models import Identity, IdentityIndex, IndexKind

PLACED = Reply(Outcome.MATCH, MATCH.billed, code="0000", http_status=200,
               derived=Derived("广东省", "汕头市", "", "19491231", "F", "76"), raw=b"{}")  # fmt: skip


def with_an_old_ring(app: Flask) -> Flask:
    """This app knows the keys of before, and does not look again unless it must."""
    with app.app_context():
        assert this_instance().sealer.sealing == "k1"
        app.extensions[key_ring.HEED]()
    return app


def is_all_under_the_new_keys(app: Flask, row: int) -> None:
    with app.app_context():
        sealer = this_instance().sealer
        assert sealed_under("k1") == {}
        person = identities.open_person(row, sealer)
        assert person is not None
        assert db.session.get_one(Identity, row).index_key == "k2"
        mine = select(IdentityIndex.blind).where(IdentityIndex.verification_id == row)
        assert {*db.session.scalars(mine)} == {sealer.index(*one) for one in identities.found_by(person)}


def test_no_key_is_retired_while_a_call_is_under_way_that_was_begun_with_it(make_app: MakeApp) -> None:
    app, other = make_app(), with_an_old_ring(make_app())

    def slow(*_person: str) -> Reply:
        begin(app)
        promote(app)
        with app.app_context():
            for turn in range(200):
                rotation.go_on(this_instance(), NOW + LATER + timedelta(seconds=turn))
            assert rotation.present() is not None
            assert {one.name for one in rotation.progress(1) if one.finished_at is None} == set()
            ring = key_ring.read(this_instance().sealer)
            assert ring is not None
            assert list(ring.data) == ["k1", "k2"]
        return PLACED

    row = ask(other, somebody(1), slow, clock=lambda: NOW)

    with app.app_context():
        rotation.go_on(this_instance(), NOW + 20 * LATER)
        assert rotation.present() is None
    is_all_under_the_new_keys(app, row)


def test_an_answer_that_comes_after_its_call_was_given_up_and_the_key_was_retired(make_app: MakeApp) -> None:
    app, other = make_app(), with_an_old_ring(make_app())

    def slow(*_person: str) -> Reply:
        give_up(app, NOW + timedelta(hours=1))
        rotate(app)
        return PLACED

    row = ask(other, somebody(1), slow, clock=lambda: NOW)

    assert verification(app, row).outcome == Outcome.MATCH
    is_all_under_the_new_keys(app, row)


def test_an_intent_and_a_stored_setting_of_a_process_with_an_old_ring_are_under_the_new_keys(make_app: MakeApp) -> None:
    app, other = make_app(), with_an_old_ring(make_app())
    rotate(app)

    row = ask(other, somebody(1), lambda *_: PLACED)
    with other.app_context(), transaction():
        runtime.store("told", "x", this_instance().sealer, NOW)

    is_all_under_the_new_keys(app, row)


def test_a_key_is_promoted_once_nobody_is_storing_anything_under_the_former_one(make_app: MakeApp) -> None:
    app, other = make_app(), with_an_old_ring(make_app())
    stored, may_end, events = threading.Event(), threading.Event(), list[str]()

    def storing() -> None:
        with other.app_context():
            with transaction():
                store(NOW, person=Person(*somebody(1)))
                stored.set()
                assert may_end.wait(10)
                events.append("stored")
            db.session.remove()

    def promoting() -> None:
        promote(app)
        events.append("promoted")

    begin(app)
    writer = threading.Thread(target=storing)
    writer.start()
    assert stored.wait(10)
    promoter = threading.Thread(target=promoting)
    promoter.start()
    promoter.join(0.3)
    assert events == [], "the promotion waits"
    may_end.set()
    for thread in (writer, promoter):
        thread.join(10)
    assert events == ["stored", "promoted"]

    with app.app_context():
        assert sealed_under("k1")["identity.sealed"] == 1, "which the first pass meets"
    finish(app)
    with app.app_context():
        assert sealed_under("k1") == {}


def test_a_long_file_of_a_search_misses_nobody_who_was_indexed_anew_meanwhile(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_streaming, "FIRST_ROWS", 5)
    monkeypatch.setattr(export_streaming, "BATCH_ROWS", 5)
    monkeypatch.setattr(key_ring, "LOOKED_AT_EVERY", 0.0)
    app, other = make_app(), make_app()
    with app.app_context(), transaction():
        store(*[NOW] * 40, person=Person("欧阳甲乙", "11010519491231002X"))
    admin = Desk(other, ADMIN)
    address = admin.post("/history", {"q": "欧阳甲乙", "outcome": ""}).location

    answer = admin.client.get(address.replace("?", "/export?format=csv&"), buffered=False)
    pieces = answer.iter_encoded()
    file = next(pieces)
    rotate(app)
    file += b"".join(pieces)

    assert len(file.decode().splitlines()) == 1 + 40


def test_a_file_of_the_background_goes_on_over_a_rotation(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_operations, "PIECE_ROWS", 10)
    app, other = make_app(), make_app()
    with app.app_context(), transaction():
        store(*[NOW] * 25, person=Person("欧阳甲乙", "11010519491231002X"))
    admin = Desk(app, ADMIN)
    handle = admin.post("/history", {"q": "欧阳甲乙", "outcome": ""}).location.partition("s=")[2]
    asked = admin.post(f"/history/export?s={handle}", {"format": "csv"}).location
    prepare(other)
    rotate(app)
    with other.app_context():
        key_ring.heed()
    prepare(other)
    prepare(other)

    with app.app_context():
        assert sealed_under("k1") == {}
    assert len(Desk(other, ADMIN).post(f"{asked}/fetch").text.splitlines()) == 1 + 25


def prepare(app: Flask) -> None:
    with app.app_context():
        assert export_operations.prepare_piece(this_instance(), utc_now())
        db.session.remove()


def test_retired_index_keys_are_looked_under_for_what_is_fleeting_only(app: Flask) -> None:
    rotate(app)

    with app.app_context():
        sealer = this_instance().sealer
        assert sorted(sealer.index_fingerprints()) == ["k1", "k2"], "the file holds both still"
        assert sealer.indexes(IndexKind.NAME, "张三") == [sealer.index(IndexKind.NAME, "张三")]
        assert len(sealer.indexes("form", "content", fleeting=True)) == 2
