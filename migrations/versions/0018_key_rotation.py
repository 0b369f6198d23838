"""under which index key blind indexes are; how far a rotation of keys has come

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added in place: a batch would copy what may be millions of rows.
    op.add_column("identity", sa.Column("index_key", sa.String(length=16), nullable=True))
    op.add_column("reuse_reference", sa.Column("index_key", sa.String(length=16), nullable=True))
    op.create_table(
        "key_rotation",
        sa.Column("id", RowId, nullable=False),
        sa.Column("data_key", sa.String(length=16), nullable=False),
        sa.Column("index_key", sa.String(length=16), nullable=False),
        sa.Column("old_data_keys", sa.String(length=200), nullable=False),
        sa.Column("old_index_keys", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("promoted_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_rotation")),
    )
    op.create_table(
        "key_rotation_part",
        sa.Column("rotation_id", RowId, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("place", sa.JSON(), nullable=True),
        sa.Column("total", RowId, nullable=False),
        sa.Column("done", RowId, nullable=False),
        sa.Column("found", RowId, nullable=False),
        sa.Column("broken", RowId, nullable=False),
        sa.Column("pass_began_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["rotation_id"], ["key_rotation.id"], name=op.f("fk_key_rotation_part_rotation_id_key_rotation")
        ),
        sa.PrimaryKeyConstraint("rotation_id", "name", name=op.f("pk_key_rotation_part")),
    )


def downgrade() -> None:
    op.drop_table("key_rotation_part")
    op.drop_table("key_rotation")
    op.drop_column("reuse_reference", "index_key")
    op.drop_column("identity", "index_key")
