"""Pure: a span of days cut into hours, days, weeks or months, and the span before it. No I/O.

Days and hours are those of the reporting zone. Weeks begin on Monday; the first and the last piece of a span may be
cut short by it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.foundation.clock import end_of, start_of
from webapp.usage.hours import hour_of

DAY = timedelta(days=1)


class Step(StrEnum):
    """How long a piece is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


MOST_DAYS = {Step.HOUR: 31, Step.DAY: 366, Step.WEEK: 1_100, Step.MONTH: 3_660}
"""How long a span of each step may be: some thousand pieces at most."""


class Span(NamedTuple):
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


Slot = date | datetime
"""The first day of a piece, or the first instant of an hour."""


def before(span: Span, step: Step) -> Span:
    """What a span is compared with: as many days, whole weeks earlier, the least that do not overlap, so that Mondays
    are compared with Mondays; by months as many months earlier, the same days of the month. It has as many pieces,
    but by hours where clocks change (see `counterparts`)."""
    if step == Step.MONTH:
        months = len(slots_of(span, step))
        first, last = _months_back(span.first, months), _months_back(span.last, months)
        if (span.last + DAY).day == 1 and (months > 1 or span.first.day == 1):
            last = _last_of(last)
        return Span(first, last)
    earlier = timedelta(weeks=-(-span.days // 7))
    return Span(span.first - earlier, span.last - earlier)


def _months_back(day: date, months: int) -> date:
    """The same day of the month; the last one for one that the month does not have."""
    index = day.year * 12 + day.month - 1 - months
    first = date(index // 12, index % 12 + 1, 1)
    return first.replace(day=min(day.day, _last_of(first).day))


def _last_of(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def counterparts(span: Span, step: Step, zone: ZoneInfo) -> list[int | None]:
    """For each piece of a span the place of what it is compared with among those of the span before; None: that day had
    no such hour."""
    slots, earlier = pieces(span, step, zone), before(span, step)
    if step != Step.HOUR:
        return list(range(len(slots)))

    def on_the_clock(slot: Slot, first: date) -> tuple[timedelta, time, int]:
        local = slot.astimezone(zone)  # type: ignore[union-attr]
        return local.date() - first, local.time(), local.fold

    places = {on_the_clock(slot, earlier.first): place for place, slot in enumerate(pieces(earlier, step, zone))}
    return [places.get(on_the_clock(slot, span.first)) for slot in slots]


def slots_of(span: Span, step: Step) -> list[Slot]:
    """The pieces of a span by days, weeks or months, the oldest first."""
    days = (span.first + timedelta(days=index) for index in range(span.days))
    return list(dict.fromkeys(slot_of(day, span, step) for day in days))


def in_pieces(days: Sequence[int], span: Span, slots: Sequence[Slot]) -> list[int]:
    """Numbers of the days of a span, added up in its pieces by days, weeks or months (see `slots_of`)."""
    if len(slots) == span.days:
        return list(days)
    starts = [*(slot.toordinal() - span.first.toordinal() for slot in slots), span.days]
    return [sum(days[begin:end]) for begin, end in pairwise(starts)]


def slot_of(day: date, span: Span, step: Step) -> date:
    """The first day of the piece that `day` lies in."""
    if step == Step.WEEK:
        return max(span.first, day - timedelta(days=day.weekday()))
    if step == Step.MONTH:
        return max(span.first, day.replace(day=1))
    return day


def hours_of(span: Span, zone: ZoneInfo) -> list[Slot]:
    """The clock hours of a span, the oldest first: 23 or 25 on a day on which clocks change."""
    at, end = start_of(span.first, zone), end_of(span.last, zone)
    halves = (at + timedelta(minutes=30) * index for index in range(int((end - at) / timedelta(minutes=30))))
    return list(dict.fromkeys(hour_of(half, zone) for half in halves))


def label(slot: Slot, step: Step, zone: ZoneInfo, span: Span) -> str:
    """A piece of a span as a chart and a table name it; of an hour that comes twice both carry their offset, of a month
    that the span cuts short its days are told."""
    if isinstance(slot, datetime):
        local = slot.astimezone(zone)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return local.strftime("%Y-%m-%d %H:%M%z" if twice else "%Y-%m-%d %H:%M")
    return _month(slot, span) if step == Step.MONTH else slot.isoformat()


def _month(first: date, span: Span) -> str:
    """2026-10, or of a part of it 2026-10 (25–31)."""
    end = _last_of(first)
    last = min(end, span.last)
    whole = first.day == 1 and last == end
    return f"{first:%Y-%m}" if whole else f"{first:%Y-%m} ({first.day}–{last.day})"


def pieces(span: Span, step: Step, zone: ZoneInfo) -> Sequence[Slot]:
    """The pieces of a span, whatever the step."""
    return hours_of(span, zone) if step == Step.HOUR else slots_of(span, step)
