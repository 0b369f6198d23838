"""The admin's table of what each answer of the vendor costs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.accounts import queries as accounts
from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.quota import deductions
from webapp.quota.deduction_forms import COSTS, DeductionForm, answer_words
from webapp.quota.deduction_rules import DEFAULTS, in_force
from webapp.quota.deductions import InThePast, as_rules
from webapp.quota.forms import shown_fields

bp = Blueprint("deductions", __name__, url_prefix="/settings/deductions")


@bp.get("")
def index() -> str:
    """What each answer costs now, and every rule there was or will be."""
    return _page(DeductionForm())


@bp.post("")
def add() -> tuple[str, int] | Response:
    """Adds a rule, for calls that are made from its time on."""
    form, now = DeductionForm(), utc_now()
    if form.validate_on_submit():
        try:
            with transaction():
                rule = form.rule(now, this_instance().settings.zone)
                deductions.change(rule, form.reason.data or "", who(), now)
            flash(_("The rule is stored. It holds for calls that are made from then on."), "success")
            return redirect(url_for("deductions.index"), 303)
        except InThePast:
            form.effective_from.errors = [_("This time has passed. Calls made since then are charged already; leave it "
                                            "empty for a rule from now on.")]  # fmt: skip
    return _page(form), 422


def _page(form: DeductionForm) -> str:
    form.label_answers()
    now, rows = utc_now(), deductions.all_rules()
    people = {user.id: user.name for user in accounts.users()}
    added = [
        {"answer": answer_words(row.answer), "billed": row.billed, "cost": COSTS[row.billed],
         "from": row.effective_from, "to_come": row.effective_from > now, "reason": row.reason,
         "at": row.recorded_at, "who": people.get(row.actor_id or 0, "")}
        for row in reversed(rows)
    ]  # fmt: skip
    table = _table(in_force(as_rules(rows), now))
    return render_template("quota/deductions.html", form=form, fields=shown_fields(form), table=table, added=added)


def _table(now: dict[str, Any]) -> list[dict[str, Any]]:
    since: datetime | None
    table = []
    for answer, default in DEFAULTS.items():
        rule = now.get(answer)
        billed, since = (default, None) if rule is None else (rule.billed, rule.effective_from)
        table.append({"key": answer, "answer": answer_words(answer), "billed": billed, "cost": COSTS[billed],
                      "default": COSTS[default], "since": since})  # fmt: skip
    return table
