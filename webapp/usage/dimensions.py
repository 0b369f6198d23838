"""Pure: what a counted call is told apart by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What a counted call is told apart by; 0 stands for no department or lot, an empty word for no cause."""

    outcome: str
    billed: str
    source: str
    operator_id: int
    department_id: int
    purpose_id: int
    lot_id: int
    cause: str = ""
