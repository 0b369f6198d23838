"""How the remaining calls went down, and will: past days from ledger and counters, days to come from the forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from webapp.dashboard.movements import movements
from webapp.dashboard.runout import RunOut, run_out
from webapp.foundation.charts import Chart, Figure, Line
from webapp.quota import queries as quota
from webapp.quota.entry_table import KINDS
from webapp.quota.models import EntryKind, Lot
from webapp.usage import daily, past_supply, series
from webapp.usage import forecast as forecasting
from webapp.usage.demand import HORIZON
from webapp.usage.forecast import Forecast, Remaining
from webapp.usage.past_supply import Movement
from webapp.usage.spans import Span

AHEAD = 30
"""Days looked ahead at least, and beyond the end of the range."""


class Supply(NamedTuple):
    """The chart, and what it foretells."""

    chart: Chart
    run_out: RunOut


def supply(today: date, zone: ZoneInfo, first: date, last: date | None = None) -> Supply | None:
    """The days from `first`, which has come, to `last`: None, as far as the calls reach. None where no lot is recorded.

    What `last` is ahead of the horizon of the forecast is left out.
    """
    lots = quota.lots()
    if not lots:
        return None
    found = run_out(today, zone)
    reach = _reach(found.forecast) if last is None else min(HORIZON, max(0, (last - today).days))
    ahead = forecasting.burn_down(found.stock, found.demand, reach) if found.demand else []
    days = past_supply.days_until(today, (today - first).days + 1)
    moved = [*_movements(lots, zone, today), *_to_come(found, today)]
    left = past_supply.ends_of_days(
        sum(lot.available for lot in found.lots if lot.bought_on <= today), days, _taken(Span(days[0], today), zone),
        [one for one in moved if one.day <= today],
    )  # fmt: skip
    names = {lot.id: lot.name for lot in [*lots, *found.lots]}
    return Supply(_chart(days, left, ahead, [one for one in moved if one.change], names, str(zone), last), found)


def _reach(found: Forecast | None) -> int:
    """How many days ahead are worth drawing."""
    if found is None:
        return 0
    end = HORIZON if found.most is None else found.most
    return min(HORIZON, end + AHEAD)


def _movements(lots: Sequence[Lot], zone: ZoneInfo, today: date) -> list[Movement]:
    """What was bought and lost on past days; of lots that ended and are not written off yet, too."""
    due = [Movement(today, EntryKind.LAPSE, lot.id, -lot.available)
           for lot in lots if lot.has_ended(today) and lot.available]  # fmt: skip
    return [one for one in movements(lots, zone, due) if one.day <= today]


def _to_come(found: RunOut, today: date) -> list[Movement]:
    """Lots that begin later, and what will likely lapse."""
    begins = [Movement(lot.bought_on, EntryKind.PURCHASE, lot.id, lot.available)
              for lot in found.lots if lot.bought_on > today]  # fmt: skip
    ends = [Movement(one.lot.expires_on, EntryKind.LAPSE, one.lot.id, -one.calls) for one in found.lapses]
    return [*begins, *(replace(one, day=max(one.day, today + timedelta(days=1))) for one in ends)]


def _taken(span: Span, zone: ZoneInfo) -> dict[date, int]:
    """Calls of each day that a lot gave."""
    counted = daily.calls("lot", span, zone)
    taken = series.added(days for (lot_id, _outcome, billed), days in counted.items() if lot_id and billed != "no")
    return {span.first + timedelta(days=ahead): calls for ahead, calls in enumerate(taken)}


def _chart(
    days: Sequence[date], left: Sequence[Figure], ahead: Sequence[Remaining], movements: Sequence[Movement],
    names: Mapping[int, str], zone: str, last: date | None,
) -> Chart:  # fmt: skip
    """One place for each day; what was, and from today on what is likely and how far it may be off."""
    all_days = [*days, *(one.day for one in ahead[1:])]
    shown = [day for day in all_days if last is None or day <= last]
    place = {day: index for index, day in enumerate(shown)}
    seen = [one for one in movements if one.day in place]
    later: list[Figure] = [None] * (len(all_days) - len(days))
    drawn = [Line("left", _("Left"), [*left, *later], "line"), *_foretold(ahead, len(days) - 1)]
    lines = [
        *(replace(line, values=line.values[: len(shown)]) for line in drawn),
        Line("bought", _("Bought or given back"), _sums(past_supply.at_once(seen), place, +1), "up"),
        Line("ended", _("Lapsed or taken off"), _sums(past_supply.at_once(seen), place, -1), "down"),
    ]
    notes = _notes(seen, place, names)
    begins = next((index for index, value in enumerate(left) if value is not None), 0)
    if begins:
        notes[begins] = "; ".join([_("The books begin on this day"), notes[begins]])
    places = [day.isoformat() for day in shown]
    return Chart("supply", _("Remaining calls over time"), "days", _("End of the day"), places, lines, _("calls"), zone,
                 f"{places[0]}-{places[-1]}", notes=notes)  # fmt: skip


def _foretold(ahead: Sequence[Remaining], after: int) -> list[Line]:
    """The likely course and its range, which begin `after` so many places; none where nothing is foretold."""
    before: list[Figure] = [None] * after
    if not ahead:
        return []
    return [
        Line("likely", _("Likely left"), [*before, *(one.likely for one in ahead)], "dashed"),
        Line("least", _("At least (10 %)"), [*before, *(one.least for one in ahead)], "least"),
        Line("most", _("At most (90 %)"), [*before, *(one.most for one in ahead)], "most"),
    ]


def _sums(movements: Sequence[Movement], place: Mapping[date, int], sign: int) -> list[Figure]:
    """Calls that came or went at each place, where any did."""
    sums: list[Figure] = [None] * len(place)
    for one in movements:
        if one.change * sign > 0:
            sums[place[one.day]] = (sums[place[one.day]] or 0) + one.change * sign
    return sums


def _notes(movements: Sequence[Movement], place: Mapping[date, int], names: Mapping[int, str]) -> dict[int, str]:
    notes: dict[int, list[str]] = {}
    for one in movements:
        said = _("%(kind)s, lot %(lot)s: %(change)s", kind=KINDS[EntryKind(one.kind)], lot=names[one.lot_id],
                 change=f"{one.change:+,}")  # fmt: skip
        notes.setdefault(place[one.day], []).append(said)
    return {index: "; ".join(said) for index, said in notes.items()}
