"""How the remaining calls went down, and will: past days from ledger and counters, days to come from the forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from webapp.foundation.charts import Chart, Figure, Line
from webapp.foundation.clock import day_of
from webapp.quota import queries as quota
from webapp.quota.entry_table import KINDS
from webapp.quota.models import EntryKind, Lot
from webapp.usage import forecast as forecasting
from webapp.usage import past_supply, queries
from webapp.usage.demand import HORIZON
from webapp.usage.forecast import Forecast, Remaining, Stock
from webapp.usage.past_supply import Life, Movement
from webapp.usage.spans import Span

PAST = 90
"""Days looked back."""
AHEAD = 30
"""Days looked ahead at least, and beyond the end of the range."""


@dataclass(frozen=True, slots=True)
class Supply:
    """The chart, and what it foretells: the run-out day, the ends of its range, and what will lapse of which lot."""

    chart: Chart
    forecast: Forecast | None
    earliest: date | None
    latest: date | None
    lapses: Sequence[tuple[Lot, int]]


def supply(today: date, zone: ZoneInfo) -> Supply | None:
    """The last 90 days and those to come, as far as the calls reach; None where no lot is recorded."""
    lots = quota.lots()
    if not lots:
        return None
    open_lots = quota.open_lots(today)
    stock = [
        Stock(lot.id, lot.expires_on, lot.available, lot.order_number, lot.bought_on, turn)
        for turn, lot in enumerate(open_lots)
    ]
    demand = queries.expected(today, zone)[1]
    found = forecasting.forecast(stock, demand)
    ahead = forecasting.burn_down(stock, demand, _reach(found)) if demand else []
    days = past_supply.days_until(today, PAST)
    movements = [*_movements(lots, zone, today), *_to_come(open_lots, found, today)]
    left = past_supply.ends_of_days(
        sum(lot.available for lot in open_lots if lot.bought_on <= today), days, _taken(Span(days[0], today), zone),
        [one for one in movements if one.day <= today],
    )  # fmt: skip
    return Supply(
        _chart(days, left, ahead, movements, str(zone)), found,
        _in_days(today, found.least if found else None), _in_days(today, found.most if found else None),
        [(lot, found.lapses[lot.id]) for lot in lots if found and found.lapses.get(lot.id)],
    )  # fmt: skip


def _in_days(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)


def _reach(found: Forecast | None) -> int:
    """How many days ahead are worth drawing."""
    if found is None:
        return 0
    end = HORIZON if found.most is None else found.most
    return min(HORIZON, end + AHEAD)


def _movements(lots: Sequence[Lot], zone: ZoneInfo, today: date) -> list[Movement]:
    """What was bought and lost on past days; of lots that ended and are not written off yet, too."""
    lives = {lot.id: Life(lot.bought_on, lot.expires_on) for lot in lots}
    entries = [
        Movement(day_of(one.at, zone), one.kind, one.lot_id or 0, one.change)
        for one in quota.supply_entries()
        if one.lot_id in lives
    ]  # not of a lot recorded since they were read
    due = [Movement(today, EntryKind.LAPSE, lot.id, -lot.available)
           for lot in lots if lot.has_ended(today) and lot.available]  # fmt: skip
    return [one for one in past_supply.in_force([*entries, *due], lives) if one.day <= today]


def _to_come(open_lots: Sequence[Lot], found: Forecast | None, today: date) -> list[Movement]:
    """Lots that begin later, and what will likely lapse."""
    begins = [Movement(lot.bought_on, EntryKind.PURCHASE, lot.id, lot.available)
              for lot in open_lots if lot.bought_on > today]  # fmt: skip
    lapses = found.lapses if found else {}
    ends = [Movement(lot.expires_on, EntryKind.LAPSE, lot.id, -lapses[lot.id]) for lot in open_lots if lot.id in lapses]
    return [*begins, *(replace(one, day=max(one.day, today + timedelta(days=1))) for one in ends)]


def _taken(span: Span, zone: ZoneInfo) -> dict[date, int]:
    """Calls of each day that a lot gave."""
    counted = queries.calls_by(("lot_id",), span, zone, billed=("yes", "unknown"))
    taken: dict[date, int] = {}
    for (day, lot_id), calls in counted.items():
        if lot_id:
            taken[day] = taken.get(day, 0) + calls
    return taken


def _chart(
    days: Sequence[date], left: Sequence[int], ahead: Sequence[Remaining], movements: Sequence[Movement], zone: str
) -> Chart:
    """One place for each day; what was, and from today on what is likely and how far it may be off."""
    all_days = [*days, *(one.day for one in ahead[1:])]
    place = {day: index for index, day in enumerate(all_days)}
    seen = [one for one in movements if one.day in place and one.change]
    later: list[Figure] = [None] * (len(all_days) - len(days))
    lines = [
        Line("left", _("Left"), [*left, *later], "line"),
        *_foretold(ahead, len(days) - 1),
        Line("bought", _("Bought or given back"), _sums(seen, place, +1), "up"),
        Line("ended", _("Lapsed or taken off"), _sums(seen, place, -1), "down"),
    ]
    places = [day.isoformat() for day in all_days]
    return Chart("supply", _("Remaining calls over time"), "days", _("End of the day"), places, lines, _("calls"), zone,
                 f"{places[0]}-{places[-1]}", notes=_notes(seen, place))  # fmt: skip


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


def _notes(movements: Sequence[Movement], place: Mapping[date, int]) -> dict[int, str]:
    notes: dict[int, list[str]] = {}
    for one in movements:
        said = _("%(kind)s, lot %(lot)s: %(change)s", kind=KINDS[EntryKind(one.kind)], lot=one.lot_id,
                 change=f"{one.change:+,}")  # fmt: skip
        notes.setdefault(place[one.day], []).append(said)
    return {index: "; ".join(said) for index, said in notes.items()}
