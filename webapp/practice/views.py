"""The sandbox's people and magic names, for who practises."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask_babel import get_locale

from webapp.foundation.instance import this_instance
from webapp.vendor.sandbox import meter
from webapp.vendor.sandbox.people import PEOPLE
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.verification.texts import CHARGED, OUTCOMES

bp = Blueprint("sandbox", __name__)


@bp.get("/sandbox")
def people() -> str:
    """Everyone the sandbox knows, and the names that make it misbehave; nothing in a live instance."""
    if this_instance().kind != "sandbox":
        abort(404)
    language = "zh" if str(get_locale()).startswith("zh") else "en"
    return render_template(
        "sandbox/people.html",
        people=[{"name": one.name, "number": one.number, "note": getattr(one, language)} for one in PEOPLE],
        counter={"path": meter.PATH, "id": meter.KEY.id, "secret": meter.KEY.secret},
        scenarios=[
            {"name": one.name, "label": getattr(one, language), "outcome_label": OUTCOMES[one.outcome].label,
             "billed_label": CHARGED[one.billed]}
            for one in SCENARIOS
        ],
    )  # fmt: skip
