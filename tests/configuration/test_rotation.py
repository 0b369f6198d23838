"""Rotating keys: everything ends under the new ones, whatever happens meanwhile, and nobody notices."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from flask import Flask
from sqlalchemy import LargeBinary, delete, select

from tests.configuration.rotating import LATER, begin, finish, promote, rotate, sealed_under
from tests.conftest import MakeApp
from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from tests.support.waiting import together
from tests.verification.calls import MATCH, ask, somebody
from webapp.accounts.models import User
from webapp.audit.trail import SYSTEM, Action, AuditRecord
from webapp.configuration import key_command, kind, rotation
from webapp.foundation import key_ring, keys
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import Instance, this_instance
from webapp.foundation.runtime import StoredSetting
from webapp.foundation.sealed_columns import blind, fleeting, keyed, sealed
from webapp.foundation.sealing import ALGORITHMS, Algorithm, KeyMissing, Sealer
from webapp.history.filters import Filters
from webapp.history.queries import page
from webapp.receipts import operations as receipts
from webapp.receipts import queries
from webapp.receipts.commitment import Secret
from webapp.vendor.contract import Derived
from webapp.verification import identities, reindexing, reuse
from webapp.verification.identities import Person
from webapp.verification.limits import LimitReached
from webapp.verification.models import Identity, IdentityIndex, Purpose

NUMBER = "11010519491231002X"
PERSON = Person("欧阳甲乙", NUMBER, "单-7", "广东省", "汕头市", raw='{"x": 1}')


def indexed() -> set[tuple[int, str, bytes]]:
    columns = IdentityIndex.verification_id, IdentityIndex.kind, IdentityIndex.blind
    return {(number, str(kind), mark) for number, kind, mark in db.session.execute(select(*columns))}


def wanted(*numbers: int) -> set[tuple[int, str, bytes]]:
    sealer = this_instance().sealer
    return {(number, str(kind), sealer.index(kind, value)) for number in numbers
            for kind, value in identities.found_by(PERSON)}  # fmt: skip


def test_every_binary_column_says_what_it_holds() -> None:
    known = {word for info in (sealed(""), blind(""), fleeting(""), keyed("")) for word in info}
    silent = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and len(known & column.info.keys()) != 1
    ]

    assert silent == []


def test_every_sealed_column_is_a_part_and_every_blind_one_belongs_to_a_part_of_its_own() -> None:
    columns = [column for table in Base.metadata.sorted_tables for column in table.columns]
    named = [part.name for part in rotation.parts()]

    assert sorted(named) == sorted(str(one.table.name) for one in columns if "sealed" in one.info)
    own = {part.name for part in rotation.parts() if type(part).__name__ != "SealedTable"}
    assert {one.info["blind"].split(".")[0] for one in columns if "blind" in one.info} == own
    assert named[0] == "setting", "who lacks the new key finds out first of all"


def test_of_two_that_begin_at_once_neither_loses_its_key(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    apps, replace, met = (make_app(), make_app()), keys._replace, list[int]()
    both = threading.Barrier(2)

    def beside_another(path: Path, content: str) -> None:
        with suppress(threading.BrokenBarrierError):  # nobody else comes: the folder is held
            met.append(both.wait(1))
        replace(path, content)

    monkeypatch.setattr(keys, "_replace", beside_another)
    with apps[0].app_context():
        kind.agree(this_instance(), NOW)
    begun = list[int]()

    def work(app: Flask) -> None:
        with app.app_context():
            begun.append(rotation.begin(this_instance(), NOW))
            db.session.remove()

    together(*(partial(work, app) for app in apps))

    assert met == [], "two wrote the files at one time"
    with apps[0].app_context():
        kept, ring = keys.load_keys(this_instance().settings, make=False), key_ring.read(this_instance().sealer)
        assert ring is not None
        assert ring.missing(Sealer(kept)) == ([], []), "a restart holds every key of the ring"
        assert (len(kept.data), len(kept.index), len(set(begun))) == (2, 2, 1)


def test_a_rotation_does_not_begin_with_a_key_that_a_restart_would_not_find(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        kind.agree(this_instance(), NOW)
        path = this_instance().settings.instance / "keys" / "data_keys"
        known, fetch = path.read_text(), key_ring.fetch

        def overwritten(instance: Instance, ring: key_ring.Ring | None = None) -> bool:
            others = fetch(instance, ring)
            path.write_text(known)
            return others

        monkeypatch.setattr(key_ring, "fetch", overwritten)
        with pytest.raises(rotation.CannotRotate, match="changed meanwhile"):
            rotation.begin(this_instance(), NOW)

        assert rotation.present() is None


def test_everything_ends_under_the_new_keys_and_is_what_it_was(app: Flask) -> None:
    with app.app_context(), transaction():
        numbers = store(*[NOW] * 5, person=PERSON)
    with app.app_context():
        assert sealed_under("k1")["identity.sealed"] == 5

    rotate(app)

    with app.app_context():
        sealer = this_instance().sealer
        assert (sealer.sealing, sealer.indexing) == ("k2", "k2")
        assert sealed_under("k1") == {}
        assert sealed_under("k2")["identity.sealed"] == 5
        assert indexed() == wanted(*numbers)
        assert all(identities.open_person(number, sealer) == PERSON for number in numbers)
        assert db.session.scalars(select(Identity.index_key).distinct()).all() == ["k2"]
        ring = key_ring.read(sealer)
        assert ring is not None
        assert (list(ring.data), list(ring.index)) == (["k2"], ["k2"])


def test_a_rotation_brings_everything_to_the_algorithm_that_seals_now(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), transaction():
        numbers = store(*[NOW] * 3, person=PERSON)
    monkeypatch.setitem(ALGORITHMS, 9, Algorithm("ChaCha20-Poly1305", ChaCha20Poly1305))
    with app.app_context():
        this_instance().sealer.hold(this_instance().keys)  # as at the start of a version that knows it
    with app.app_context(), transaction():
        numbers += store(*[NOW] * 2, person=PERSON)
    with app.app_context():
        sealer = this_instance().sealer
        assert (sealed_under("k1")["identity.sealed"], sealed_under("k1", 9)["identity.sealed"]) == (3, 2)
        assert all(identities.open_person(number, sealer) == PERSON for number in numbers)
        assert "ChaCha20-Poly1305" in Desk(app, ADMIN).get("/settings/keys").text

    rotate(app)

    with app.app_context():
        assert [sealed_under(key, number) for key, number in (("k1", 1), ("k1", 9), ("k2", 1))] == [{}, {}, {}]
        assert sealed_under("k2", 9)["identity.sealed"] == 5
        assert all(identities.open_person(number, this_instance().sealer) == PERSON for number in numbers)


def test_at_every_moment_searches_and_recent_results_are_found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "MOST", 3)
    with app.app_context(), transaction():
        store(*[NOW] * 10, person=PERSON)
        store(*[NOW] * 5, person=Person("欧阳丙", "440524188001010014", "单-7", "北京市", "北京市"))
    before = found(app)
    assert [len(one) for one in before] == [15, 10, 15, 10, 10, 5]

    begin(app)
    assert found(app) == before
    promote(app)
    with app.app_context(), transaction():
        store(NOW, person=Person("别人", "440524188001010014"))
    with app.app_context():
        at, turns = NOW + LATER, 0
        while rotation.present() is not None:
            at, turns = at + timedelta(seconds=1), turns + 1
            rotation.go_on(this_instance(), at)
            assert found(app) == before, f"after {turns} batches"
            assert recent(PERSON)
            assert not recent(Person("别人", NUMBER))
        assert turns > 10
        assert sealed_under("k1") == {}


def test_never_more_is_told_to_be_done_than_there_is(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "MOST", 3)
    number = begin(app)
    with app.app_context(), transaction():
        store(*[NOW] * 7, person=PERSON)  # after the rows were counted, under the old key all the same
    promote(app)
    with app.app_context():
        at, told = NOW + LATER, set[str]()
        while rotation.present() is not None:
            at += timedelta(seconds=1)
            rotation.go_on(this_instance(), at)
            told.update(re.findall(r"identity (\S+ of \S+?)[,;]?(?: |$)", key_command.progress_line(number)))
    assert told == {"0 of 0", "3 of 3", "6 of 6", "7 of 7"}


def found(app: Flask) -> list[list[int]]:
    """What is found by beginning, name, reference, number, last four and place."""
    with app.app_context():
        viewer = db.session.get_one(User, ADMIN.id)
        searches = ("欧阳", "欧阳甲乙", "单-7", NUMBER, "002X")
        filters = [*(Filters(search=one) for one in searches), Filters(province="北京市", search="单-7")]
        pages = [page(one, viewer, this_instance(), 50, None) for one in filters]
        return [[row.id for row in one.rows] for one in pages]


def recent(person: Person) -> bool:
    with transaction() as session:
        try:
            purpose = session.get_one(Purpose, 1)
            reuse.refuse_known(person.name, person.number, purpose, this_instance().sealer, NOW)
        except reuse.RecentResult:
            return True
    return False


def test_a_number_under_two_keys_counts_once(make_app: MakeApp) -> None:
    app = make_app(LIMITS="name=2/day")
    begin(app)
    ask(app, ("演练同名", somebody(1)[1]), lambda *_: MATCH, clock=lambda: NOW)
    promote(app)
    with app.app_context():
        sealer = this_instance().sealer
        ask(app, ("演练同名", somebody(1)[1]), lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=25))
        assert len(sealer.indexes("name", "演练同名")) == 2
    ask(app, ("演练同名", somebody(2)[1]), lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=25))

    with pytest.raises(LimitReached):
        ask(app, ("演练同名", somebody(3)[1]), lambda *_: MATCH, clock=lambda: NOW + timedelta(hours=25))


def test_another_process_takes_up_the_keys_before_a_row_changes(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "LOOKED_AT_EVERY", 0.0)
    app, other = make_app(), make_app()
    with app.app_context(), transaction():
        (row,) = store(NOW, person=PERSON)
    auditor = Desk(other, AUDITOR)

    begin(app)

    assert auditor.get("/history").status_code == 200
    with other.app_context():
        assert list(this_instance().sealer.data_fingerprints()) == ["k1", "k2"]
        assert this_instance().sealer.sealing == "k1", "nothing is sealed with it yet"
    promote(app)
    assert auditor.get("/history").status_code == 200
    with other.app_context():
        assert this_instance().sealer.sealing == this_instance().sealer.indexing == "k2"
    finish(app)
    with make_app().app_context() as fresh:
        assert fresh is not None
        assert identities.open_person(row, this_instance().sealer) == PERSON


def test_a_process_in_the_middle_of_something_takes_up_a_key_when_it_meets_it(make_app: MakeApp) -> None:
    app, other = make_app(), make_app()
    with app.app_context(), transaction():
        (row,) = store(NOW, person=PERSON)
    rotate(app)

    with other.app_context():
        assert identities.open_person(row, this_instance().sealer) == PERSON


def test_a_machine_without_the_new_key_answers_nothing_instead_of_something_wrong(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "LOOKED_AT_EVERY", 0.0)
    left_behind, app = make_app(**given("k1")), make_app(**given("k1,k2"))
    auditor, stranger = Desk(left_behind, AUDITOR), left_behind.test_client()
    with left_behind.app_context():
        kind.agree(this_instance(), NOW)
    assert auditor.get("/history").status_code == 200

    begin(app)

    refused = auditor.get("/history", headers={"Accept-Language": "en"})
    assert (refused.status_code, "Sealed data does not open" in refused.text) == (500, True)
    assert stranger.get("/healthz").status_code == 200
    with (
        left_behind.app_context(),
        pytest.raises(kind.WrongKind, match=r"data key k2 in YULIANG_DATA_KEYS.*index key k2 in YULIANG_INDEX_KEYS"),
    ):
        kind.agree(this_instance(), NOW)


def given(ids: str) -> dict[str, str]:
    """Settings with these keys; a key's id says what it is."""
    keys = ",".join(f"{one}:{base64.b64encode(one.encode() * 16).decode()}" for one in ids.split(","))
    return {"DATA_KEYS": keys, "INDEX_KEYS": keys}


