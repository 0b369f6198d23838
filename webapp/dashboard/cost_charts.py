"""The charts of what calls cost, and the figures beside them. Money in yuan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from webapp.dashboard.movements import movements
from webapp.dashboard.usage_charts import View, department_names, purpose_names
from webapp.foundation.charts import Chart, Line
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.pages import number
from webapp.quota import queries as quota
from webapp.quota import uncovered
from webapp.quota.models import ENDS, Lot
from webapp.usage import cost, daily
from webapp.usage.cost import Charged, Cost
from webapp.usage.spans import Step, in_pieces, label, slots_of
from webapp.vendor.contract import Billed, Outcome

UNIT = "¥"


class Spent(NamedTuple):
    """The charged calls of a span, and what one call of each lot costs, in fen."""

    charged: Sequence[Charged]
    matches: Mapping[int, int]
    """Those of each lot that were charged."""
    prices: Mapping[int, Fraction | None]
    lots: Sequence[Lot]
    lapsed: Mapping[int, int]
    """Calls of each lot that ended unused in the span."""


def spent(view: View) -> Spent:
    """Reads what was charged in the span."""
    span = view.asked.span
    months = slots_of(span, Step.MONTH)
    counted = daily.read(("cost", "lot"), span, view.zone)
    booked = uncovered.lots_by_day(day_of(utc_now(), view.zone), view.zone)
    charged = [
        Charged(f"{month:%Y-%m}", lot, department, purpose, calls)
        for (lot, department, purpose), days in cost.booked(counted["cost"], span.first, booked).items()
        for month, calls in zip(months, in_pieces(days, span, months), strict=True)
        if calls
    ]
    matches = Counter[int]()
    surely = {key: days for key, days in counted["lot"].items() if key[2] == Billed.YES}
    for (lot, outcome, _billed), days in cost.booked(surely, span.first, booked).items():
        if outcome == Outcome.MATCH:
            matches[lot] += sum(days)
    lots = quota.lots()
    prices = {lot.id: cost.price_of(lot.price_fen, lot.calls) for lot in lots}
    return Spent(charged, matches, prices, lots, _lapsed(view, lots))


def _lapsed(view: View, lots: Sequence[Lot]) -> Mapping[int, int]:
    span, lapsed = view.asked.span, Counter[int]()
    for one in movements(lots, view.zone):
        if one.kind in ENDS and span.first <= one.day <= span.last:
            lapsed[one.lot_id] -= one.change
    return +lapsed  # what came back in these days had lapsed before them


def by_month(view: View, found: Spent) -> Chart:
    """What the calls of each month cost."""
    span = view.asked.span
    months = slots_of(span, Step.MONTH)
    costs = cost.by(found.charged, found.prices, lambda one: one.month)
    of_months = [costs.get(f"{month:%Y-%m}", Cost()) for month in months]
    lines = [Line("cost", _("Cost"), [_yuan(one) for one in of_months])]
    return view.chart("cost", _("Cost by month"), lines, UNIT, digits=2, axis="months", head=_("Month"),
                      notes=_notes([one.unpriced for one in of_months]),
                      places=[label(month, Step.MONTH, view.zone, span) for month in months])  # fmt: skip


def by_department(view: View, found: Spent) -> Chart:
    """What the calls of each department cost, by purpose."""
    costs = cost.by(found.charged, found.prices, lambda one: (one.department_id, one.purpose_id))
    departments, purposes = department_names(), purpose_names()
    places = list(dict.fromkeys(department for department, _purpose in costs))
    lines = [
        Line(f"purpose-{purpose}", purposes.get(str(purpose), str(purpose)),
             [_yuan(costs.get((place, purpose), Cost())) for place in places])
        for purpose in dict.fromkeys(purpose for _department, purpose in costs)
    ]  # fmt: skip
    without = Counter[int]()
    for (place, _purpose), one in costs.items():
        without[place] += one.unpriced
    return view.chart("departments", _("Cost by department and purpose"), lines, UNIT, digits=2, axis="departments",
                      notes=_notes([without[place] for place in places]),
                      head=_("Department"), places=[departments.get(str(one), str(one)) for one in places],
                      newest_first=False)  # fmt: skip


def figures(found: Spent) -> dict[str, Any]:
    """The sums, and what a call and a match cost."""
    all_of_it = cost.total(found.charged, found.prices)
    lots = cost.by(found.charged, found.prices, lambda one: one.lot_id)
    lapsed = sum(cost.worth(calls, found.prices.get(lot)) or 0 for lot, calls in found.lapsed.items())
    return {
        "lapsed": sum(found.lapsed.values()), "lapsed_fen": lapsed,
        "fen": all_of_it.fen, "calls": all_of_it.calls, "unpriced": all_of_it.unpriced,
        "uncovered": lots.get(0, Cost()).unpriced,
        "each": _small(all_of_it.each), "per_match": _small(cost.per_match(found.charged, found.prices, found.matches)),
        "lots": [{"id": lot.id, "name": lot.name, "each": _small(found.prices[lot.id]),
                  "calls": lots[lot.id].calls + lots[lot.id].unpriced, "fen": lots[lot.id].fen}
                 for lot in found.lots if lot.id in lots],
    }  # fmt: skip


def _yuan(one: Cost) -> float | None:
    """None where nobody knows: there are calls, and no price of any."""
    return None if one.unpriced and not one.calls else one.fen / 100


def _notes(unpriced: Sequence[int]) -> dict[int, str]:
    """How many calls of each place have no price."""
    return {
        index: ngettext("%(calls)s call has no known price", "%(calls)s calls have no known price", calls,
                        calls=number(calls))
        for index, calls in enumerate(unpriced)
        if calls
    }  # fmt: skip


def _small(fen: Fraction | None) -> str | None:
    """A price of one call: to a hundredth of a fen."""
    return None if fen is None else "¥" + format_decimal(float(fen) / 100, format="#,##0.00##")
