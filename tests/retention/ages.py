"""Verifications of former days, made as the desk makes them, and nights that pass."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from tests.support.cast import NOW
from tests.verification.calls import MATCH, ask
from webapp.audit.trail import AuditRecord
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.receipts.models import ReceiptSalt
from webapp.retention import purging
from webapp.usage.models import LatencyHour, UsageDay, UsageDelta, UsageHour
from webapp.vendor.contract import Reply
from webapp.verification import rollups
from webapp.verification.models import Identity, IdentityIndex, ReuseReference, Verification

DAY = timedelta(days=1)
TABLES = Identity, IdentityIndex, ReuseReference, ReceiptSalt


def ask_then(app: Flask, person: tuple[str, str], ago: timedelta, reply: Reply = MATCH, *, reference: str = "") -> int:
    """One verification, so long before `NOW`."""
    return ask(app, person, lambda *_asked: reply, clock=lambda: NOW - ago, reference=reference)


def night(app: Flask, now: datetime = NOW, most: int = 10_000) -> int:
    """What the job does, batch after batch; how many there were."""
    with app.app_context():
        done = 0
        while done < most and purging.purge_due(this_instance(), now):
            done += 1
        db.session.remove()
    return done


def identities(app: Flask) -> list[int]:
    """Verifications whose identity stands."""
    with app.app_context():
        return list(db.session.scalars(select(Identity.verification_id).order_by(Identity.verification_id)))


def left(app: Flask) -> dict[str, int]:
    """How many rows of what is personal there are."""
    with app.app_context():
        return {one.__tablename__: db.session.scalar(select(func.count()).select_from(one)) or 0 for one in TABLES}


def said(app: Flask, *actions: str) -> list[tuple[str, dict[str, object]]]:
    """The trail's records of these actions, oldest first."""
    with app.app_context():
        wanted = select(AuditRecord).where(AuditRecord.action.in_(actions)).order_by(AuditRecord.id)
        return [(one.action, one.detail) for one in db.session.scalars(wanted)]


def fold(app: Flask) -> None:
    """Folds all counters."""
    with app.app_context():
        while rollups.fold(this_instance()):
            pass
        db.session.remove()


def counted(app: Flask) -> dict[str, set[tuple[object, ...]]]:
    """All that charts are made of."""
    with app.app_context():
        models = UsageDay, UsageHour, LatencyHour, UsageDelta
        rows = {one.__tablename__: db.session.execute(select(one.__table__)) for one in models}
        return {name: {tuple(row) for row in found} for name, found in rows.items()}


def facts(app: Flask) -> set[tuple[object, ...]]:
    """Every verification's fact, whole."""
    with app.app_context():
        return {tuple(row) for row in db.session.execute(select(Verification.__table__))}
