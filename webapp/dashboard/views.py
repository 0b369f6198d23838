"""The first page: what is left, what was used, and the last 30 days."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_login import current_user

from webapp.accounts.permissions import may
from webapp.dashboard import chart
from webapp.foundation.clock import day_of, start_of, utc_now
from webapp.foundation.instance import this_instance
from webapp.quota import queries as quota
from webapp.quota.lot_table import lot_rows
from webapp.usage import queries as usage
from webapp.vendor.contract import Billed
from webapp.verification import reuse
from webapp.verification.texts import OUTCOMES

bp = Blueprint("dashboard", __name__)


@bp.get("/")
def index() -> str:
    """Remaining of total, used today, a 30-day chart from locally counted calls, lots soon to expire."""
    settings = this_instance().settings
    today = day_of(utc_now(), settings.zone)
    days = chart.days_until(today)
    counts = usage.calls_by_day(days[0], days[-1], settings.zone)
    series = chart.stacked(counts, days)
    return render_template(
        "dashboard/index.html",
        balance=quota.balance(today, usage.unknown_calls()),
        used_today=sum(calls for (day, _o, billed), calls in counts.items() if day == today and billed == Billed.YES),
        today=[{"outcome": one.key, "label": OUTCOMES[one.key].label, "calls": one.values[-1]}
               for one in series if one.values[-1]],
        chart={
            "days": [day.isoformat() for day in days],
            "series": [{"key": one.key, "label": str(OUTCOMES[one.key].label), "values": one.values} for one in series],
            "zone": settings.timezone,
            "unit": _("calls"),
        },
        saved=reuse.saved(start_of(days[0], settings.zone)),
        lots=lot_rows(today),
        can_record=may(current_user.role, "quota.new_lot"),
        has_lots=bool(quota.lots()),
        has_calls=bool(series),
    )  # fmt: skip
