"""calls are counted by lot and cause too: what they cost, and why they were refused, comes from the rollups alone

What was counted before stands under no lot until `serve` or `migrate` counts it anew (`webapp/verification/rollups.py`).

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BEFORE = ["outcome", "billed", "source", "operator_id", "department_id", "purpose_id"]
ROLLUPS = {"usage_day": ["day", *BEFORE], "usage_hour": ["hour", *BEFORE]}


def upgrade() -> None:
    for table in ("usage_delta", *ROLLUPS):
        op.add_column(table, sa.Column("lot_id", RowId, server_default=sa.text("0"), nullable=False))
        op.add_column(table, sa.Column("cause", sa.String(length=24), server_default=sa.text("''"), nullable=False))
    for table, key in ROLLUPS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(f"pk_{table}", type_="primary")
            batch_op.create_primary_key(f"pk_{table}", [*key, "lot_id", "cause"])
    for table in ("usage_delta", *ROLLUPS):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("lot_id", existing_type=RowId, existing_nullable=False, server_default=None)
            batch_op.alter_column("cause", existing_type=sa.String(24), existing_nullable=False, server_default=None)


def downgrade() -> None:
    for table, key in ROLLUPS.items():
        _put_together(table, key)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(f"pk_{table}", type_="primary")
            batch_op.create_primary_key(f"pk_{table}", key)
            batch_op.drop_column("lot_id")
            batch_op.drop_column("cause")
    for column in ("lot_id", "cause"):
        op.drop_column("usage_delta", column)


def _put_together(table: str, key: list[str]) -> None:
    """Leaves one count of those that only lot and cause tell apart."""
    connection = op.get_bind()
    rollup = sa.table(table, *(sa.column(name) for name in (*key, "lot_id", "cause", "calls")))
    by = [rollup.c[name] for name in key]
    sums = connection.execute(sa.select(*by, sa.func.sum(rollup.c.calls).label("calls")).group_by(*by)).mappings().all()
    connection.execute(sa.delete(rollup))
    if sums:
        connection.execute(sa.insert(rollup), [{**one, "lot_id": 0, "cause": ""} for one in sums])
