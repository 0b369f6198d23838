"""the audit trail is chained in sealed segments, says whom a record is about, and is read by time

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = (["action", "id"], ["actor_id"], ["at"], ["object_type", "object_id", "id"])
AFTER = (["action", "at", "id"], ["actor_id", "at", "id"], ["at", "id"], ["object_type", "object_id", "at", "id"])
FEW = {"failed": ("NOT success", ["at", "id"]), "subject": ("subject IS NOT NULL", ["subject", "at", "id"])}


def upgrade() -> None:
    op.add_column("audit_record", sa.Column("subject", sa.LargeBinary(length=16), nullable=True))
    _index(BEFORE, AFTER)
    for name, (condition, columns) in FEW.items():
        of_few = sa.text(condition)
        op.create_index(
            f"ix_audit_record_{name}", "audit_record", columns, sqlite_where=of_few, postgresql_where=of_few
        )
    op.create_table(
        "audit_segment",
        sa.Column("number", RowId, autoincrement=False, nullable=False),
        sa.Column("first_id", RowId, nullable=False),
        sa.Column("last_id", RowId, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_segment")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("number", RowId, autoincrement=False, nullable=False),
        sa.Column("last_id", RowId, nullable=False),
        sa.Column("records", RowId, nullable=False),
        sa.Column("dropped_at", UtcDateTime(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoint")),
    )


def downgrade() -> None:
    op.drop_table("audit_checkpoint")
    op.drop_table("audit_segment")
    for name in FEW:
        op.drop_index(f"ix_audit_record_{name}", table_name="audit_record")
    _index(AFTER, BEFORE)
    op.drop_column("audit_record", "subject")


def _index(old: tuple[list[str], ...], new: tuple[list[str], ...]) -> None:
    for columns in old:
        op.drop_index(f"ix_audit_record_{'_'.join(columns)}", table_name="audit_record")
    for columns in new:
        op.create_index(f"ix_audit_record_{'_'.join(columns)}", "audit_record", columns)
