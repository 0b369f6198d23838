"""Readers leaf through the history while verifications are stored and their outcomes change: no gap, no duplicate."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.history.rows import store
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR
from webapp.accounts.models import User
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history.filters import OLDEST, Cursor, Filters
from webapp.history.queries import page
from webapp.verification.identities import Person
from webapp.verification.models import Verification

BEFORE, MEANWHILE, SIZE = 60, 40, 7
PERSON = Person("欧阳演练", "11010519491231002X", "", "演练省", "演练市")


def walk(filters: Filters, start: Cursor | None) -> list[int]:
    """All numbers, page by page, each page its own look at the database."""
    seen, cursor = list[int](), start
    while True:
        here = page(filters, db.session.get_one(User, ADMIN.id), this_instance(), SIZE, cursor)
        numbers = [row.id for row in here.rows]
        db.session.rollback()
        seen += numbers if start is None else numbers[::-1]
        onward = here.older if start is None else here.newer
        if onward is None:
            return seen
        cursor = Cursor.decode(onward)


def write(app: Flask, done: threading.Event) -> None:
    with app.app_context():
        for number in range(MEANWHILE):
            at = NOW + timedelta(minutes=5, seconds=number)
            with transaction() as session:
                made = store(at, person=PERSON, outcome="sending", billed="unknown", operator_id=COLLEAGUE.id)
                oldest = select(Verification.id).order_by(Verification.id).offset(number % BEFORE).limit(1)
                session.execute(update(Verification).where(Verification.id == oldest.scalar_subquery()).values(
                    billed=("yes", "unknown")[number % 2]))  # fmt: skip
            with transaction() as session:
                session.execute(
                    update(Verification).where(Verification.id.in_(made)).values(outcome="match", billed="yes")
                )
        db.session.remove()
    done.set()


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(search="欧阳"),
        Filters(operator=OPERATOR.id, department=1),
        Filters(province="演练省", purpose=1),
    ],
    ids=["all", "name", "pair", "place"],
)
def test_whoever_leafs_sees_each_row_that_was_there_once_in_order(app: Flask, filters: Filters) -> None:
    with app.app_context(), transaction():
        there = store(*[NOW + timedelta(seconds=number // 3) for number in range(BEFORE)], person=PERSON)
    done, walks = threading.Event(), list[list[int]]()

    def read() -> None:
        with app.app_context():
            while not done.is_set():
                walks.extend((walk(filters, None), walk(filters, OLDEST)[::-1]))
            db.session.remove()

    threads = [threading.Thread(target=read), threading.Thread(target=write, args=(app, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert done.is_set()
    assert walks
    for seen in walks:
        assert len(seen) == len(set(seen)), "a row stood on two pages"
        assert [number for number in seen if number in there] == there[::-1], "a row was missing, or out of order"
