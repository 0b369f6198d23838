"""Who hears that calls were used or bought. What lies above the quota registers here, at the composition root, so
that nothing is imported upwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from flask import Flask, current_app

NAME = "quota watchers"

Watcher = Callable[[datetime], None]


@dataclass(slots=True)
class _Watchers:
    supply: list[Watcher] = field(default_factory=list)
    calls: list[Watcher] = field(default_factory=list)


def watch(app: Flask, *, supply: Watcher, calls: Watcher) -> None:
    """Registers who hears of purchases and corrections (`supply`, in their transaction) and of calls that were
    settled (`calls`, after theirs)."""
    watchers = _of(app)
    watchers.supply.append(supply)
    watchers.calls.append(calls)


def supply_changed(now: datetime) -> None:
    """Called by the ledger in the transaction of the purchase or correction: both stand or fall together."""
    for watcher in _of(current_app).supply:
        watcher(now)


def calls_settled(now: datetime) -> None:
    """Called after the transaction that settled a call. Watchers must not raise: the outcome is stored already."""
    for watcher in _of(current_app).calls:
        watcher(now)


def _of(app: Flask) -> _Watchers:
    return cast(_Watchers, app.extensions.setdefault(NAME, _Watchers()))
