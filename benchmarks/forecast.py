"""The forecast, back-tested: 200 origins of each regime, each with three stocks (some two, four and eight weeks), two
that last 70 to 110 days, and three pairs of lots of which the first lapses.

What is judged is the run-out day, which is what readers are told: its mean absolute error over that of the plain rate
of the last seven days, and how often it lies in the range that is told (10 to 90 %, rounded to whole days). The regimes
are made (`tests/usage/regimes.py`); the method was tuned on other seeds, the negative ones.
"""

from __future__ import annotations

import time
from datetime import date

from benchmarks.report import Report, median
from tests.usage.regimes import REGIMES, case, score
from webapp.usage.demand import demand
from webapp.usage.forecast import Stock, forecast

ORIGINS = range(200)
BETTER = {"weekly", "growing", "holiday"}
"""Regimes in which the forecast must beat the plain rate."""
OFF, FAR_OFF = {"one lot": 5}, 10
"""How far from 80 % the range may be off. What lies further ahead than any past error that was measured, 13 weeks, is
less sure, and the few stocks of an origin that lie there are right or wrong together."""


def run(report: Report) -> None:
    """Prints coverage and error of each regime, and what one forecast costs."""
    report.title("Forecast: run-out day, 200 origins a regime; error over that of the last 7 days' rate")
    for regime in REGIMES:
        for supply, found in score(regime, ORIGINS).items():
            name = f"{regime}, {supply}"
            report.line(f"{name}: mean absolute error", found.ratio, "×", most=1.0 if regime in BETTER else 1.02)
            inside = found.coverage * 100
            report.line(f"{name}: {inside:.1f} % of the days within the range; off 80 by", abs(inside - 80), " %",
                        most=OFF.get(supply, FAR_OFF))  # fmt: skip
    one = max((case("holiday", seed) for seed in range(20)), key=lambda one: len(one.past))
    times = []
    for _each in range(50):
        started = time.process_time()
        expected = demand(one.past, one.today, 0, one.calendar.kind)
        forecast([Stock(1, date.max, one.stocks[1])], expected)
        times.append((time.process_time() - started) * 1000)
    report.line("one forecast from a year's days, processor time", median(times), " ms", most=5)
