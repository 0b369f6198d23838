"""What will be told next, as the page /reminders says it."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.foundation.pages import day
from webapp.notify import queries as notify
from webapp.notify.messages import State
from webapp.reminders import queries, rules
from webapp.reminders.dates import short_day
from webapp.reminders.models import Episode
from webapp.reminders.operations import cause_of
from webapp.reminders.queries import Outlook
from webapp.reminders.rules import LOW_PERCENT
from webapp.usage import forecast


def coming(outlook: Outlook) -> list[dict[str, str]]:
    """What will be told, and when as far as known: the line by the forecast, the lots by the calendar."""
    today = outlook.today
    what = _("%(percent)s%% of all valid calls remain", percent=LOW_PERCENT)
    rows = [{"what": what, "when": _low(outlook, today)}]
    for lot in queries.coming_lots(today):
        first = rules.first_day(lot.expires_on)
        rows.append({
            "what": _("%(lot)s ends on %(day)s, %(left)s calls left now", lot=lot.name, day=day(lot.expires_on),
                      left=f"{lot.available:,}"),
            "when": _("at once, within a minute") if first <= today
            else _("on %(day)s, if calls are left then", day=day(first)),
        })  # fmt: skip
    return rows


def _low(outlook: Outlook, today: date) -> str:
    episode = queries.open_low()
    if episode is not None:
        return _reached(episode)
    if not outlook.stock:
        return _("no lot is valid: nothing to watch")
    low_on = forecast.low_on(outlook.stock, LOW_PERCENT, outlook.demand)
    if low_on is None:
        return _("not within a year at the recent rate, or nobody can tell yet")
    days = (low_on - today).days
    return ngettext(
        "around %(day)s, in %(num)s day at the recent rate", "around %(day)s, in %(num)s days at the recent rate",
        days, day=short_day(low_on, today),
    )  # fmt: skip


def _reached(episode: Episode) -> str:
    cause = cause_of(episode.id)
    if notify.states_of([cause])[cause].get(State.SENT):
        return _(
            "told; again only after a purchase, a correction or another set of valid lots has lifted it above the line"
        )
    return _(
        "reached, but nobody has been told yet; a new reminder comes only after a purchase, a correction or another "
        "set of valid lots has lifted it above the line"
    )
