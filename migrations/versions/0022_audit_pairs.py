"""the audit trail is read by person and action at once

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_record_actor_id_action_at_id", "audit_record", ["actor_id", "action", "at", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_record_actor_id_action_at_id", "audit_record")
