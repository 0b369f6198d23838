"""What is derived of staged calls comes in the order in which it was drawn."""

from __future__ import annotations

from flask import Flask

from webapp.demo import derived, loading
from webapp.demo.rows import Call
from webapp.demo.staging import ALL, CALL, KIND
from webapp.foundation.database import transaction


def call(number: int, created_at: str, finished_at: str) -> Call:
    return Call(
        number, created_at, created_at, finished_at, 0, "yes", "", 9, 2, 1, 1, 10, 9, 0, 1, 2, None,
    )  # fmt: skip


def test_an_answer_and_a_hold_of_the_same_microsecond_come_in_the_order_of_their_calls(context: Flask) -> None:
    first, both, last = (f"2026-11-02 04:00:00.00000{digit}" for digit in range(3))
    with transaction() as session:
        connection = session.connection()
        for table in ALL:
            table.create(connection)
        loading.put(connection, KIND, [(0, "match", "yes", None, "0000", 200, 1, "{}", True)])
        loading.put(connection, CALL, [call(1, first, both), call(2, both, last)])
        entries = connection.execute(derived.entries(1)).all()
        session.rollback()

    assert [(one.verification_id, one.kind) for one in entries] == [
        (1, "hold"),
        (1, "charge"),
        (2, "hold"),
        (2, "charge"),
    ]
