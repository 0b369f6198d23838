"""exports prepared in the background, sealed piece by piece; who revealed whom lately

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", RowId, nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("approver_id", RowId, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("fetched_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_export_owner_id_app_user")),
        sa.ForeignKeyConstraint(["approver_id"], ["app_user.id"], name=op.f("fk_export_approver_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_state_ends_at", "export", ["state", "ends_at"])
    op.create_index("ix_export_owner_id_id", "export", ["owner_id", "id"])
    op.create_table(
        "export_piece",
        sa.Column("export_id", RowId, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["export.id"], name=op.f("fk_export_piece_export_id_export")),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_piece")),
    )
    op.create_table(
        "reveal",
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("actor_id", RowId, nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_reveal_actor_id_app_user")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_reveal_verification_id_verification")
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_reveal")),
    )
    op.create_index("ix_reveal_at", "reveal", ["at"])
    op.create_index("ix_reveal_actor_id_at", "reveal", ["actor_id", "at"])


def downgrade() -> None:
    op.drop_table("reveal")
    op.drop_table("export_piece")
    op.drop_table("export")
