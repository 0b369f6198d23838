"""records of pages and files are found by the block of their verifications and by number, however far back

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NAME, TABLE, SHOWN = "ix_audit_record_shown", "audit_record", sa.text("shown IS NOT NULL")


def upgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["shown", "id"], sqlite_where=SHOWN, postgresql_where=SHOWN)


def downgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["shown", "at", "id"], sqlite_where=SHOWN, postgresql_where=SHOWN)
