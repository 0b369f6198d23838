"""What goes when: for each class how old its oldest row is, what goes next and how much, at a bounded price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from webapp.audit.trail import AuditRecord
from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.runtime import Effective
from webapp.notify.messages import Message
from webapp.retention import batches, periods, purging
from webapp.retention.models import PurgeRun
from webapp.retention.rules import NIGHT, Kind, Period
from webapp.verification.models import Identity, Verification

MOST = 10_000
"""Rows are counted up to here: “10,000 or more” is told of more."""
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Going:
    """How many rows go; `more`: at least so many."""

    rows: int
    more: bool


@dataclass(frozen=True, slots=True)
class ClassState:
    """One class as the page shows it. `next_on`: the day in whose night the oldest row goes; None: nothing will."""

    period: Period
    effective: Effective
    oldest: datetime | None
    next_on: date | None
    tonight: Going
    within_month: Going
    last: PurgeRun | None
    effect: PurgeRun | None


def classes(instance: Instance, now: datetime) -> list[ClassState]:
    """Every class."""
    return [_state(kind, instance, now) for kind in Kind]


def would_go(kind: Kind, days: int, instance: Instance, now: datetime) -> Going:
    """How many rows of a class would go tonight if it were kept for so many days."""
    return _going(kind, Period(kind, days), tonight(now, instance), instance)


def tonight(now: datetime, instance: Instance) -> datetime:
    """An instant of the next purge."""
    local = now.astimezone(instance.settings.zone)
    night = local.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    return night if local < night else night + timedelta(days=1)


def _state(kind: Kind, instance: Instance, now: datetime) -> ClassState:
    period, oldest = periods.period(kind, instance), _oldest(kind)
    next_on = None
    if period.ends and oldest is not None:
        ends = day_of(oldest, instance.settings.zone) + timedelta(days=period.days + 1)
        next_on = max(ends, day_of(tonight(now, instance), instance.settings.zone))
    night = tonight(now, instance)
    return ClassState(
        period, periods.effective(kind, instance), oldest, next_on, _going(kind, period, night, instance),
        _going(kind, period, night + MONTH, instance), purging.last_run(kind), purging.last_effect(kind),
    )  # fmt: skip


def _oldest(kind: Kind) -> datetime | None:
    """When the oldest row was made (of messages: settled)."""
    if kind == Kind.IDENTITY:
        first = select(Identity.verification_id).order_by(Identity.verification_id).limit(1).scalar_subquery()
        return db.session.scalar(select(Verification.created_at).where(Verification.id == first))
    if kind == Kind.FACTS:
        return db.session.scalar(select(func.min(Verification.created_at)))
    if kind == Kind.AUDIT:
        return db.session.scalar(select(AuditRecord.at).order_by(AuditRecord.id).limit(1))
    return db.session.scalar(select(func.min(Message.finished_at)))


def _going(kind: Kind, period: Period, at: datetime, instance: Instance) -> Going:
    before = period.before(at, instance.settings.zone)
    if before is None:
        return Going(0, more=False)
    return _counted(kind, before)


def _counted(kind: Kind, before: datetime) -> Going:
    old: list[ColumnElement[bool]]
    if kind == Kind.IDENTITY:
        end = batches.first_to_stay(before)
        column, old = Identity.verification_id, [] if end is None else [Identity.verification_id < end]
    elif kind == Kind.FACTS:
        column, old = Verification.id, [Verification.created_at < before]
    elif kind == Kind.AUDIT:
        column, old = AuditRecord.id, [AuditRecord.at < before]
    else:
        column, old = Message.id, [Message.finished_at < before]
    rows = select(column).where(*old).limit(MOST + 1).subquery()
    counted = db.session.scalar(select(func.count()).select_from(rows)) or 0
    return Going(min(counted, MOST), more=counted > MOST)
