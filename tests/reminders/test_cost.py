"""The check costs the same however many calls were made. Counted in SQLite's own steps: no clock is involved."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.reminders import fill
from tests.reminders.story import buy, subscribe
from tests.support.cast import NOW
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.reminders import operations

pytestmark = pytest.mark.usefixtures("context")

STEPS = 100


def steps_of_a_check() -> int:
    """Virtual machine steps, in hundreds, of the check of the minute and of the one after a call."""
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    def watch(_connection: Any, cursor: sqlite3.Cursor, *_more: Any) -> None:
        cursor.connection.set_progress_handler(step, STEPS)

    event.listen(db.engine, "before_cursor_execute", watch)
    operations.review(this_instance(), NOW)
    operations.call_settled(NOW)
    event.remove(db.engine, "before_cursor_execute", watch)
    return counted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_check_does_not_grow_with_the_number_of_verifications() -> None:
    subscribe()
    buy(10**6)
    fill(1, 100)
    operations.review(this_instance(), NOW)
    few = steps_of_a_check()

    fill(101, 50_000)

    assert steps_of_a_check() <= few + 5
    assert few < 20
