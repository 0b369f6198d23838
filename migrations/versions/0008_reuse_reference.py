"""reference of a reused result: sealed, with its blind index

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reuse_reference",
        sa.Column("reuse_id", RowId, autoincrement=False, nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blind", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["reuse_id"], ["reuse.id"], name=op.f("fk_reuse_reference_reuse_id_reuse")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["identity.verification_id"],
            name=op.f("fk_reuse_reference_verification_id_identity"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reuse_id", name=op.f("pk_reuse_reference")),
    )  # fmt: skip
    op.create_index("ix_reuse_reference_verification_id", "reuse_reference", ["verification_id"])
    op.create_index("ix_reuse_reference_blind", "reuse_reference", ["blind"])


def downgrade() -> None:
    op.drop_table("reuse_reference")
