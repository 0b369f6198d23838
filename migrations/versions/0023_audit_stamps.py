"""records of the audit trail carry a stamp from the moment they are written, and failures are found by whose they are

Until now a record proved nothing before it was sealed. What stands unsealed at this moment is sealed here, as it is
found; from here on what carries no stamp of ours is never sealed. That is done once for each chain: one that holds
stamped records already (somebody put the schema back) gets no second beginning.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

from webapp.audit import chain
from webapp.foundation.database import RowId
from webapp.foundation.instance import this_instance
from webapp.foundation.keys import Key
from webapp.foundation.sealing import derive

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

log = structlog.get_logger("yuliang.audit")

FEW = "success = FALSE"
FAILED = {"action": ["action"], "actor": ["actor_id"], "actor_action": ["actor_id", "action"],
          "object": ["object_type", "object_id"]}  # fmt: skip
MOST = 5_000
RECORD = ("id", "at", "actor_id", "actor", "action", "object_type", "object_id", "success", "address", "request_id",
          "detail", "subject")  # fmt: skip
SEGMENT = "number", "first_id", "last_id", "records", "sealed_at", "key_id", "previous", "content", "marks", "seal"
TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
POSTGRESQL = {"at": TIME.format("at"), "sealed_at": TIME.format("sealed_at"), "detail": "CAST(detail AS text)"}


def upgrade() -> None:
    op.add_column("audit_record", sa.Column("shown", RowId, nullable=True))
    op.add_column("audit_record", sa.Column("stamp", sa.LargeBinary(length=16), nullable=True))
    # From here on nobody else adds records: on PostgreSQL the table is locked, on SQLite there is one writer.
    with _lossless(op.get_bind()):
        _seal_as_found(op.get_bind(), this_instance().keys.audit)
    op.drop_index("ix_audit_record_failed", table_name="audit_record")
    _index("failed", ["success"], f"{FEW} AND id <> 0")
    _index("shown", ["shown"], "shown IS NOT NULL")
    for name, columns in FAILED.items():
        _index(f"failed_{name}", [*columns, "success"], FEW)


def downgrade() -> None:
    op.drop_index("ix_audit_record_shown", table_name="audit_record")
    for name in FAILED:
        op.drop_index(f"ix_audit_record_failed_{name}", table_name="audit_record")
    op.drop_index("ix_audit_record_failed", table_name="audit_record")
    _index("failed", [], "NOT success")
    op.drop_column("audit_record", "shown")
    op.drop_column("audit_record", "stamp")


def _index(name: str, columns: list[str], of: str) -> None:
    few = sa.text(of)
    op.create_index(
        f"ix_audit_record_{name}", "audit_record", [*columns, "at", "id"], sqlite_where=few, postgresql_where=few
    )


def _seal_as_found(connection: sa.Connection, keys: Sequence[Key]) -> None:
    newest = next(iter(_rows(connection, "audit_segment", SEGMENT, "ORDER BY number DESC LIMIT 1")), None)
    if newest is None:
        number, last_id, previous = 0, 0, chain.GENESIS
    elif any(chain.is_sealed(_secret(key), (chain.FOUND,), newest) for key in keys):
        number, last_id, previous = newest[0], newest[2], newest[-1]
    else:
        return
    while records := _rows(connection, "audit_record", RECORD, f"WHERE id > {int(last_id)} ORDER BY id LIMIT {MOST}"):
        number, last_id = number + 1, records[-1][0]
        previous = _close(connection, number, previous, records, keys[0])
        # The log lies outside the database: of what is sealed here nothing is proven of the time before.
        log.warning("audit records sealed as they were found", first=records[0][0], last=last_id, segment=number)


def _close(connection: sa.Connection, number: int, previous: bytes, records: list[chain.Row], key: Key) -> bytes:
    secret, now = _secret(key), datetime.now(UTC)
    at, (content, marks) = f"{now:%Y-%m-%d %H:%M:%S.%f}", chain.seals(secret, records)
    row = number, records[0][0], records[-1][0], len(records), at, key.id, previous, content, marks
    seal = chain.seal(secret, chain.FOUND, row)
    names = ", ".join(SEGMENT)
    values = ", ".join(f"CAST(:{name} AS timestamptz)" if name == "sealed_at" and _is_postgresql(connection)
                       else f":{name}" for name in SEGMENT)  # fmt: skip
    connection.execute(
        sa.text(f"INSERT INTO audit_segment ({names}) VALUES ({values})"),  # noqa: S608  # our own names
        dict(zip(SEGMENT, (*row, seal), strict=True)),
    )
    return seal


def _rows(connection: sa.Connection, table: str, names: Sequence[str], rest: str) -> list[chain.Row]:
    columns = ", ".join(POSTGRESQL.get(name, name) if _is_postgresql(connection) else name for name in names)
    return [tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM {table} {rest}"))]  # noqa: S608


def _secret(key: Key) -> bytes:
    return derive(key, "audit chain").secret


def _is_postgresql(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


@contextmanager
def _lossless(connection: sa.Connection) -> Iterator[None]:
    """Lets SQLite hand over text that is no UTF-8, see `stored`."""
    driver: Any = connection.connection.driver_connection
    if _is_postgresql(connection):
        yield
        return
    before, driver.text_factory = driver.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before
