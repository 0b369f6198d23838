"""What goes when: for each class how old its oldest row is, what goes next and how much, at a bounded price."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from webapp.audit import queries as audit
from webapp.audit.trail import AuditRecord
from webapp.foundation.clock import day_of
from webapp.foundation.database import db
from webapp.foundation.instance import Instance
from webapp.foundation.runtime import Effective
from webapp.history.saved_models import SavedView
from webapp.notify.messages import Message
from webapp.retention import batches, periods, purging
from webapp.retention.models import PurgeRun
from webapp.retention.rules import NIGHT, Kind, Period
from webapp.verification.models import Identity, Verification

MOST = 10_000
"""Rows are counted up to here: “10,000 or more” is told of more."""
MONTH = timedelta(days=30)


class Going(NamedTuple):
    """How many rows go; `more`: at least so many."""

    rows: int
    more: bool


class ClassState(NamedTuple):
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
        return audit.oldest()
    if kind == Kind.VIEWS:
        return db.session.scalar(select(func.min(SavedView.used_at)))
    settled = select(Message.finished_at).where(Message.finished_at.is_not(None))
    return db.session.scalar(settled.order_by(Message.id).limit(1))


def _going(kind: Kind, period: Period, at: datetime, instance: Instance) -> Going:
    before = period.before(at, instance.settings.zone)
    if before is None:
        return Going(0, more=False)
    return _counted(kind, before)


def _counted(kind: Kind, before: datetime) -> Going:
    """Those of the class's first rows that are old: a clock that was wrong may have put young ones between them."""
    column = {Kind.IDENTITY: Identity.verification_id, Kind.FACTS: Verification.id, Kind.OUTBOX: Message.id,
              Kind.VIEWS: SavedView.id, Kind.AUDIT: AuditRecord.id}[kind]  # fmt: skip
    query, dropped_to = select(column), audit.dropped_to() if kind == Kind.AUDIT else None
    if dropped_to is not None:  # what was left before it does not go
        query = query.where(column > dropped_to)
    end = batches.first_to_stay(before) if kind in (Kind.IDENTITY, Kind.FACTS) else None
    first = (query if end is None else query.where(column < end)).order_by(column).limit(MOST + 1).subquery()
    table, at = {
        Kind.OUTBOX: (Message.id, Message.finished_at), Kind.AUDIT: (AuditRecord.id, AuditRecord.at),
        Kind.VIEWS: (SavedView.id, SavedView.used_at),
    }.get(kind, (Verification.id, Verification.created_at))  # fmt: skip
    counted = (
        db.session.scalar(select(func.count()).join_from(first, table.class_, first.c[0] == table).where(at < before))
        or 0
    )
    return Going(min(counted, MOST), more=counted > MOST)
