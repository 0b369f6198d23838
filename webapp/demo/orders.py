"""Pure: what is ordered when a year is to be made up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from webapp.quota.rules import DrawOrder


class Operator(NamedTuple):
    """Who verifies: the row, its department and name."""

    id: int
    department_id: int
    name: str


class Use(NamedTuple):
    """A purpose as calls are made for it; `prefix` of its references, empty where it has none."""

    id: int
    legal_basis: str
    consent: bool
    prefix: str


class Orders(NamedTuple):
    """What is to be made. `first_call`, `first_lot` and `first_record` are the row numbers that come next."""

    calls: int
    days: int
    seed: int
    now: datetime
    zone: ZoneInfo
    deadline: timedelta
    draw_order: DrawOrder
    admin_id: int
    admin: str
    operators: tuple[Operator, ...]
    purposes: tuple[Use, ...]
    first_call: int
    first_lot: int
    first_record: int
