"""Rotations of the tests: run to their end, and whatever in the database is still under an old key."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import LargeBinary, String, select

from tests.support.cast import NOW
from webapp.configuration import kind, rotation
from webapp.foundation.database import Base, db, end_read
from webapp.foundation.instance import this_instance

LATER = 2 * rotation.GRACE


def begin(app: Flask, now: datetime = NOW) -> int:
    """Lets the database know its keys, and begins."""
    with app.app_context():
        kind.agree(this_instance(), now)
        return rotation.begin(this_instance(), now)


def promote(app: Flask, now: datetime = NOW) -> None:
    with app.app_context():
        assert rotation.go_on(this_instance(), now + LATER)


def finish(app: Flask, now: datetime = NOW) -> None:
    """Goes on until all is over; each look is later than the last."""
    with app.app_context():
        at = now + LATER
        for _turn in range(10_000):
            if rotation.present() is None:
                end_read()
                return
            end_read()
            at += timedelta(seconds=1)
            rotation.go_on(this_instance(), at)
        raise AssertionError("the rotation does not end")


def rotate(app: Flask, now: datetime = NOW) -> None:
    begin(app, now)
    promote(app, now)
    finish(app, now)


def sealed_under(key_id: str, algorithm: int = 1) -> Counter[str]:
    """In which columns, sealed or said to be anything else, blobs of this key and algorithm stand, and how many."""
    head, found = bytes((algorithm, len(key_id))) + key_id.encode(), Counter[str]()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary | String):
                for value in db.session.scalars(select(column).where(column.is_not(None))):
                    content = value if isinstance(value, bytes) else str(value).encode()
                    found[f"{table.name}.{column.name}"] += content.startswith(head)
    end_read()
    return +found
