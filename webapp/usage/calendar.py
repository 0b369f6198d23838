"""Pure: what kind of day a day is. No I/O; what a library and the admins know is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from webapp.usage.festivals import expected_holidays


class DayKind(StrEnum):
    """How people work on a day."""

    ORDINARY = "ordinary"
    """As its weekday says."""
    WORKDAY = "workday"
    """Worked although it is a weekend: a holiday was shifted."""
    HOLIDAY = "holiday"
    CLOSED = "closed"
    """Nobody verifies anybody; only admins say so."""


class Source(StrEnum):
    """Who says what kind of day it is."""

    ADMIN = "admin"
    NOTICE = "notice"
    EXPECTED = "expected"
    """No notice is out for that year; the holidays that return every year."""
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days that are not ordinary: `notice` is known up to and with the year `known_to`, `admin` goes before all."""

    notice: Mapping[date, DayKind] = field(default_factory=dict)
    known_to: int = 0
    admin: Mapping[date, DayKind] = field(default_factory=dict)

    def look_up(self, day: date) -> tuple[DayKind, Source]:
        """The kind of `day`, and who says so."""
        if day in self.admin:
            return self.admin[day], Source.ADMIN
        if day in self.notice and day.year <= self.known_to:
            return self.notice[day], Source.NOTICE
        if day.year > self.known_to and day in expected_holidays(day.year):
            return DayKind.HOLIDAY, Source.EXPECTED
        return DayKind.ORDINARY, Source.WEEKDAY

    def kind(self, day: date) -> DayKind:
        """The kind of `day`."""
        return self.look_up(day)[0]


class Spell(NamedTuple):
    """Days in a row that are not ordinary, of one kind, for one reason."""

    first: date
    last: date
    kind: DayKind
    source: Source

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


def spells(calendar: Calendar, first: date, last: date) -> list[Spell]:
    """The days from `first` to `last` that are not as their weekday says, put together."""
    found: list[Spell] = []
    for index in range((last - first).days + 1):
        day = first + timedelta(days=index)
        kind, source = calendar.look_up(day)
        if source == Source.WEEKDAY:
            continue
        before = found[-1] if found else None
        if before and (before.kind, before.source) == (kind, source) and before.last == day - timedelta(days=1):
            found[-1] = Spell(before.first, day, kind, source)
        else:
            found.append(Spell(day, day, kind, source))
    return found
