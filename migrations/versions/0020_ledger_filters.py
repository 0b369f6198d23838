"""the ledger is read by day, lot, kind and person

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

OF_NO_CALL = sa.text("verification_id IS NULL")
RARE, BY_PERSON = sa.text("kind NOT IN ('hold', 'charge')"), sa.text("actor_id IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_ledger_entry_at_id", "ledger_entry", ["at", "id"])
    op.create_index("ix_ledger_entry_lot_id_at_id", "ledger_entry", ["lot_id", "at", "id"])
    op.create_index(
        "ix_ledger_entry_no_call", "ledger_entry", ["at", "id"], sqlite_where=OF_NO_CALL, postgresql_where=OF_NO_CALL
    )
    op.create_index(
        "ix_ledger_entry_rare", "ledger_entry", ["kind", "at", "id"], sqlite_where=RARE, postgresql_where=RARE
    )
    op.create_index(
        "ix_ledger_entry_person",
        "ledger_entry",
        ["actor_id", "at", "id"],
        sqlite_where=BY_PERSON,
        postgresql_where=BY_PERSON,
    )


def downgrade() -> None:
    for name in ("person", "rare", "no_call", "lot_id_at_id", "at_id"):
        op.drop_index(f"ix_ledger_entry_{name}", "ledger_entry")
