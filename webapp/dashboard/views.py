"""The first page: what is left, what was used, and the last 30 days."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.permissions import may
from webapp.audit.figures import figures_file
from webapp.dashboard.runout import run_out
from webapp.dashboard.usage_forms import DAYS
from webapp.foundation.charts import Chart, Line
from webapp.foundation.clock import day_of, start_of, utc_now
from webapp.foundation.database import of_one_instant
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.lot_table import lot_rows
from webapp.usage import daily, series
from webapp.usage import queries as usage
from webapp.usage.daily import Series
from webapp.usage.past_supply import days_until
from webapp.usage.spans import Span
from webapp.vendor.contract import Billed
from webapp.verification import reuse
from webapp.verification.texts import OUTCOMES

bp = Blueprint("dashboard", __name__)


@bp.get("/")
@of_one_instant
def index() -> str:
    """Remaining of total, used today, a 30-day chart from locally counted calls, lots soon to expire."""
    zone = this_instance().settings.zone
    today = day_of(utc_now(), zone)
    days = days_until(today, DAYS)
    counted = daily.calls("outcome", Span(days[0], days[-1]), zone)
    lots = lot_rows(today)
    chart = _chart(counted, days)
    return render_template(
        "dashboard/index.html",
        balance=quota.balance(today, usage.unknown_calls()),
        used_today=sum(calls[-1] for (_outcome, billed), calls in counted.items() if billed == Billed.YES),
        today=[{"outcome": line.key, "label": line.label, "calls": line.values[-1]}
               for line in chart.lines if line.values[-1]],
        chart=chart,
        saved=reuse.saved(start_of(days[0], zone)),
        lots=lots,
        run_out=run_out(today, zone) if lots else None,
        can_record=may(current_user.role, "quota.new_lot"),
        has_lots=bool(lots),
        has_calls=bool(chart.lines),
    )  # fmt: skip


@bp.get("/days.csv")
def file() -> Response:
    """The last 30 days as a file."""
    zone = this_instance().settings.zone
    days = days_until(day_of(utc_now(), zone), DAYS)
    return figures_file(_chart(daily.calls("outcome", Span(days[0], days[-1]), zone), days))


def _chart(counted: Series, days: list[date]) -> Chart:
    """Calls of each day by result."""
    by_outcome = series.together(counted, lambda key: str(key[0]))
    found = series.stack(by_outcome, series.OUTCOMES)
    lines = [Line(one.key, str(OUTCOMES[one.key].label), one.values) for one in found]
    places = [day.isoformat() for day in days]
    return Chart("usage", _("Calls of the last 30 days"), "days", _("Day"), places, lines, _("calls"),
                 this_instance().settings.timezone, f"{places[0]}-{places[-1]}")  # fmt: skip
