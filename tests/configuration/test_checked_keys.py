"""`yuliang check` names what stands under a key that is not in use: restored from a copy, overlooked, or broken."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.configuration.rotating import begin, finish, promote, rotate
from tests.history.rows import store
from tests.support.cast import NOW
from tests.verification.calls import differences
from webapp.checking import seals
from webapp.foundation.database import db, end_read, transaction
from webapp.verification.identities import Person
from webapp.verification.models import Identity

PERSON = Person("欧阳甲乙", "11010519491231002X", "单-7", "广东省", "汕头市")


@pytest.fixture
def three(app: Flask) -> list[int]:
    """Three people, told beside the books: they have no entries there."""
    with app.app_context(), transaction():
        return store(*[NOW] * 3, person=PERSON)


def named(app: Flask) -> list[str]:
    return [one for one in differences(app) if "key" in one or "sealed" in one]


def test_a_rotation_leaves_nothing_to_be_named_at_any_step(app: Flask, three: list[int]) -> None:
    for step in (begin, promote, finish):
        assert named(app) == []
        step(app)
    assert named(app) == []


def test_what_is_back_under_a_retired_key_is_named_with_its_index(app: Flask, three: list[int]) -> None:
    with app.app_context():
        before = db.session.scalar(select(Identity.sealed).where(Identity.verification_id == three[1]))
        end_read()
    rotate(app)
    with app.app_context(), transaction() as session:
        one = update(Identity).where(Identity.verification_id == three[1])
        session.execute(one.values(sealed=before, index_key="k1"))

    assert named(app) == [
        f"identity:{three[1]} is sealed under key k1, which was retired",
        f"identity:{three[1]} is found under index key k1, which was retired",
    ]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\1\2k9", "is sealed under key k9, which is no key of this database"),
        (b"\1\1k", "is sealed under key k, which is no key of this database"),
        (b"\7\2k1", "is not sealed in any way that this version knows"),
        (b"\1", "is not sealed in any way that this version knows"),
        (b"\1\2\xff\xff", "is not sealed in any way that this version knows"),
    ],
)
def test_what_is_under_no_key_or_not_sealed_is_named(app: Flask, three: list[int], start: bytes, said: str) -> None:
    with app.app_context(), transaction() as session:
        one = update(Identity).where(Identity.verification_id == three[0])
        session.execute(one.values(sealed=start + bytes(40) if len(start) > 1 else start))

    assert named(app) == [f"identity:{three[0]} {said}"]


def test_a_row_that_never_said_its_index_key_is_sound_until_one_is_retired(app: Flask, three: list[int]) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Identity).values(index_key=None))
    assert named(app) == []

    rotate(app)
    assert named(app) == [], "each was indexed anew"
    with app.app_context(), transaction() as session:
        session.execute(update(Identity).where(Identity.verification_id == three[2]).values(index_key=None))
    assert named(app) == [f"identity:{three[2]} is found under index key –, which was retired"]


def test_no_more_are_named_than_can_be_read(app: Flask, three: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "MOST_NAMED", 2)
    with app.app_context(), transaction() as session:
        session.execute(update(Identity).values(index_key="k9"))

    assert len(named(app)) == 2
