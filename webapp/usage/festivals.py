"""Pure: China's public holidays of a year for which no notice is out yet, from the sun and the moon.

The State Council announces a year's holidays, and the workdays shifted for them, in the November before it. Until then
the days that return every year are taken: fixed days, solar terms, and days of the lunar months, without shifted
workdays. The spans are those of the notices for 2024 to 2026.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from math import floor, radians, sin

LUNATION = 29.530588861
SPRING, LABOUR, NATIONAL = 8, 5, 7
"""Days of the long holidays; the first of the spring festival is its eve."""


@lru_cache(maxsize=64)
def expected_holidays(year: int) -> frozenset[date]:
    """The public holidays to be expected in `year`, 1901 to 2100; right but for few days."""
    century = year % 100
    tomb_sweeping = date(year, 4, int(century * 0.2422 + 4.81) - century // 4)  # holds from 2001 to 2100
    starts = (
        (date(year, 1, 1), 1),
        (_moon_month(date(year, 2, 19)) - timedelta(days=1), SPRING),
        (tomb_sweeping, 1),
        (date(year, 5, 1), LABOUR),
        (_moon_month(date(year, 6, 21)) + timedelta(days=4), 1),
        (_moon_month(date(year, 9, 23)) + timedelta(days=14), 1),
        (date(year, 10, 1), NATIONAL),
    )
    return frozenset(first + timedelta(days=ahead) for first, days in starts for ahead in range(days))


def _moon_month(term: date) -> date:
    """The first day of the lunar month that holds `term`: months are numbered by the solar terms in them. Two or
    three times a century a leap month makes it another (the mid-autumn festival of 2033)."""
    number = round((term - date(2000, 1, 6)).days / LUNATION) + 1
    while (first := _new_moon(number)) > term:
        number -= 1
    return first


def _new_moon(number: int) -> date:
    """The day in China of the new moon, counted from January 2000, to some minutes (Meeus, Astronomical Algorithms,
    chapter 49: the mean moon and its largest terms)."""
    sun = radians(2.5534 + 29.1053567 * number)
    moon = radians(201.5643 + 385.81693528 * number)
    node = radians(160.7108 + 390.67050284 * number)
    days = 2451550.09766 + LUNATION * number - 2451544.5 + 8 / 24
    days += -0.4072 * sin(moon) + 0.17241 * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * node)
    days += 0.00739 * sin(moon - sun) - 0.00514 * sin(moon + sun) + 0.00208 * sin(2 * sun)
    return date(2000, 1, 1) + timedelta(days=floor(days))
