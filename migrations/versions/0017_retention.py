"""runs of the purge, and legal holds

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purge_run",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("before", UtcDateTime(), nullable=False),
        sa.Column("position", RowId, nullable=False),
        sa.Column("removed", RowId, nullable=False),
        sa.Column("spared", RowId, nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_purge_run_actor_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_run")),
    )
    op.create_index("ix_purge_run_kind", "purge_run", ["kind", "id"])
    op.create_table(
        "legal_hold",
        sa.Column("id", RowId, nullable=False),
        sa.Column("verification_id", RowId, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("placed_by", RowId, nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.Column("lifted_by", RowId, nullable=True),
        sa.Column("lift_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("verification_id IS NULL OR sealed IS NULL", name=op.f("ck_legal_hold_one_of_two")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_legal_hold_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["placed_by"], ["app_user.id"], name=op.f("fk_legal_hold_placed_by_app_user")),
        sa.ForeignKeyConstraint(["lifted_by"], ["app_user.id"], name=op.f("fk_legal_hold_lifted_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_verification_id"), "legal_hold", ["verification_id"])
    still = sa.text("lifted_at IS NULL")
    op.create_index("ix_legal_hold_open", "legal_hold", ["id"], sqlite_where=still, postgresql_where=still)


def downgrade() -> None:
    op.drop_table("legal_hold")
    op.drop_table("purge_run")
