"""Rows straight from the driver: the same as SQLAlchemy's own, whatever the statement was compiled for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Integer, bindparam, literal_column, select, text, tuple_
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from tests.history.rows import store
from tests.support.cast import NOW
from webapp.foundation.database import db, transaction
from webapp.foundation.reading import read
from webapp.verification.identities import Person
from webapp.verification.models import Identity, Verification

V, SEALED = Verification.__table__, Identity.__table__
PLACE = tuple_(bindparam("at", type_=V.c.created_at.type), bindparam("number", type_=V.c.id.type))
KEPT = (
    select(V.c.id, V.c.created_at, V.c.cause, V.c.deadline_at, SEALED.c.sealed)
    .select_from(V.outerjoin(SEALED, SEALED.c.verification_id == V.c.id))
    .where(tuple_(V.c.created_at, V.c.id) < PLACE, V.c.id <= bindparam("number"))
    .order_by(V.c.created_at.desc())
    .limit(literal_column("3", Integer))
)


@pytest.fixture
def stored(context: Flask) -> Flask:
    """Some with a person, some whose person was erased, at whole seconds and between them."""
    with transaction():
        store(NOW, NOW + timedelta(microseconds=7), person=Person("张三", "11010519491231002X"))
        store(NOW + timedelta(seconds=1), NOW - timedelta(days=90, microseconds=1))
    return context


@pytest.mark.usefixtures("stored")
def test_rows_are_those_of_an_ordinary_read() -> None:
    asked = {"at": NOW + timedelta(seconds=1), "number": 3}

    found = read(KEPT, **asked)

    assert found == [tuple(row) for row in db.session.execute(KEPT, asked)]
    assert [row[0] for row in found] == [2, 1]
    assert {row[1].utcoffset() for row in found} == {timedelta(0)}
    assert [type(value) for value in found[0]] == [int, type(NOW), type(None), type(NOW), bytes]
    assert read(KEPT, at=NOW - timedelta(days=1), number=9) == [
        tuple(row) for row in db.session.execute(KEPT, asked | {"at": NOW - timedelta(days=1), "number": 9})
    ]


@pytest.mark.usefixtures("stored")
def test_a_read_is_part_of_the_transaction_around_it() -> None:
    with transaction():
        store(NOW - timedelta(seconds=1))

        assert [row[0] for row in read(KEPT, at=NOW, number=9)] == [1, 5, 4]


@pytest.mark.usefixtures("context")
def test_what_the_driver_does_not_give_as_it_is_cannot_be_read_so() -> None:
    with pytest.raises(TypeError, match="as they are"):
        read(select(V.c.id, V.c.consent))
    with pytest.raises(TypeError, match="as they are"):
        read(select(V.c.id, V.c.finished_at))


@pytest.mark.usefixtures("context")
def test_a_fault_of_the_database_is_told_as_in_any_other_read() -> None:
    nowhere = select(literal_column("1", Integer)).select_from(text("nowhere"))
    with pytest.raises(SQLAlchemyError) as ordinary:
        db.session.execute(nowhere)
    db.session.rollback()

    with pytest.raises(type(ordinary.value)) as ours:
        read(nowhere)

    assert not isinstance(ours.value, ProgrammingError) or db.engine.dialect.name == "postgresql"
