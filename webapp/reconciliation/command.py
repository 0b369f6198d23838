"""`yuliang reconcile`: reads the vendor's counter where that is due, and says how the books stand to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from webapp.audit.trail import SYSTEM
from webapp.foundation.instance import Instance
from webapp.foundation.pages import when
from webapp.reconciliation import left, operations, queries, texts
from webapp.reconciliation.left import Left
from webapp.reconciliation.models import MeterFailure
from webapp.reconciliation.operations import NotAsked, WrongReading
from webapp.reconciliation.queries import Standing
from webapp.vendor.metering import Meter
from webapp.vendor.metering_answer import MOST


class NothingToCompare(Exception):
    """There is no reading, and none can be had; the message says what to do."""


@dataclass(slots=True)
class Told:
    """What the command says: the comparison, and what went wrong beside it."""

    agreed: bool = True
    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def reconcile(meter: Meter, used: int | None, total: int | None, instance: Instance, now: datetime) -> Told:
    """The comparison with the newest reading: the figures given, else what the vendor says now, else the last one.

    Raises `NothingToCompare`.
    """
    told = Told()
    if used is not None or total is not None:
        _enter(used, total, instance, now)
    else:
        _ask(meter, told, instance, now)
    found = queries.standing(instance.settings.zone)
    if found is None:
        raise NothingToCompare(
            "; ".join(told.faults)
            or "there is no reading yet: set YULIANG_ACCESS_KEY_ID and YULIANG_ACCESS_KEY_SECRET, "
            "or give the console's figures by --used N --total N"
        )
    rest = left.compared(found, instance.settings.zone, now)
    told.agreed = not found.comparison.drift
    told.lines += _lines(found, rest)
    return told


def _enter(used: int | None, total: int | None, instance: Instance, now: datetime) -> None:
    if used is None or total is None or not 0 <= used <= MOST or not 1 <= total <= MOST:
        raise NothingToCompare(f"give both --used and --total, whole numbers up to {MOST}")
    try:
        operations.enter(used, total, SYSTEM, instance, now)
    except WrongReading as wrong:
        last = f" ({wrong.last.used} of {wrong.last.total} at {when(wrong.last.at)})" if wrong.last else ""
        raise NothingToCompare(f"{texts.READING_FAULTS[wrong.fault]}{last}") from wrong


def _ask(meter: Meter, told: Told, instance: Instance, now: datetime) -> None:
    try:
        found = operations.ask(meter, SYSTEM, instance, now, hurry=True)
    except NotAsked as early:
        if early.again_at is not None:
            told.lines.append(f"The vendor is asked once an hour at most, next at {when(early.again_at)}.")
        return
    if isinstance(found, MeterFailure):
        words = texts.failure_words(found.fault, found.code, found.http_status)
        told.faults.append(f"The vendor's counter was not read: {words}. {texts.FAULTS[found.fault][1]}")


def _lines(found: Standing, rest: Left) -> list[str]:
    reading = found.reading
    lines = [
        f"Reading of {when(reading.at)}: {reading.used} of {reading.total} calls used, {reading.remaining} remain."
    ]
    lines += [texts.headline(found, rest), *texts.details(found, rest)]
    lines += [f"  unknown: verification {row.id} of {when(row.created_at)}" for row in found.unknown]
    return lines
