"""Readings of the reconciliation's tests: calls made here and elsewhere, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN
from tests.verification.calls import MATCH, UNKNOWN, ask, somebody, who
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.reconciliation import operations, queries
from webapp.reconciliation.models import MeterFailure, MeterReading
from webapp.reconciliation.queries import Standing
from webapp.reconciliation.rules import Books, Taken
from webapp.vendor.contract import Reply

BOSS: Who = who(ADMIN)


def call(app: Flask, n: int, reply: Reply = MATCH, at: datetime | None = None) -> int:
    """One call that comes to `reply`."""
    return ask(app, somebody(n), lambda _name, _number: reply, clock=lambda: at or utc_now())


def unknown(app: Flask, n: int, at: datetime | None = None) -> int:
    return call(app, n, UNKNOWN, at)


def enter(app: Flask, used: int, total: int = 10_000, at: datetime | None = None, *, anew: bool = False) -> int:
    """Stores a reading by hand; its number."""
    with app.app_context():
        return operations.enter(used, total, BOSS, this_instance(), at or utc_now(), anew=anew).id


def read(
    app: Flask, at: datetime | None = None, *, hurry: bool = True, by: Who = SYSTEM
) -> MeterReading | MeterFailure:
    """Asks the vendor's counter."""
    with app.app_context():
        return operations.ask(app.extensions["meter"], by, this_instance(), at or utc_now(), hurry=hurry)


def standing(app: Flask) -> Standing:
    with app.app_context():
        found = queries.standing(this_instance().settings.zone)
        assert found is not None
        return found


def books(app: Flask, since: datetime, until: datetime) -> Books:
    with app.app_context():
        return queries.books(Taken(since, since), Taken(until, until), this_instance().settings.zone)


def readings(app: Flask) -> Sequence[MeterReading]:
    """Oldest first."""
    with app.app_context():
        return db.session.scalars(select(MeterReading).order_by(MeterReading.id)).all()


def failures(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(MeterFailure.fault).order_by(MeterFailure.id)))


def notices(app: Flask, kind: str = "drift") -> list[dict[str, object]]:
    with app.app_context():
        return list(db.session.scalars(select(Notice.params).where(Notice.kind == kind)))


def records(app: Flask, action: Action) -> list[AuditRecord]:
    with app.app_context():
        return list(
            db.session.scalars(select(AuditRecord).where(AuditRecord.action == action).order_by(AuditRecord.id))
        )
