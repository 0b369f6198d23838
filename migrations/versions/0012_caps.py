"""caps that operators, departments and sources may use in a day, and calls kept for the desk

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cap",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("of", sa.String(length=20), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", RowId, nullable=True),
        sa.ForeignKeyConstraint(["changed_by"], ["app_user.id"], name=op.f("fk_cap_changed_by_app_user")),
        sa.PrimaryKeyConstraint("kind", "of", name=op.f("pk_cap")),
    )


def downgrade() -> None:
    op.drop_table("cap")
