"""a reading knows when the vendor was asked: it took its figure at some moment until the answer came

Readings of before have none: they are taken for those of the moment they were stored.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meter_reading", sa.Column("asked_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("meter_reading", "asked_at")
