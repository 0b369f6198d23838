"""Blind indexes of places: written with the vendor's answer, and afterwards for what was stored without them."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from tests.history.rows import store
from tests.support.cast import NOW
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.vendor.contract import Derived
from webapp.verification import identities, place_index
from webapp.verification.identities import Person
from webapp.verification.models import Identity, IdentityIndex, IndexKind

NUMBER = "11010519491231002X"
DERIVED = Derived("广东省", "汕头市", "", "19491231", "F", "76")

pytestmark = pytest.mark.usefixtures("context")


def indexed() -> set[tuple[int, bytes]]:
    places = IdentityIndex.kind.in_((IndexKind.PROVINCE, IndexKind.CITY))
    return {(one, blind) for one, blind in db.session.execute(
        select(IdentityIndex.verification_id, IdentityIndex.blind).where(places))}  # fmt: skip


def of(*verifications: int) -> set[tuple[int, bytes]]:
    sealer = this_instance().sealer
    named = [sealer.index("province", "广东"), sealer.index("city", "广东\0汕头")]
    return {(one, blind) for one in verifications for blind in named}


def forget() -> None:
    """As a version stored them that knew no places."""
    with transaction() as session:
        session.execute(delete(IdentityIndex).where(IdentityIndex.kind.in_(place_index.PLACES)))


def test_an_answer_makes_its_verification_findable_by_place() -> None:
    with transaction():
        (row,) = store(NOW, person=Person("张三", NUMBER))
        assert indexed() == set()
        identities.complete(row, DERIVED, b"{}", this_instance().sealer)
    with transaction():
        identities.complete(row, DERIVED, b"{}", this_instance().sealer)

    assert indexed() == of(row)


def test_what_was_stored_without_is_indexed_batch_by_batch_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_index, "BATCH", 2)
    person = Person("张三", NUMBER, "", "广东省", "汕头市")
    with transaction():
        rows = store(*[NOW] * 5, person=person)
        rows += store(NOW, person=Person("李四", NUMBER))
    forget()

    assert place_index.index_some(this_instance(), NOW)
    assert indexed() == of(*rows[:2]), "whoever is killed now goes on here"
    with transaction():
        late = store(NOW, person=person)
    while place_index.index_some(this_instance(), NOW):
        pass

    assert indexed() == of(*rows[:5], *late)
    assert not place_index.index_some(this_instance(), NOW)


def test_what_was_erased_meanwhile_is_passed_over() -> None:
    with transaction():
        first, second = store(NOW, NOW, person=Person("张三", NUMBER, "", "广东省", "汕头市"))
    forget()
    with transaction() as session:
        session.execute(delete(IdentityIndex).where(IdentityIndex.verification_id == first))
        session.execute(delete(Identity).where(Identity.verification_id == first))

    place_index.index_some(this_instance(), NOW)

    assert indexed() == of(second)
