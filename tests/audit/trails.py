"""A trail that was sealed in segments, hands that reach past the product, and what the verifier says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import text
from sqlalchemy.sql.expression import Executable

from tests.support.cast import NOW
from webapp.audit import chain, sealer, stored, verifier
from webapp.audit.segments import AuditSegment
from webapp.audit.trail import Action, Who, append
from webapp.audit.verifier import Verdict
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

SOMEBODY = Who(2, "乙核验", "192.0.2.7", "r-1")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Said:
    """The faults that were told, and the rest of the verdict."""

    faults: list[str]
    verdict: Verdict


def write(*calls: int) -> None:
    """Appends a record of each of these lots, each in a transaction of its own."""
    for number in calls:
        with transaction():
            append(SOMEBODY, Action.LOT_RECORDED, NOW + number * SECOND, on=("lot", number), subject=b"p" * 16, calls=7)


def seal(app: Flask, later: int = 0) -> None:
    """Seals all that can be sealed, as the job does."""
    with app.app_context():
        while sealer.seal_next(this_instance().keys, NOW + timedelta(hours=1, seconds=later)):
            pass
        db.session.remove()


def filled(app: Flask, segments: int = 4, records: int = 5) -> list[int]:
    """Seals so many segments of so many records, the cast's own before them; returns the numbers of the records."""
    seal(app)
    with app.app_context():
        for segment in range(segments):
            write(*range(segment * records, (segment + 1) * records))
            seal(app, segment)
        found = list(db.session.scalars(text("SELECT id FROM audit_record ORDER BY id")))
        db.session.remove()
    return found


def heads(app: Flask) -> list[str]:
    """The seals of all segments, oldest first."""
    with app.app_context():
        return [one.hex() for one in db.session.scalars(db.select(AuditSegment.seal).order_by(AuditSegment.number))]


def verify(app: Flask, head: str = "") -> Said:
    """What the verifier says of the whole trail."""
    faults: list[str] = []
    with app.app_context():
        verdict = verifier.verify(this_instance().keys, faults.append, head)
        db.session.remove()
    assert verdict.faults == len(faults)
    return Said(faults, verdict)


def sql(app: Flask, *statements: str | Executable, **values: Any) -> None:
    """What somebody does who has the database and no key."""
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        for one in statements:
            connection.execute(text(one) if isinstance(one, str) else one, values)
        connection.commit()


def sealed(app: Flask) -> list[list[int]]:
    """The numbers of the records of each segment."""
    with app.app_context():
        return [[number for number, _mark in chain.unpack_marks(one.marks)] for one in stored.segments()]
