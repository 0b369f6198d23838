"""What reading costs, told in numbers that are the same on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from psycopg import Cursor
from sqlalchemy import Connection

from webapp.foundation.database import db

Act = Callable[[], object]


def price_of(act: Act, *tables: str) -> int:
    """What it costs, whatever else the machine does: on SQLite steps of its machine, on PostgreSQL rows of
    `tables` that are read."""
    act()  # the first time reads the schema
    return _steps(act) if db.engine.dialect.name == "sqlite" else _rows_read(act, tables)


def _steps(act: Act) -> int:
    connection = db.session.connection().connection.driver_connection
    assert connection is not None
    hundreds = 0

    def one_more() -> int:
        nonlocal hundreds
        hundreds += 1
        return 0

    connection.set_progress_handler(one_more, 100)
    try:
        act()
    finally:
        connection.set_progress_handler(None, 0)
    return hundreds * 100


def _rows_read(act: Act, tables: tuple[str, ...]) -> int:
    sent: list[tuple[str, Any]] = []

    execute = Cursor.execute

    def remember(cursor: Cursor[Any], statement: Any, parameters: Any = None, **more: Any) -> Cursor[Any]:
        sent.append((statement, parameters))
        return execute(cursor, statement, parameters, **more)

    connection = db.session.connection()
    Cursor.execute = remember  # type: ignore[assignment, method-assign]  # below SQLAlchemy, which some reads go past
    try:
        act()
    finally:
        Cursor.execute = execute  # type: ignore[method-assign]
    read = sum(_read(connection, *one) for one in sent if any(f" {name}" in one[0] for name in tables))
    db.session.rollback()
    return read


def _read(connection: Connection, statement: str, parameters: Any) -> int:
    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in _nodes(plan[0]["Plan"]) if "Relation Name" in node
    )  # fmt: skip


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
