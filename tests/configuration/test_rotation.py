"""Rotating keys: everything ends under the new ones, whatever happens meanwhile, and nobody notices."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import LargeBinary, select

from tests.configuration.rotating import rotate, sealed_under
from tests.history.rows import store
from tests.support.cast import NOW
from webapp.configuration import rotation
from webapp.foundation import key_ring
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.sealed_columns import blind, fleeting, keyed, sealed
from webapp.verification import identities
from webapp.verification.identities import Person
from webapp.verification.models import Identity, IdentityIndex

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
