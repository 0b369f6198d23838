"""Everything the sandbox can answer, both generations of the gateway, through the whole product over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.cast import OPERATOR, card_of
from tests.support.over_http import Visitor, served, visit
from tests.verification.calls import buy, differences, lot_figures, outcomes, somebody
from webapp.foundation.database import transaction
from webapp.vendor import circuit
from webapp.vendor.sandbox.scenario import Manner, Scenario
from webapp.vendor.sandbox.scenarios import SCENARIOS
from webapp.vendor.sandbox.server import Sandbox

RETRIES = {"never": 0, "once": 1, "backoff": 3}
NUMBERS = {scenario.name: somebody(n)[1] for n, scenario in enumerate(SCENARIOS)}
LOT = 1000
AT_ONCE = 24
LONGEST = 12.0
"""Seconds: the deadline of a call is half of it."""


def calls_expected(scenario: Scenario) -> int:
    """Requests that the vendor may see: exactly one where a retry is forbidden."""
    retries = RETRIES[scenario.retry]
    return 1 + (min(retries, scenario.times) if scenario.first else retries)


def lingers(scenario: Scenario) -> bool:
    """Takes its time and stops nobody: can be asked about beside others."""
    return scenario.retry == "backoff" or scenario.manner is not Manner.PLAIN


@pytest.fixture
def product(make_app: MakeApp, sandbox: Sandbox) -> Iterator[tuple[Flask, Visitor]]:
    sandbox.change(slow_ms=300, trickle_ms=50)
    app = make_app(VENDOR_CONNECT_TIMEOUT="1", VENDOR_READ_TIMEOUT="1", VENDOR_DEADLINE="6")
    with served(app) as address:
        yield app, visit(address, OPERATOR)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_every_answer_has_its_outcome_its_charge_and_its_number_of_calls(
    product: tuple[Flask, Visitor], sandbox: Sandbox
) -> None:
    app, operator = product
    lot = buy(app, LOT)
    wrong: list[str] = []

    def submit(scenario: Scenario, tab: Visitor) -> None:
        answer = tab.verify(scenario.name, NUMBERS[scenario.name])
        seen = (*card_of(answer.text), sandbox.calls(scenario.name, NUMBERS[scenario.name]).received)
        expected = (scenario.outcome, scenario.billed, calls_expected(scenario))
        if (answer.status_code, seen) != (200, expected) or answer.elapsed.total_seconds() > LONGEST:
            wrong.append(f"{scenario.name}: {answer.status_code} {seen} instead of {expected}, {answer.elapsed}")

    with ThreadPoolExecutor(AT_ONCE) as tabs:
        list(tabs.map(lambda scenario: submit(scenario, operator.copy()), filter(lingers, SCENARIOS)))
    for scenario in SCENARIOS:
        if not lingers(scenario):
            submit(scenario, operator)
            go_on(app)

    assert wrong == []
    stored = outcomes(app)
    assert sum(stored.values()) == len(SCENARIOS)
    charged, unknown = (sum(n for key, n in stored.items() if key[1] == billed) for billed in ("yes", "unknown"))
    assert charged <= sandbox.counts().charged <= charged + unknown
    assert lot_figures(app, lot) == (LOT - charged - unknown, unknown, charged)
    assert differences(app) == []


def go_on(app: Flask) -> None:
    """Ends a stop that the last answer has caused."""
    with app.app_context(), transaction():
        circuit.reset()
