"""reminders

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_kind"), ["kind"], unique=False)
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entry_supply",
            ["kind"],
            unique=False,
            sqlite_where=sa.text("verification_id IS NULL"),
            postgresql_where=sa.text("verification_id IS NULL"),
        )

    op.create_table(
        "message",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("wire_id", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_cause"), ["cause"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_state_next_at_id"), ["state", "next_at", "id"], unique=False)

    op.create_table(
        "reminder_episode",
        sa.Column("id", RowId, nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("mark", RowId, nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_episode")),
        sa.UniqueConstraint("key", name=op.f("uq_reminder_episode_key")),
    )
    with op.batch_alter_table("reminder_episode", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reminder_episode_open",
            ["rule"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "message_attempt",
        sa.Column("id", RowId, nullable=False),
        sa.Column("message_id", RowId, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_attempt_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_attempt")),
    )
    with op.batch_alter_table("message_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_attempt_message_id"), ["message_id"], unique=False)

    op.create_table(
        "reminder_recipient",
        sa.Column("id", RowId, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("user_id", RowId, nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("low", sa.Boolean(), nullable=False),
        sa.Column("expiry", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_reminder_recipient_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_recipient")),
        sa.UniqueConstraint("email", name=op.f("uq_reminder_recipient_email")),
        sa.UniqueConstraint("user_id", name=op.f("uq_reminder_recipient_user_id")),
    )
    op.create_table(
        "reminder_lot",
        sa.Column("lot_id", RowId, autoincrement=False, nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("episode_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["reminder_episode.id"], name=op.f("fk_reminder_lot_episode_id_reminder_episode")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_reminder_lot_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", "ends_on", name=op.f("pk_reminder_lot")),
    )
    with op.batch_alter_table("reminder_lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reminder_lot_episode_id"), ["episode_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("reminder_lot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reminder_lot_episode_id"))

    op.drop_table("reminder_lot")
    op.drop_table("reminder_recipient")
    with op.batch_alter_table("message_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_attempt_message_id"))

    op.drop_table("message_attempt")
    with op.batch_alter_table("reminder_episode", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_reminder_episode_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("reminder_episode")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_state_next_at_id"))
        batch_op.drop_index(batch_op.f("ix_message_cause"))

    op.drop_table("message")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_kind"))
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_supply")
