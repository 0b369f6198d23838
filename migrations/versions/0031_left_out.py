"""the trail's checkpoint names what was left out; a saved view knows when it was used last

A checkpoint of before left nothing out. Nobody knows when views of before were used: their time begins now.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

VIEW = sa.table("saved_view", sa.column("used_at", UtcDateTime()))


def upgrade() -> None:
    op.add_column("audit_checkpoint", sa.Column("left_out", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("saved_view", sa.Column("used_at", UtcDateTime(), nullable=True))
    op.execute(sa.update(VIEW).values(used_at=datetime.now(UTC)))
    op.create_index(op.f("ix_saved_view_used_at"), "saved_view", ["used_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_saved_view_used_at"), "saved_view")
    op.drop_column("saved_view", "used_at")
    op.drop_column("audit_checkpoint", "left_out")
