"""The holidays and shifted workdays that the State Council gave notice of, as the library chinesecalendar keeps them.

Its authors publish a release each November with the next year. A year it does not know is not guessed here:
`known_to` says where it ends.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from webapp.usage.calendar import DayKind


@cache
def noticed() -> dict[date, DayKind]:
    """Every day that is no ordinary weekday or weekend by a notice."""
    from chinese_calendar.constants import holidays, workdays  # loaded when first asked for

    found = dict.fromkeys(holidays, DayKind.HOLIDAY)
    return found | dict.fromkeys(workdays, DayKind.WORKDAY)


@cache
def known_to() -> int:
    """The last year that the library knows."""
    return max(noticed()).year
