"""desk: circuit, purposes, reuse, spent forms, settlements

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "circuit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("probe_id", RowId, nullable=True),
        sa.Column("probe_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circuit")),
    )
    op.execute("INSERT INTO circuit (id, cause, probes, asked) VALUES (1, '', 0, FALSE)")
    # Columns are added one by one and keep their defaults: SQLite would otherwise make the table anew, and with it
    # lose what refers to it.
    op.add_column("purpose", sa.Column("reference_required", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("purpose", sa.Column("reuse_match", sa.Integer(), server_default="24", nullable=False))
    op.add_column("purpose", sa.Column("reuse_mismatch", sa.Integer(), server_default="1", nullable=False))
    op.add_column("purpose", sa.Column("reuse_no_such_number", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "verification", sa.Column("guardian_consent", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("verification", sa.Column("declaration_id", RowId, nullable=True))
    op.create_table(
        "shift_declaration",
        sa.Column("id", RowId, nullable=False),
        sa.Column("operator_id", RowId, nullable=False),
        sa.Column("purpose_id", RowId, nullable=False),
        sa.Column("document", sa.String(length=80), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["app_user.id"], name=op.f("fk_shift_declaration_operator_id_app_user")
        ),
        sa.ForeignKeyConstraint(["purpose_id"], ["purpose.id"], name=op.f("fk_shift_declaration_purpose_id_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_declaration")),
    )
    op.create_index("ix_shift_declaration_operator_id_until", "shift_declaration", ["operator_id", "until"])
    op.create_table(
        "reuse",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("operator_id", RowId, nullable=False),
        sa.Column("lot_id", RowId, nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("guardian_consent", sa.Boolean(), nullable=False),
        sa.Column("declaration_id", RowId, nullable=True),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_reuse_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["app_user.id"], name=op.f("fk_reuse_operator_id_app_user")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_reuse_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reuse")),
    )
    op.create_index("ix_reuse_at", "reuse", ["at"])
    op.create_index("ix_reuse_verification_id", "reuse", ["verification_id"])
    op.create_table(
        "spent_form",
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("verification_id", RowId, nullable=True),
        sa.Column("reuse_id", RowId, nullable=True),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_spent_form_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["reuse_id"], ["reuse.id"], name=op.f("fk_spent_form_reuse_id_reuse")),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_form")),
    )
    op.create_index("ix_spent_form_at", "spent_form", ["at"])
    op.create_index("ix_spent_form_verification_id", "spent_form", ["verification_id"])
    op.create_index("ix_spent_form_reuse_id", "spent_form", ["reuse_id"])
    op.create_table(
        "settlement",
        sa.Column("id", RowId, nullable=False),
        sa.Column("verification_id", RowId, nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_settlement_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_settlement_actor_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
    )
    op.create_index("ix_settlement_verification_id", "settlement", ["verification_id"])


def downgrade() -> None:
    for table in ("settlement", "spent_form", "reuse", "shift_declaration"):
        op.drop_table(table)
    for column in ("declaration_id", "guardian_consent"):
        op.drop_column("verification", column)
    for column in ("reuse_no_such_number", "reuse_mismatch", "reuse_match", "reference_required"):
        op.drop_column("purpose", column)
    op.drop_table("circuit")
