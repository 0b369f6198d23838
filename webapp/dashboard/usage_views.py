"""The page Usage: the calls of any span of days, and its charts as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts.models import Role
from webapp.audit.figures import figures_file
from webapp.dashboard import cost_charts, usage_charts
from webapp.dashboard.supply_chart import Supply, supply
from webapp.dashboard.usage_charts import View
from webapp.dashboard.usage_forms import UsageForm, with_usual
from webapp.foundation.charts import Chart
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import of_one_instant
from webapp.foundation.instance import this_instance
from webapp.usage.supply_forms import SupplyForm

bp = Blueprint("usage", __name__)

OWN: dict[str, Callable[[View], Chart]] = {
    "usage": lambda view: usage_charts.calls(view).chart,
    "success": lambda view: usage_charts.answers(view)[0],
    "refusals": lambda view: usage_charts.answers(view)[1],
    "week": usage_charts.week,
}
"""What everyone may see of calls they may see."""
ALL: dict[str, Callable[[View], Chart]] = OWN | {
    "latency": usage_charts.latency,
    "cost": lambda view: cost_charts.by_month(view, cost_charts.spent(view)),
    "departments": lambda view: cost_charts.by_department(view, cost_charts.spent(view)),
}
"""What those see who see all calls."""


@bp.get("/usage")
@of_one_instant
def index() -> tuple[str, int]:
    """The charts of a span of days."""
    form = _form()
    if not form.validate():
        return render_template("usage/index.html", form=form), 422
    return render_template("usage/index.html", form=form, files=_files(form), **_page(_view(form))), 200


@bp.get("/usage/<name>.csv")
def file(name: str) -> Response:
    """The figures of one of the charts."""
    makers = OWN if current_user.role == Role.OPERATOR else ALL
    form = _form()
    if name not in makers:
        abort(404)
    if not form.validate():
        abort(400, " ".join(str(error) for field in form for error in field.errors))
    return figures_file(makers[name](_view(form)))


@bp.get("/quota/supply.csv")
def burn_down() -> Response:
    """The course of the remaining calls as a file."""
    form = SupplyForm.of(request.args, _today())
    if not form.validate():
        abort(400, " ".join(str(error) for field in form for error in field.errors))
    found = supply_of(form)
    if found is None:
        abort(404)
    return figures_file(found.chart)


@bp.app_template_global()
def supply_of(form: SupplyForm) -> Supply | None:
    """How the remaining calls went down and will, on the days of a validated form; None before a lot is recorded."""
    return supply(_today(), this_instance().settings.zone, *form.days)


def _today() -> date:
    return day_of(utc_now(), this_instance().settings.zone)


def _form() -> UsageForm:
    form = UsageForm(with_usual(request.args, _today()))
    form.offer(current_user)
    return form


def _view(form: UsageForm) -> View:
    return View.of(form.asked(current_user), this_instance().settings.zone)


def _files(form: UsageForm) -> Callable[[str], str]:
    chosen = {field.name: field.raw_data[0] for field in form}
    return lambda name: url_for("usage.file", name=name, **chosen)


def _page(view: View) -> dict[str, Any]:
    calls = usage_charts.calls(view)
    success, refusals = usage_charts.answers(view)
    shown: dict[str, Any] = {
        "charts": {"usage": calls.chart, "success": success, "refusals": refusals, "week": usage_charts.week(view)},
        "compared": calls, "span": view.asked.span,
        "own": view.asked.operator_id is not None, "money": None,
    }  # fmt: skip
    if view.asked.operator_id is None:
        found = cost_charts.spent(view)
        shown["money"] = cost_charts.figures(found)
        shown["charts"] |= {
            "latency": usage_charts.latency(view), "cost": cost_charts.by_month(view, found),
            "departments": cost_charts.by_department(view, found),
        }  # fmt: skip
    return shown
