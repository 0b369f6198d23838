"""receipts: commitments, their sealed salts, wrong tries

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("reuse_id", RowId, nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("department_id", RowId, nullable=True),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_receipt_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["reuse_id"], ["reuse.id"], name=op.f("fk_receipt_reuse_id_reuse")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_receipt_department_id_department")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_receipt")),
        sa.UniqueConstraint("reuse_id", name=op.f("uq_receipt_reuse_id")),
    )
    # A result has one receipt of its own; each reuse of it has another.
    op.create_index(
        "uq_receipt_verification_id", "receipt", ["verification_id"], unique=True,
        sqlite_where=sa.text("reuse_id IS NULL"), postgresql_where=sa.text("reuse_id IS NULL"),
    )  # fmt: skip
    op.create_table(
        "receipt_salt",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["receipt.number"], name=op.f("fk_receipt_salt_number_receipt")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["identity.verification_id"],
            name=op.f("fk_receipt_salt_verification_id_identity"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_receipt_salt")),
    )  # fmt: skip
    op.create_index("ix_receipt_salt_verification_id", "receipt_salt", ["verification_id"])
    op.create_table(
        "receipt_failure",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_failure")),
    )
    op.create_index("ix_receipt_failure_at", "receipt_failure", ["at"])
    op.create_index("ix_receipt_failure_network_at", "receipt_failure", ["network", "at"])
    op.create_index("ix_receipt_failure_number_at", "receipt_failure", ["number", "at"])


def downgrade() -> None:
    for table in ("receipt_failure", "receipt_salt", "receipt"):
        op.drop_table(table)
