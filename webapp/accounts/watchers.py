"""Who hears that an operator's shift at a desk is over. What lies above the accounts registers here, at the
composition root, so that nothing is imported upwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from flask import Flask, current_app

from webapp.audit.trail import Who

NAME = "shift watchers"

Watcher = Callable[[int, Who, datetime], None]
"""Hears whose shift ended, by whose act, when."""


def watch(app: Flask, *, shift_ended: Watcher) -> None:
    """Registers who hears of hand-overs, in their transaction."""
    _of(app).append(shift_ended)


def shift_ended(user_id: int, who: Who, now: datetime) -> None:
    """Called in the transaction of the hand-over: both stand or fall together."""
    for watcher in _of(current_app):
        watcher(user_id, who, now)


def _of(app: Flask) -> list[Watcher]:
    return cast(list[Watcher], app.extensions.setdefault(NAME, []))
