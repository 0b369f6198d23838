"""A process that rotates keys as the command does, in a nursery, so that it can be killed."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from webapp import opening
from webapp.configuration import key_command, rotation
from webapp.foundation import key_ring
from webapp.verification import reindexing
from webapp.watching import logs

GRACE, LOOKED_AT_EVERY, MOST, LEASE = timedelta(seconds=1.5), 0.2, 4, timedelta(seconds=2)
"""Smaller than the product's own, so that the tests need not wait long, and many batches are there to be killed in."""


def hurry() -> None:
    """This process's waits and batches."""
    rotation.GRACE, key_ring.LOOKED_AT_EVERY, reindexing.MOST = GRACE, LOOKED_AT_EVERY, MOST
    key_command.LEASE = LEASE  # who is killed is taken for dead after this


def live(order: dict[str, Any]) -> int:
    """Runs `yuliang rotate-keys`. `environ`: the settings."""
    os.environ.update(order["environ"])
    hurry()
    app = opening.open_known(os.environ)
    logs.configure("ERROR")
    return key_command.run(app, f"child {os.getpid()}", lambda _line: None)
