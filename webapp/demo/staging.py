"""The tables that a made-up year passes through. They are the connection's own, and gone with it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, MetaData, String, Table

from webapp.foundation.database import RowId, UtcDateTime

_TABLES = MetaData()


def _table(name: str, *columns: Column[object]) -> Table:
    return Table(name, _TABLES, *columns, prefixes=["TEMPORARY"])


def _key() -> Column[object]:
    return Column("id", RowId, primary_key=True, autoincrement=False)


CALL = _table(
    "demo_call", _key(), Column("created_at", UtcDateTime), Column("deadline_at", UtcDateTime),
    Column("finished_at", UtcDateTime), Column("kind", RowId), Column("billed", String), Column("request_id", String),
    Column("latency_ms", Integer), Column("operator_id", RowId), Column("purpose_id", RowId), Column("lot_id", RowId),
    Column("held_left", Integer), Column("settled_left", Integer), Column("number", RowId), Column("name", RowId),
    Column("last_four", RowId), Column("reference", LargeBinary),
)  # fmt: skip
SETTLED = _table(
    "demo_settled", Column("verification_id", RowId), Column("at", UtcDateTime), Column("decision", String),
    Column("kind", String), Column("change", Integer), Column("lot_id", RowId), Column("left", Integer),
    Column("detail", JSON),
)  # fmt: skip
KIND = _table(
    "demo_kind", _key(), Column("outcome", String), Column("answered", String), Column("cause", String),
    Column("vendor_code", String), Column("http_status", Integer), Column("attempts", Integer),
    Column("detail", JSON), Column("place", Boolean),
)  # fmt: skip
"""What calls of one kind have in common; `answered`: whether they were charged as far as the answer told."""
OPERATOR = _table("demo_operator", _key(), Column("name", String), Column("department_id", RowId))
USE = _table("demo_use", _key(), Column("legal_basis", String), Column("consent", Boolean), Column("detail", JSON))
FOUND = _table("demo_found", Column("part", RowId), Column("verification_id", RowId))
"""Which calls a part leads to."""
PART = _table("demo_part", Column("blind", LargeBinary), Column("part", RowId), Column("kind", String))
"""The blind indexes of a part."""
REFERENCE = _table("demo_reference", Column("blind", LargeBinary), Column("verification_id", RowId))
ALL = (CALL, SETTLED, KIND, OPERATOR, USE, FOUND, PART, REFERENCE)
