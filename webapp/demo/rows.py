"""What is made of a year, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from webapp.demo.stock import Stocked
from webapp.quota.ledger import Purchase


class Call(NamedTuple):
    """One row of `staging.CALL`, in its order."""

    id: int
    created_at: str
    deadline_at: str
    finished_at: str
    outcome: str
    billed: str
    answered: str
    """Whether it was charged as far as the answer told."""
    cause: str | None
    vendor_code: str
    http_status: int
    request_id: str
    latency_ms: int
    attempts: int
    operator_id: int
    operator: str
    department_id: int
    purpose_id: int
    legal_basis: str
    consent: bool
    lot_id: int | None
    held_left: int
    """Of its lot, after the hold; `settled_left` after what the answer did to it."""
    settled_left: int
    sent: str
    """What the trail keeps of the intent; `finished`: of the answer."""
    finished: str
    number: int
    """The parts of the person, see `parts`."""
    name: int
    last_four: int
    place: int | None
    reference: bytes | None
    """Blind index of the reference."""
    sealed: bytes


class Settled(NamedTuple):
    """An unknown outcome that an admin settled later: one row of `staging.SETTLED`, in its order."""

    verification_id: int
    at: str
    decision: str
    kind: str
    change: int
    lot_id: int | None
    left: int
    """Of the lot, after it."""
    detail: str


Counted = tuple[Any, ...]
"""A row of a table of counts, in its order; of a key, without its calls."""


@dataclass(slots=True)
class Batch:
    """Whole days: what comes first on the morning of the first, then the calls, in order."""

    morning: date
    bought: list[Purchase]
    calls: list[Call] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    days: list[Counted] = field(default_factory=list)
    """Rows of `UsageDay`; no other batch has counts of these days."""
    hours: list[Counted] = field(default_factory=list)
    latencies: list[Counted] = field(default_factory=list)
    lots: list[Stocked] = field(default_factory=list)
    told: list[Call] = field(default_factory=list)
    """Those of `calls` that admins are told of."""
