"""The calendar of workdays and holidays that the forecast goes by."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.usage import calendar_days, queries
from webapp.usage.calendar import DayKind, Source, spells
from webapp.usage.calendar_forms import KINDS, CalendarForm
from webapp.usage.demand import HISTORY
from webapp.usage.notices import known_to

bp = Blueprint("calendar", __name__, url_prefix="/settings/calendar")

SOURCES: dict[str, LazyString] = {
    Source.ADMIN: _l("entered here"),
    Source.NOTICE: _l("the State Council's notice"),
    Source.EXPECTED: _l("expected: no notice known yet"),
}


@bp.get("")
def index() -> str:
    """The days that are not as their weekday says."""
    return _page(CalendarForm())


@bp.post("")
def save() -> tuple[str, int] | Response:
    """Stores what kind of day some days are, or takes it back."""
    form = CalendarForm()
    if not form.validate_on_submit():
        return _page(form), 422
    with transaction():
        calendar_days.say(form.said(), who(), utc_now())
    flash(_("The calendar is changed. The forecast goes by it from now on."), "success")
    return redirect(url_for("calendar.index"), 303)


def _page(form: CalendarForm) -> str:
    today = day_of(utc_now(), this_instance().settings.zone)
    return render_template("usage/calendar.html", form=form, rows=_rows(today), known_to=known_to())


def _rows(today: date) -> list[dict[str, Any]]:
    """What is to come, and of what the forecast looks back at, what was entered here."""
    oldest = today - timedelta(days=HISTORY)
    notes = {row.day: row.note for row in calendar_days.said_from(oldest)}
    found = spells(queries.calendar(), oldest, date(today.year + 1, 12, 31))
    return [
        {"first": one.first, "last": one.last, "days": one.days, "kind": KINDS[one.kind], "source": one.source.value,
         "source_label": SOURCES[one.source], "tone": "good" if one.kind == DayKind.WORKDAY else "neutral",
         "notes": sorted({note for day, note in notes.items() if note and one.first <= day <= one.last})}
        for one in found if one.last >= today or one.source == Source.ADMIN
    ]  # fmt: skip
