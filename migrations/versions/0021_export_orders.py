"""an export's order goes when it ends; its owner's role is kept

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

EXPORT = sa.table("export", *(sa.column(name) for name in ("state", "sealed", "sealed_order")))
OPEN = "asked", "preparing", "ready"


def upgrade() -> None:
    # A new column, and the old one dropped in place: pieces refer to the table, SQLite could not make it anew.
    op.add_column("export", sa.Column("sealed_order", sa.LargeBinary(), nullable=True))
    # Of whoever asked before nobody knows the role of then: what is open is asked for anew.
    op.add_column("export", sa.Column("owner_role", sa.String(length=16), server_default=sa.text("''"), nullable=False))
    op.execute(sa.update(EXPORT).where(EXPORT.c.state.in_(OPEN)).values(sealed_order=EXPORT.c.sealed))
    op.drop_column("export", "sealed")


def downgrade() -> None:
    op.add_column("export", sa.Column("sealed", sa.LargeBinary(), server_default=sa.text("''"), nullable=False))
    op.execute(sa.update(EXPORT).where(EXPORT.c.sealed_order.is_not(None)).values(sealed=EXPORT.c.sealed_order))
    op.drop_column("export", "owner_role")
    op.drop_column("export", "sealed_order")
