"""What a chart says of itself, and the table behind it: its figures as the reader's language writes them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale, format_decimal

from webapp.foundation.charts import Chart, Line

FIGURES = [0, 7, -7, 999, 1_000, 12_345, -1_234_567, 0.05, 0.5, 12.34, 99.95, 1_234.56, 2_000_000.0]


@pytest.mark.parametrize("locale", ["zh_CN", "en", "de", "fr"])
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_figures_are_written_as_the_language_writes_them(app: Flask, locale: str, digits: int) -> None:
    values = [figure for figure in FIGURES if round(figure, digits) == figure]
    chart = Chart("x", "X", "days", "Day", [str(one) for one in values], [Line("a", "A", values)], "calls", "UTC", "",
                  digits=digits, newest_first=False)  # fmt: skip

    with app.test_request_context(), force_locale(locale):
        written = [figures[0] for _place, figures, _note in chart.rows]
        pattern = "#,##0." + "0" * digits
        assert written == [format_decimal(value, format=pattern) for value in values]


def test_where_there_is_no_figure_stands_a_dash(app: Flask) -> None:
    chart = Chart("x", "X", "days", "Day", ["1", "2"], [Line("a", "A", [None, 3])], "calls", "UTC", "")

    with app.test_request_context():
        assert chart.rows == [("2", ["3"], ""), ("1", ["–"], "")]


@pytest.mark.parametrize(
    ("draw", "values", "empty"),
    [
        ("bar", [0, 0], True),
        ("bar", [None, 3], False),
        ("line", [None, None], True),
        ("line", [None, 0.0], False),  # in an outage no call succeeds: that is a figure
    ],
)
def test_a_chart_is_empty_without_a_bar_or_a_point(draw: str, values: list[float | None], empty: bool) -> None:
    line = Line("one", "One", values, draw)
    beside = [Line("before", "Before", [0, 0], "dashed")] * (draw == "bar")
    chart = Chart("rate", "Rate", "days", "Day", ["1", "2"], [line, *beside], "%", "Asia/Shanghai", "1-2")
    assert chart.is_empty is empty
