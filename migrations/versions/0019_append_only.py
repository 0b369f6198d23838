"""the database itself refuses to change or remove a ledger entry

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQLITE = (
    "CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE ON ledger_entry "
    "WHEN NOT EXISTS (SELECT 1 FROM ledger_leave) "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION ledger_entry_stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF TG_OP = 'UPDATE' OR NOT EXISTS (SELECT 1 FROM ledger_leave) THEN "
    "RAISE EXCEPTION 'the ledger is append-only'; END IF; RETURN NULL; END $$",
    "CREATE TRIGGER ledger_entry_is_not_changed BEFORE UPDATE ON ledger_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
    "CREATE TRIGGER ledger_entry_is_not_removed BEFORE DELETE OR TRUNCATE ON ledger_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_stands()",
)


def upgrade() -> None:
    op.create_table(
        "ledger_leave",
        sa.Column("id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_leave")),
    )
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    on = " ON ledger_entry" if op.get_bind().dialect.name == "postgresql" else ""
    for trigger in ("ledger_entry_is_not_changed", "ledger_entry_is_not_removed"):
        op.execute(f"DROP TRIGGER {trigger}{on}")
    if on:
        op.execute("DROP FUNCTION ledger_entry_stands()")
    op.drop_table("ledger_leave")
