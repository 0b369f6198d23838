"""charts read the calls of a month's days from one row, told apart by one thing, however many calls there were

What was counted before is put into these rows when `serve` or `migrate` counts it anew
(`webapp/verification/rollups.py`): hours of the clock need the reporting zone, which no migration knows.

Revision ID: 0025
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A database that had these months once, and was taken back, still says that they are counted.
    op.execute("DELETE FROM setting WHERE name = 'counted_in_zone'")
    op.create_table(
        "usage_month",
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("operator_id", RowId, autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "operator_id", "month", name=op.f("pk_usage_month")),
    )


def downgrade() -> None:
    op.drop_table("usage_month")