def test_keys_of_the_environment_are_never_made_and_a_new_one_may_stand_first_or_last(make_app: MakeApp) -> None:
    with pytest.raises(rotation.CannotRotate, match="YULIANG_DATA_KEYS") as refused:
        begin(make_app(**given("k1")))
    assert len(str(refused.value).splitlines()) == 1

    rotate(make_app(**given("k1,k2")))
    first = make_app(**given("k3,k2"))
    rotate(first)

    with first.app_context():
        assert sealed_under("k2") == {}
        assert sealed_under("k1") == {"setting.sealed": 1}, "of another k1, which was never here: it stops nothing"
        assert sealed_under("k3")["setting.sealed"] > 0
    retired = make_app(**given("k1,k3"))
    with retired.app_context():
        kind.agree(this_instance(), NOW)
        assert this_instance().sealer.sealing == "k3", "a key that was retired does not come back by standing first"


def test_without_the_old_key_it_stops_in_one_line_and_goes_on_once_it_is_back(make_app: MakeApp) -> None:
    old = make_app(**given("k1"))
    with old.app_context(), transaction() as session:
        session.execute(delete(StoredSetting))  # of the keys that the tests' databases are made with
        (row,) = store(NOW, person=PERSON)
    both = make_app(**given("k1,k2"))
    begin(both)
    promote(both)
    alone = make_app(**given("k2"))

    with alone.app_context(), pytest.raises(KeyMissing, match="'k1' is not here") as refused:
        go_on_to_the_end()
    assert len(str(refused.value).splitlines()) == 1

    finish(both)
    with alone.app_context():
        assert identities.open_person(row, this_instance().sealer) == PERSON


