"""What the reconciliation page shows: the comparison, its chart, the readings, and why there was none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from webapp.accounts import queries as accounts
from webapp.foundation.charts import Chart, Line
from webapp.foundation.clock import day_of
from webapp.foundation.instance import Instance
from webapp.foundation.pages import when
from webapp.quota import queries as quota
from webapp.reconciliation import judging, left, queries, rules, texts
from webapp.reconciliation.left import Left
from webapp.reconciliation.models import MeterFailure, MeterReading
from webapp.reconciliation.queries import Standing
from webapp.reconciliation.rules import Verdict
from webapp.vendor.metering import Meter
from webapp.vendor.texts import CAUSES
from webapp.verification.texts import OUTCOMES

PAGE_SIZE, CHARTED, FAILURES = 25, 200, 5

TONES = {Verdict.AGREED: "good", Verdict.OPEN: "neutral", Verdict.MORE: "bad", Verdict.FEWER: "warn"}


def overview(instance: Instance, meter: Meter, before: int | None, now: datetime) -> dict[str, Any]:
    """All that stands on the page but its forms."""
    found = queries.standing(instance.settings.zone)
    rows = queries.page(before, PAGE_SIZE)
    return {
        "standing": _standing(found, instance, now) if found else None,
        "chart": drift_chart(instance.settings.timezone),
        "readings": reading_rows(rows[:PAGE_SIZE]),
        "further": rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None,
        "is_first_page": before is None,
        "failures": [_failure(row) for row in queries.failures(FAILURES)],
        "failing": _failing(found),
        "can_ask": meter.is_set(),
        "is_sandbox": meter.is_sandbox,
    }


def reading_rows(readings: Any) -> list[dict[str, Any]]:
    """Readings as a table shows them."""
    begun = queries.baselines([reading.id for reading in readings])
    people = {user.id: user.name for user in accounts.users()}
    return [
        {"id": one.id, "at": one.at, "source": texts.SOURCES[one.source], "used": one.used, "total": one.total,
         "remaining": one.remaining, "drift": None if one.baseline_id is None else one.drift,
         "open": one.unknown + one.under_way, "who": people.get(one.actor_id or 0, ""),
         "request_id": one.request_id, "begun": begun.get(one.id)}
        for one in readings
    ]  # fmt: skip


def _standing(found: Standing, instance: Instance, now: datetime) -> dict[str, Any]:
    comparison, rest = found.comparison, left.compared(found, instance.settings.zone, now)
    balance = quota.balance(day_of(now, instance.settings.zone), 0)
    lots = queries.valid_lots(now, instance.settings.zone)
    charged = queries.charged_since(found.baseline, lots, now, instance.settings.zone)
    available = [lot.available for lot in lots]
    changes = rules.shares(comparison.drift, available, charged)
    return {
        "reading": found.reading, "baseline": found.baseline, "comparison": comparison, "books": comparison.books,
        "headline": texts.headline(found, rest), "details": texts.details(found, rest),
        "verdict": comparison.verdict.value, "left_gap": rest.gap, "left": rest,
        "verdict_label": texts.verdict(found, rest), "tone": _tone(found, rest),
        "risks": [texts.RISKS[one] for one in judging.risks(found.total_grew, changes, available)],
        "offered": found.offered, "remaining": balance.remaining, "held": balance.held,
        "unknown": [
            {"id": row.id, "at": row.created_at, "cause": CAUSES.get(row.cause or "", OUTCOMES[row.outcome].label)}
            for row in found.unknown
        ],
        "corrections": [
            said for lot, change in zip(lots, changes, strict=True)
            for said in texts.moved(lot.name, change, rules.elsewhere(change, lot.used_before))
        ],
        "uncorrected": abs(comparison.drift) - abs(sum(changes)),
        "total_grew": found.total_grew > 0,
        "book_on": next((lot for lot in lots if lot.available), None),
    }  # fmt: skip


def _tone(found: Standing, rest: Left) -> str:
    tone = "neutral" if found.is_baseline else TONES[found.comparison.verdict]
    return "warn" if rest.gap and tone != "bad" else tone


def drift_chart(zone: str) -> Chart:
    """The drift at each of the newest readings."""
    readings: list[MeterReading] = list(queries.page(None, CHARTED))[:CHARTED][::-1]
    lines = [
        Line("drift", _("Not explained"), [one.drift for one in readings], "step"),
        Line("open", _("Open calls"), [one.unknown + one.under_way for one in readings]),
    ]
    begun = {place: _("Comparing begins") for place, one in enumerate(readings) if one.baseline_id is None}
    times = [when(one.at) for one in readings]
    period = f"{times[0][:10]}-{times[-1][:10]}" if times else ""
    return Chart("drift", _("Drift over time"), "times", _("Time"), times, lines, _("calls"), zone, period, notes=begun)


def _failure(row: MeterFailure) -> dict[str, Any]:
    advice = texts.FAULTS[row.fault][1] if row.fault in texts.FAULTS else ""
    return {"at": row.at, "fault": row.fault, "words": texts.failure_words(row.fault, row.code, row.http_status),
            "advice": advice, "request_id": row.request_id}  # fmt: skip


def _failing(found: Standing | None) -> dict[str, Any] | None:
    """The newest failure while no reading has come after it."""
    newest = next(iter(queries.failures(1)), None)
    if newest is None or (found is not None and found.reading.at >= newest.at):
        return None
    return _failure(newest)
