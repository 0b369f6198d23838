"""runs of the purge, legal holds, and what stands for facts that were let go

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
    op.create_index("ix_purge_run_kind_id", "purge_run", ["kind", "id"])
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
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_legal_hold_verification_id_verification")
        ),
        sa.ForeignKeyConstraint(["placed_by"], ["app_user.id"], name=op.f("fk_legal_hold_placed_by_app_user")),
        sa.ForeignKeyConstraint(["lifted_by"], ["app_user.id"], name=op.f("fk_legal_hold_lifted_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_verification_id"), "legal_hold", ["verification_id"])
    still = sa.text("lifted_at IS NULL")
    _closings()
    op.create_index("ix_legal_hold_open", "legal_hold", ["id"], sqlite_where=still, postgresql_where=still)


def _closings() -> None:
    """What stands for facts that were let go; and indexes by which the database sees that nothing hangs on a fact."""
    words, numbers = {"outcome": 24, "billed": 8, "source": 16}, ("operator", "department", "purpose", "lot")
    op.create_table(
        "usage_closing",
        sa.Column("at", UtcDateTime(), nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in words.items()),
        *(sa.Column(f"{name}_id", RowId, autoincrement=False, nullable=False) for name in numbers),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("latency_bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "at", *words, *(f"{name}_id" for name in numbers), "cause", "latency_bucket", name=op.f("pk_usage_closing")
        ),
    )
    op.create_table(
        "ledger_closing",
        sa.Column("lot_id", RowId, autoincrement=False, nullable=False),
        *(sa.Column(name, RowId, nullable=False) for name in ("holds", "charges", "releases", "change")),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_ledger_closing")),
    )
    op.create_index(op.f("ix_receipt_verification_id"), "receipt", ["verification_id"])
    _once("verification_id IS NOT NULL")


def _once(words: str) -> None:
    name, of_calls = "uq_ledger_entry_verification_id_kind", sa.text(words)
    op.drop_index(name, table_name="ledger_entry")
    op.create_index(name, "ledger_entry", ["verification_id", "kind"], unique=True, sqlite_where=of_calls,
                    postgresql_where=of_calls)  # fmt: skip


def downgrade() -> None:
    _once("kind IN ('hold', 'charge', 'release')")
    op.drop_index(op.f("ix_receipt_verification_id"), table_name="receipt")
    op.drop_table("ledger_closing")
    op.drop_table("usage_closing")
    op.drop_table("legal_hold")
    op.drop_table("purge_run")
