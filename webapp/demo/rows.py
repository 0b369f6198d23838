"""Pure: what is made of a year, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from webapp.demo.stock import Stocked


class Bought(NamedTuple):
    """What the admin buys on a morning, as `quota.ledger.Purchase` says."""

    calls: int
    bought_on: date
    expires_on: date
    price_fen: int | None
    order_number: str
    used_before: int = 0


class Call(NamedTuple):
    """One row of `staging.CALL`, in its order."""

    id: int
    created_at: str
    deadline_at: str
    finished_at: str
    kind: int
    """Its place in `outcomes.KINDS`."""
    billed: str
    request_id: str
    latency_ms: int
    operator_id: int
    purpose_id: int
    lot_id: int | None
    held_left: int
    """Of its lot, after the hold; `settled_left` after what the answer did to it."""
    settled_left: int
    number: int
    """The parts of the person, see `parts`."""
    name: int
    last_four: int
    reference: bytes | None
    """Blind index of the reference."""


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


class Told(NamedTuple):
    """A call that admins are told of."""

    id: int
    finished_at: str
    kind: int
    billed: str


class Seals(NamedTuple):
    """The seals of a piece of the trail, as `audit.sealer.Ready` says."""

    first_id: int
    last_id: int
    records: int
    content: bytes
    marks: bytes


Row = tuple[Any, ...]
"""A plain tuple, in the order of its table: what is many is made by `zip`, and quick to hand to another process."""


@dataclass(slots=True)
class Batch:
    """Whole days: what comes first on the morning of the first, then the calls, in order."""

    morning: date
    bought: list[Bought]
    calls: list[Row] = field(default_factory=list)
    """Each a `Call`."""
    identities: list[Row] = field(default_factory=list)
    """Rows of `Identity`."""
    parts: list[Row] = field(default_factory=list)
    """Rows of `staging.PART`, of parts that were not there before."""
    settled: list[Settled] = field(default_factory=list)
    days: list[Row] = field(default_factory=list)
    """Rows of `UsageDay`; no other batch has counts of these days."""
    hours: list[Row] = field(default_factory=list)
    latencies: list[Row] = field(default_factory=list)
    lots: list[Stocked] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    trail: list[Seals] = field(default_factory=list)
    """Of all audit records of the calls and of what was settled."""
