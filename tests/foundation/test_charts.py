"""What a chart says of itself."""

import pytest

from webapp.foundation.charts import Chart, Line


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
    chart = Chart("rate", "Rate", "days", "Day", ["1", "2"], [line], "%", "Asia/Shanghai", "1-2")
    assert chart.is_empty is empty
