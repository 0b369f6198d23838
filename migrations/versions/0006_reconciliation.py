"""reconciliation: readings of the vendor's counter, baselines, failures, turns

Revision ID: 0006
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter_reading",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.Column("baseline_id", RowId, nullable=True),
        sa.Column("charged", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("under_way", sa.Integer(), nullable=False),
        sa.Column("drift", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_meter_reading_actor_id_app_user")),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["meter_reading.id"], name=op.f("fk_meter_reading_baseline_id_meter_reading")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_reading")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_meter_reading_at"), "meter_reading", ["at"])
    op.create_table(
        "meter_baseline",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reading_id", RowId, nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_meter_baseline_actor_id_app_user")),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["meter_reading.id"], name=op.f("fk_meter_baseline_reading_id_meter_reading")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_baseline")),
        sa.UniqueConstraint("reading_id", name=op.f("uq_meter_baseline_reading_id")),
    )
    op.create_table(
        "meter_failure",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("fault", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_meter_failure_actor_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_failure")),
    )
    op.create_index(op.f("ix_meter_failure_at"), "meter_failure", ["at"])
    op.create_table(
        "meter_turn",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_turn")),
    )


def downgrade() -> None:
    op.drop_table("meter_turn")
    op.drop_table("meter_failure")
    op.drop_table("meter_baseline")
    op.drop_table("meter_reading")
