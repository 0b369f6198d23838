"""The charts of calls: how many, told apart by one thing, and compared with the time before; how well they were
answered; when in the week they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _

from webapp.accounts import queries as accounts
from webapp.dashboard.usage_forms import HEADS, Asked
from webapp.foundation.charts import Chart, Line
from webapp.foundation.clock import day_of, utc_now
from webapp.usage import daily, queries, series
from webapp.usage.daily import Series
from webapp.usage.facets import FACETS, HOUR, LATENCY, Key
from webapp.usage.latency import BUCKETS, quantile
from webapp.usage.series import OTHERS
from webapp.usage.spans import DAY, Slot, Step, before, counterparts, in_pieces, label, pieces
from webapp.vendor.texts import CAUSES
from webapp.verification.queries import all_purposes
from webapp.verification.texts import OUTCOMES, SOURCES


@dataclass(frozen=True, slots=True)
class View:
    """What is asked, in which zone, the pieces it is cut into, and the first day on which calls were counted."""

    asked: Asked
    zone: ZoneInfo
    slots: Sequence[Slot]
    labels: Sequence[str]
    begins: date | None

    @classmethod
    def of(cls, asked: Asked, zone: ZoneInfo) -> View:
        """Cuts the span."""
        slots, begins = pieces(asked.span, asked.step, zone), queries.begins(zone)
        return cls(asked, zone, slots, [label(slot, asked.step, zone, asked.span) for slot in slots], begins)

    @property
    def before(self) -> View:
        """What it is compared with."""
        span = before(self.asked.span, self.asked.step)
        return replace(self, asked=replace(self.asked, span=span), slots=pieces(span, self.asked.step, self.zone))

    @property
    def counted(self) -> list[bool]:
        """Whether calls were counted in each piece, or in a part of it."""
        starts = [day_of(slot, self.zone) if isinstance(slot, datetime) else slot for slot in self.slots]
        lasts = starts if self.hourly else [*(start - DAY for start in starts[1:]), self.asked.span.last]
        return [self.begins is not None and last >= self.begins for last in lasts]

    @property
    def hourly(self) -> bool:
        """Whether the pieces are hours."""
        return self.asked.step == Step.HOUR

    def chart(self, name: str, title: str, lines: Sequence[Line], unit: str, **more: Any) -> Chart:
        """A chart over the pieces."""
        own: dict[str, Any] = {"axis": f"{self.asked.step}s", "head": str(HEADS[self.asked.step]),
                               "places": self.labels, "period": self.period}  # fmt: skip
        return Chart(name, title, lines=lines, unit=unit, zone=str(self.zone), **(own | more))

    @property
    def period(self) -> str:
        """In names of files."""
        return f"{self.asked.span.first}-{self.asked.span.last}"

    def count(self, facet: str) -> Series:
        """Calls of each piece, by the keys of a facet."""
        asked = self.asked
        if self.hourly:
            return _hourly(self, FACETS[facet].names)
        counted = daily.calls(facet, asked.span, self.zone, operator_id=asked.operator_id)
        return {key: in_pieces(days, asked.span, self.slots) for key, days in counted.items()}


def _hourly(view: View, names: Sequence[str]) -> Series:
    """As `View.count`, hour by hour."""
    places = {slot: place for place, slot in enumerate(view.slots)}
    found: dict[Key, list[int]] = {}
    counted = queries.calls_by_hour(names, view.asked.span, view.zone, operator_id=view.asked.operator_id)
    for (hour, *key), number in counted.items():
        found.setdefault(tuple(key), [0] * len(places))[places[hour]] = number
    return found


class Comparison(NamedTuple):
    """Calls in each piece beside those of the span before, and the sums of both. `since`: the first day on which calls
    were counted, where it lies after the beginning of the span before. `over`: both sums of the pieces that are over;
    `unfinished`: not all are."""

    chart: Chart
    now: int
    then: int
    since: date | None
    over: tuple[int, int]
    unfinished: bool

    @property
    def change(self) -> float | None:
        """How much more in the pieces that are over, as a share; None where not all the time before was counted."""
        return None if self.since else series.change(*self.over)


def calls(view: View) -> Comparison:
    """Calls in each piece, told apart, beside those of the span before."""
    by = series.together(view.count(view.asked.stack.removesuffix("_id")), lambda key: str(key[0]))
    found = series.largest(series.stack(by, series.OUTCOMES))
    names = _names(view.asked.stack)
    lines = [Line(one.key, names.get(one.key, one.key), one.values) for one in found]
    earlier = view.before
    then = series.added(earlier.count("outcome").values()) or [0] * len(earlier.slots)
    beside = _beside(view, earlier, then)
    chart = view.chart("usage", _("Calls"), [*lines, beside], _("calls"))
    since = view.begins if view.begins and earlier.asked.span.first < view.begins else None
    now, ended = sum(one.total for one in found), _ended(view)
    unfinished = ended < len(view.slots)
    over = sum(sum(one.values[:ended]) for one in found), sum(int(one or 0) for one in beside.values[:ended])
    return Comparison(chart, now, sum(then), since, over if unfinished else (now, sum(then)), unfinished)


def _ended(view: View) -> int:
    """How many of the pieces are over."""
    now = utc_now()
    today = day_of(now, view.zone)
    ends = [*view.slots[1:], view.asked.span.last + DAY]
    return sum(end <= now if isinstance(end, datetime) else end <= today for end in ends)


def _beside(view: View, earlier: View, then: Sequence[int]) -> Line:
    """The calls of the span before, each piece at the place of its counterpart; none of before calls were counted."""
    places = counterparts(view.asked.span, view.asked.step, view.zone)
    counted = earlier.counted
    span = earlier.asked.span
    said = _("Before: %(first)s to %(last)s", first=span.first.isoformat(), last=span.last.isoformat())
    values = [None if place is None or not counted[place] else then[place] for place in places]
    return Line("before", said, values, "dashed")


def answers(view: View) -> tuple[Chart, Chart]:
    """The share of calls that were answered, and why the others were not."""
    counted = view.count("cause")
    by_outcome = series.together(counted, lambda key: str(key[0]))
    missed = {" ".join(filter(None, key)): calls for key, calls in counted.items()
              if key[0] not in (*series.CONCLUSIVE, "sending")}  # fmt: skip
    shares = [series.success({outcome: calls[place] for outcome, calls in by_outcome.items()})
              for place in range(len(view.slots))]  # fmt: skip
    answered = Line("answered", _("Answered"), [None if one is None else round(one * 100, 1) for one in shares], "line")
    return (
        view.chart("success", _("Success rate"), [answered], "%", digits=1),
        view.chart("refusals", _("Not answered"), [
            Line(one.key, _reason(one.key), one.values)
            for one in series.largest(series.stack(missed))
        ], _("calls")),
    )  # fmt: skip


def _reason(key: str) -> str:
    outcome, _blank, cause = key.partition(" ")
    if key == OTHERS:
        return _("Others")
    said = str(OUTCOMES[outcome].label)
    return _("%(outcome)s: %(cause)s", outcome=said, cause=CAUSES.get(cause, cause)) if cause else said


def latency(view: View) -> Chart:
    """How long answers took, estimated from a histogram."""
    counted = _latencies(view) if view.hourly else view.count(LATENCY)
    histograms = [{bucket: answers[place] for (bucket,), answers in counted.items()}
                  for place in range(len(view.slots))]  # fmt: skip
    lines = [
        Line(key, words, [quantile(histogram, share) for histogram in histograms], draw)
        for key, words, share, draw in (
            ("p50", _("Half of the answers within (p50)"), 0.5, "line"),
            ("p95", _("95 of 100 answers within (p95)"), 0.95, "dashed"),
        )
    ]
    slow = {
        place: _("Perhaps over %(seconds)s s: slower answers are not told apart", seconds=BUCKETS[-1] // 1000)
        for place in range(len(histograms))
        if any((line.values[place] or 0) > BUCKETS[-2] for line in lines)
    }
    return view.chart("latency", _("Time to answer"), lines, _("ms"), notes=slow)


def _latencies(view: View) -> Series:
    """The answers of each hour, by bucket."""
    places = {slot: place for place, slot in enumerate(view.slots)}
    found: dict[Key, list[int]] = {}
    for hour, histogram in queries.latencies(view.asked.span, view.zone).items():
        for bucket, answers in histogram.items():
            found.setdefault((bucket,), [0] * len(places))[places[hour]] = answers
    return found


def week(view: View) -> Chart:
    """Calls of a weekday's hour of the clock, on average of the hours that were counted and have begun."""
    asked = view.asked
    counted = daily.calls(HOUR, asked.span, view.zone, operator_id=asked.operator_id)
    clock = {hour: days for (hour,), days in counted.items()}
    names = get_day_names("abbreviated", locale=get_locale())
    now, first = utc_now().astimezone(view.zone), asked.span.first
    begun = [min(asked.span.days, max(0, (now.date() - first).days + (hour <= now.hour))) for hour in range(24)]
    lead = max(0, (view.begins - first).days) if view.begins else 0
    cells = series.week(clock, first, lead, begun)
    lines = [Line(str(day), names[day], values, "cell") for day, values in cells.items()]
    return view.chart("week", _("Calls in an average week"), lines, _("calls"), kind="heat", axis="hours", digits=1,
                      head=_("Hour"), places=[f"{hour:02}:00" for hour in range(24)], newest_first=False)  # fmt: skip


def _names(stack: str) -> Mapping[str, str]:
    """What the keys of a dimension are called."""
    names: dict[str, str] = {OTHERS: _("Others")}
    if stack == "outcome":
        names |= {key: str(text.label) for key, text in OUTCOMES.items()}
    elif stack == "source":
        names |= {key: str(text) for key, text in SOURCES.items()}
    elif stack == "operator_id":
        names |= {str(user.id): user.name for user in accounts.users()}
    elif stack == "department_id":
        names |= department_names()
    else:
        names |= purpose_names()
    return names


def department_names() -> dict[str, str]:
    """What departments are called; those without one too."""
    return {"0": _("No department")} | {str(one.id): one.name for one in accounts.departments()}


def purpose_names() -> dict[str, str]:
    """What purposes are called, in the reader's language."""
    return {str(one.id): one.name_in(str(get_locale())) for one in all_purposes()}
