"""searches and saved views, sealed; an index for any combination of filters; finding by the vendor's request id

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KIND = ["source", "billed", "outcome", "purpose_id", "operator_id", "department_id", "created_at", "id"]


def upgrade() -> None:
    op.create_table(
        "stored_search",
        sa.Column("handle", sa.String(length=22), nullable=False),
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_stored_search_user_id_app_user")),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_stored_search")),
    )
    op.create_index("ix_stored_search_expires_at", "stored_search", ["expires_at"])
    op.create_table(
        "saved_view",
        sa.Column("id", RowId, nullable=False),
        sa.Column("owner_id", RowId, nullable=False),
        sa.Column("shared_with", sa.String(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_saved_view_owner_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index("ix_saved_view_owner_id", "saved_view", ["owner_id"])
    op.create_index("ix_saved_view_shared_with", "saved_view", ["shared_with"])
    op.create_index("ix_verification_kind", "verification", KIND)
    sent = sa.text("request_id <> ''")
    op.create_index(
        "ix_verification_request_id", "verification", ["request_id", "id"], sqlite_where=sent, postgresql_where=sent
    )
    op.drop_index("ix_reuse_reference_blind", "reuse_reference")
    op.create_index("ix_reuse_reference_blind_verification_id", "reuse_reference", ["blind", "verification_id"])


def downgrade() -> None:
    op.drop_index("ix_reuse_reference_blind_verification_id", "reuse_reference")
    op.create_index("ix_reuse_reference_blind", "reuse_reference", ["blind"])
    op.drop_index("ix_verification_request_id", "verification")
    op.drop_index("ix_verification_kind", "verification")
    op.drop_table("saved_view")
    op.drop_table("stored_search")
