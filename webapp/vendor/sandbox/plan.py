"""Decides what a request gets: its scenario's answer, the register's, the quota's refusal. Pure: no I/O."""

from __future__ import annotations

from typing import NamedTuple

from webapp.vendor.sandbox.answers import Answer, Asked, gateway, ordinary
from webapp.vendor.sandbox.scenarios import BY_NAME, Manner, Scenario


class Plan(NamedTuple):
    """What is sent (None: nothing), how it travels, if it is deducted, and if a used-up quota stops it."""

    answer: Answer | None
    manner: Manner = Manner.PLAIN
    charges: bool = False
    reaches_backend: bool = True


def scenario_of(asked: Asked, forced: str | None) -> Scenario | None:
    """The situation the name calls, or the one forced on every request."""
    return BY_NAME.get(forced or asked.name)


def plan(asked: Asked, scenario: Scenario | None, step: int) -> Plan:
    """`step`: how many requests of a sequence came before this one, with this number."""
    if scenario is None:
        return Plan(ordinary(asked), charges=True)
    if scenario.first and step < scenario.times:
        early = scenario.first(asked)
        return Plan(early, charges=early.charged)
    answer = scenario.answer(asked) if scenario.answer else None
    return Plan(answer, scenario.manner, scenario.charged, scenario.reaches_backend)


def quota_refusal(asked: Asked) -> Plan:
    """What everybody gets once the run's quota is used up."""
    refused = gateway("B403MQ")(asked)
    return Plan(refused, reaches_backend=False)
