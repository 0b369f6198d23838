"""Saying what kind of day a day is: an admin's word goes before the notices, until it is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select

from webapp.audit.trail import Action, Who, append
from webapp.foundation.database import db, must_write
from webapp.usage.calendar import DayKind
from webapp.usage.models import CalendarDay

MOST_DAYS = 92


class Said(NamedTuple):
    """The days from `first` to `last` are of this kind; None: as the notices say."""

    first: date
    last: date
    kind: DayKind | None
    note: str = ""


def say(said: Said, who: Who, now: datetime) -> None:
    """Stores what an admin says, in the caller's transaction."""
    session = must_write()
    session.execute(delete(CalendarDay).where(CalendarDay.day >= said.first, CalendarDay.day <= said.last))
    if said.kind is not None:
        number = (said.last - said.first).days + 1
        session.add_all(
            CalendarDay(day=said.first + timedelta(days=index), kind=said.kind, note=said.note, changed_at=now,
                        changed_by=who.user_id)
            for index in range(number)
        )  # fmt: skip
        session.flush()
    append(who, Action.CALENDAR_CHANGED, now, first=said.first.isoformat(), last=said.last.isoformat(), kind=said.kind)


def said_from(first: date) -> Sequence[CalendarDay]:
    """What admins said of `first` and the days after it."""
    return db.session.scalars(select(CalendarDay).where(CalendarDay.day >= first).order_by(CalendarDay.day)).all()
