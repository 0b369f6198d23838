"""Days as mails and pages write them."""

from __future__ import annotations

from datetime import date

from flask_babel import format_date, get_locale


def short_day(day: date, today: date) -> str:
    """`11月28日`, `Nov 28`; with the year where it is another one."""
    chinese = str(get_locale() or "").startswith("zh")
    if day.year == today.year:
        return format_date(day, "M月d日" if chinese else "MMM d")
    return format_date(day, "y年M月d日" if chinese else "MMM d, y")