def go_on_to_the_end() -> None:
    while rotation.go_on(this_instance(), NOW + 2 * LATER):
        pass


def test_what_opens_under_no_key_is_told_and_left_as_it_is(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        rows = store(*[NOW] * 3, person=PERSON)
        broken = session.get_one(Identity, rows[1])
        broken.sealed = broken.sealed[:-1] + bytes([broken.sealed[-1] ^ 1])

    rotate(app)

    with app.app_context():
        assert sealed_under("k1") == {"identity.sealed": 1}
        states = {one.name: one for one in rotation.progress(1)}
        assert (states["identity"].done, states["identity"].broken) == (2, 1)


def test_an_erasure_and_an_answer_that_come_in_between_stand(app: Flask) -> None:
    with app.app_context(), transaction():
        gone, answered = store(NOW, NOW, person=Person("张三", NUMBER))
    begin(app)
    promote(app)
    with app.app_context():
        part, sealer = reindexing.Identities(), this_instance().sealer
        batch = part.fetch(None, sealer)
        assert batch is not None
        db.session.rollback()
        with transaction() as session:
            session.execute(delete(IdentityIndex).where(IdentityIndex.verification_id == gone))
            session.execute(delete(Identity).where(Identity.verification_id == gone))
            identities.complete(answered, Derived("广东省", "汕头市", "", "19491231", "F", "76"), b"{}", sealer)
        with transaction():
            assert part.store(batch, sealer) == 0
    finish(app)

    with app.app_context():
        assert identities.open_person(gone, sealer) is None
        person = identities.open_person(answered, sealer)
        assert person is not None
        assert person.province == "广东省"
        assert {number for number, _kind, _blind in indexed()} == {answered}
        assert len(indexed()) == len(identities.found_by(person))


def test_the_trail_says_which_keys_came_and_went_and_the_page_how_far_it_is(
    app: Flask, desk: Callable[[Member], Desk]
) -> None:
    english = {"Accept-Language": "en"}
    assert "never rotated" in desk(ADMIN).get("/settings/keys", headers=english).text
    with app.app_context(), transaction():
        store(*[NOW] * 5, person=PERSON)
    begin(app)
    said = desk(ADMIN).get("/settings/keys", headers=english).text
    assert re.findall(r'data-key="(\w+-\w+)" data-use="(\w+)"', said) == [
        ("data-k1", "sealing"), ("data-k2", "opening"), ("index-k1", "indexing"), ("index-k2", "searching"),
        ("audit-k1", "auditing"),
    ]  # fmt: skip
    promote(app)
    finish(app)

    said = desk(ADMIN).get("/settings/keys", headers=english).text

    assert 'data-key="data-k1" data-use="retired"' in said
    assert re.search(r'data-table="identity" data-done="5"', said)
    assert desk(OPERATOR).get("/settings/keys").status_code == 403
    with app.app_context():
        keys = this_instance().settings.instance / "keys"
        parts = re.findall(r":([^,\s]+)", "".join((keys / name).read_text() for name in ("data_keys", "index_keys")))
        assert len(parts) == 4
        assert not any(part[:12] in said for part in parts)
        actions = (Action.KEYS_ADDED, Action.KEYS_ROTATED)
        records = db.session.scalars(
            select(AuditRecord).where(AuditRecord.action.in_(actions)).order_by(AuditRecord.id)
        )
        told = [(one.action, one.detail["data_key"], one.detail["index_key"]) for one in records]
        assert told == [(Action.KEYS_ADDED, "k2", "k2"), (Action.KEYS_ROTATED, "k2", "k2")]


def test_a_receipt_holds_when_the_key_it_was_made_under_is_gone(app: Flask, make_app: MakeApp) -> None:
    with app.app_context():
        with transaction():
            kept, erased = store(NOW, NOW, person=PERSON)
        numbers = [receipts.issue(row, SYSTEM, this_instance(), NOW) for row in (kept, erased)]
        secrets = [open_secret(number) for number in numbers]
    rotate(app)
    with app.app_context():
        with transaction() as session:
            session.execute(delete(IdentityIndex).where(IdentityIndex.verification_id == erased))
            session.execute(delete(Identity).where(Identity.verification_id == erased))
        for name in ("data_keys", "index_keys"):
            path = this_instance().settings.instance / "keys" / name
            assert path.read_text().startswith("k2:")
            path.write_text(path.read_text().split(",")[0])

    with make_app().app_context():
        kind.agree(this_instance(), NOW)
        found = [queries.by_number(number) for number in numbers]
        assert [one.key_id for one in found if one] == ["k1", "k1"]
        for one, secret in zip(found, secrets, strict=True):
            assert one is not None
            assert secret is not None
            assert receipts.holds(one, secret, this_instance())
        assert open_secret(numbers[0]) == secrets[0]
        assert open_secret(numbers[1]) is None


def open_secret(number: str) -> Secret | None:
    receipt = queries.by_number(number)
    assert receipt is not None
    return receipts.open_secret(receipt, this_instance())
