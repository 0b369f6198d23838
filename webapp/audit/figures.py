"""A chart's figures as a file: who took which is recorded."""

from __future__ import annotations

from werkzeug.wrappers import Response

from webapp.audit.actor import who
from webapp.audit.trail import Action, append
from webapp.foundation.charts import Chart, csv_file
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction


def figures_file(chart: Chart) -> Response:
    """The chart as CSV."""
    with transaction():
        append(who(), Action.FIGURES_EXPORTED, utc_now(), file=chart.file)
    return csv_file(chart)
