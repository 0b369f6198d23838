"""What a batch costs does not grow with what is stored: the database goes by an index to all that it reads or takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from tests.retention.ages import DAY, ask_then, identities, night
from tests.support.cast import ADMIN, Desk
from tests.verification.calls import buy, somebody
from webapp.foundation.database import db

LARGE = (
    "verification", "identity", "identity_index", "reuse", "reuse_reference", "receipt", "receipt_salt", "settlement",
    "spent_form", "ledger_entry", "legal_hold", "message", "message_attempt", "audit_record",
)  # fmt: skip


def scanned(plan: list[Any]) -> set[str]:
    """The tables that a plan of SQLite reads from one end to the other."""
    words = [str(row[-1]).split() for row in plan]
    return {line[1] for line in words if line[0] == "SCAN" and "USING" not in line and line[1] in LARGE}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_batch_and_no_page_reads_a_table_from_end_to_end(make_app: Callable[..., Any]) -> None:
    app = make_app(KEEP_IDENTITY="30", KEEP_FACTS="1096")
    buy(app, 10)
    for n in range(3):
        ask_then(app, somebody(n), 1200 * DAY)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    night(app)
    Desk(app, ADMIN).get("/retention")
    event.remove(engine, "before_cursor_execute", note)

    assert identities(app) == []
    statements = [(words, given) for words, given in asked if words.startswith(("SELECT", "DELETE", "UPDATE"))]
    assert any(words.startswith("DELETE FROM verification") for words, _given in statements)
    with engine.connect() as connection:
        found = {
            (words, table)
            for words, given in statements if not isinstance(given, list)
            for table in scanned(list(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given)))
            if "ORDER BY" not in words or "LIMIT" not in words
        }  # fmt: skip
    assert found == set()
