"""Everything the sandbox can answer, both generations of the gateway, through the whole product over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import MakeApp
from tests.support.cast import OPERATOR, card_of
from tests.support.over_http import Visitor, served, visit
from tests.verification.calls import buy, differences, lot_figures, outcomes, somebody
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.vendor import circuit
from webapp.vendor.circuit import Stopped, Waiting
from webapp.vendor.sandbox.scenario import Manner, Scenario
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import Verification

RETRIES = {"never": 0, "once": 1, "backoff": 3}
NUMBERS = {scenario.name: somebody(n)[1] for n, scenario in enumerate(SCENARIOS)}
LOT = 1000
AT_ONCE = 24
PATIENCE, DEADLINE = 120, 3
"""Seconds that a call may take: where its number of retries must not hang on this machine's speed, and where only
the deadline ends it."""
STOPS: dict[str, float | None] = {
    "maintenance": 60, "vendor_unavailable": 90, "gateway_busy": 90,
    **dict.fromkeys(
        ("quota_exhausted", "packages_expired", "appcode_invalid", "not_subscribed", "authorisation_expired",
         "subscription_invalid", "seller_overdue", "buyer_overdue", "endpoint_wrong", "access_denied",
         "endpoint_blocked", "endpoint_moved")),
}  # fmt: skip
"""Causes that stop all calls, with the seconds that they stop them for; None: until somebody acts. All others stop
nobody (vendor.md, section 2, and 0010 in section 1)."""
NO_STOP = frozenset({"throttled", "request_malformed", "vendor_unreachable"})
"""Refusals that do not."""


def calls_expected(scenario: Scenario) -> int:
    """Requests that the vendor may see: exactly one where a retry is forbidden."""
    retries = RETRIES[scenario.retry]
    return 1 + (min(retries, scenario.times) if scenario.first else retries)


def lingers(scenario: Scenario) -> bool:
    """Takes its time and stops nobody: can be asked about beside others."""
    return scenario.retry == "backoff" or scenario.manner is not Manner.PLAIN


def trickles(scenario: Scenario) -> bool:
    """Sends for longer than a visitor waits: only the deadline ends it."""
    return scenario.manner in (Manner.TRICKLE_HEAD, Manner.TRICKLE_BODY)


@pytest.fixture
def products(make_app: MakeApp, sandbox: Sandbox) -> Iterator[tuple[Flask, Visitor, Visitor]]:
    """The product with all the time there is, a visitor of it, and one of the same product with a near deadline."""
    sandbox.change(slow_ms=300)
    patient, hurried = (
        make_app(VENDOR_CONNECT_TIMEOUT="3", VENDOR_READ_TIMEOUT="3", VENDOR_DEADLINE=str(seconds))
        for seconds in (PATIENCE, DEADLINE)
    )
    with served(patient) as address, served(hurried) as other:
        yield patient, visit(address, OPERATOR), visit(other, OPERATOR)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_every_answer_has_its_outcome_its_charge_and_its_number_of_calls(
    products: tuple[Flask, Visitor, Visitor], sandbox: Sandbox
) -> None:
    app, operator, hurried = products
    lot = buy(app, LOT)
    wrong: list[str] = []
    stopped_by: dict[str, set[str]] = {}

    def submit(scenario: Scenario, tab: Visitor) -> None:
        answer = tab.verify(scenario.name, NUMBERS[scenario.name])
        seen = (*card_of(answer.text), sandbox.calls(scenario.name, NUMBERS[scenario.name]).received)
        expected = (scenario.outcome, scenario.billed, calls_expected(scenario))
        if (answer.status_code, seen) != (200, expected):
            wrong.append(f"{scenario.name}: {answer.status_code} {seen} instead of {expected}")

    with ThreadPoolExecutor(AT_ONCE) as tabs:
        slow = [(one, hurried if trickles(one) else operator) for one in SCENARIOS if lingers(one)]
        list(tabs.map(lambda case: submit(case[0], case[1].copy()), slow))
    assert stop_of(app) is None, "none of those stops anybody"
    for scenario in SCENARIOS:
        if not lingers(scenario):
            before = utc_now()
            submit(scenario, operator)
            stop = stop_of(app)
            cause = cause_of(app)
            if not stops_as_it_must(cause, scenario, stop, before):
                wrong.append(f"{scenario.name}: {cause} leaves {stop}")
            if stop is not None:
                stopped_by.setdefault(stop.cause, set()).add(scenario.section)
            go_on(app)

    assert wrong == []
    assert set(stopped_by) == set(STOPS), "every cause that stops was met"
    assert stopped_by["quota_exhausted"] == stopped_by["vendor_unavailable"] == {"gateway", "older"}, "by both gateways"
    stored = outcomes(app)
    assert sum(stored.values()) == len(SCENARIOS)
    charged, unknown = (sum(n for key, n in stored.items() if key[1] == billed) for billed in ("yes", "unknown"))
    assert charged <= sandbox.counts().charged <= charged + unknown
    assert lot_figures(app, lot) == (LOT - charged - unknown, unknown, charged)
    assert differences(app) == []


def stop_of(app: Flask) -> Stopped | None:
    """The stop that stands now."""
    with app.app_context():
        return circuit.present(utc_now())


def cause_of(app: Flask) -> str:
    """What the newest verification came to: the cause of a refusal, else its outcome."""
    with app.app_context():
        row = db.session.scalars(select(Verification).order_by(Verification.id.desc()).limit(1)).one()
        return row.cause if row.outcome == "refused" and row.cause else row.outcome


def stops_as_it_must(cause: str, scenario: Scenario, stop: Stopped | None, before: datetime) -> bool:
    """Whether the stop is the one of vendor.md: for this cause, and for so long from the answer on."""
    if cause not in STOPS:
        return stop is None and (scenario.outcome != "refused" or cause in NO_STOP)
    if stop is None or stop.cause != cause:
        return False
    seconds = STOPS[cause]
    if seconds is None or stop.until is None:
        return stop == Stopped(cause, Waiting.ADMIN) and seconds is None
    begun = stop.until - timedelta(seconds=seconds)
    return stop.waiting == Waiting.TIME and before <= begun <= utc_now()


def go_on(app: Flask) -> None:
    """Ends a stop that the last answer has caused."""
    with app.app_context(), transaction():
        circuit.reset()
