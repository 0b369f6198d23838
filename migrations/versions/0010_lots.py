"""lots are closed, refunded and annotated; calls used before the books began; what an answer costs, by dated rules

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "billed = 'unknown'"
INDEXES = {"verification": ["created_at", "id"], "usage_day": ["outcome", "calls"]}


def upgrade() -> None:
    op.add_column("lot", sa.Column("refunded_fen", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("lot", sa.Column("note", sa.String(length=500), server_default=sa.text("''"), nullable=False))
    op.add_column("lot", sa.Column("used_before", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("lot", sa.Column("closed_at", UtcDateTime(), nullable=True))
    op.create_table(
        "deduction_rule",
        sa.Column("id", RowId, nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("billed", sa.String(length=8), nullable=False),
        sa.Column("effective_from", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_deduction_rule_actor_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deduction_rule")),
    )
    op.create_index("ix_deduction_rule_answer_effective_from_id", "deduction_rule", ["answer", "effective_from", "id"])
    op.drop_index("ix_usage_day_unknown", table_name="usage_day")
    for table, columns in INDEXES.items():
        op.create_index(f"ix_{table}_open", table, columns, sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN))


def downgrade() -> None:
    for table in INDEXES:
        op.drop_index(f"ix_{table}_open", table_name=table)
    unknown = sa.text("outcome = 'unknown'")
    op.create_index("ix_usage_day_unknown", "usage_day", ["calls"], sqlite_where=unknown, postgresql_where=unknown)
    op.drop_table("deduction_rule")
    for column in ("closed_at", "used_before", "note", "refunded_fen"):
        op.drop_column("lot", column)
