"""the hold of the outbox, who is on the list as an admin, and what was given up because of the mail server

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MESSAGE = sa.table("message", sa.column("id", RowId), sa.column("state", sa.String), sa.column("reason", sa.String))
ATTEMPT = sa.table("message_attempt", sa.column("id", RowId), sa.column("message_id", RowId),
                   sa.column("stage", sa.String))  # fmt: skip
RECIPIENT = sa.table("reminder_recipient", sa.column("user_id", RowId), sa.column("asked_at", UtcDateTime()),
                     sa.column("as_admin", sa.Boolean))  # fmt: skip
USER = sa.table("app_user", sa.column("id", RowId), sa.column("role", sa.String))


def upgrade() -> None:
    op.create_table(
        "message_hold",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("fresh_at", UtcDateTime(), nullable=True),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_message_hold")),
    )
    op.add_column("reminder_recipient", sa.Column("as_admin", sa.Boolean(), server_default=sa.false(), nullable=False))
    admins = sa.select(USER.c.id).where(USER.c.role == "admin")
    # Who was never asked by mail has subscribed themselves, which only admins can.
    as_admin = RECIPIENT.c.user_id.is_not(None), sa.or_(RECIPIENT.c.asked_at.is_(None), RECIPIENT.c.user_id.in_(admins))
    op.execute(sa.update(RECIPIENT).where(*as_admin).values(as_admin=sa.true()))
    newest = sa.select(sa.func.max(ATTEMPT.c.id)).group_by(ATTEMPT.c.message_id)
    by_server = sa.select(ATTEMPT.c.message_id).where(
        ATTEMPT.c.id.in_(newest), ATTEMPT.c.stage.in_(("connect", "greeting", "tls", "login", "sender"))
    )
    given_up = sa.update(MESSAGE).where(MESSAGE.c.state == "failed", MESSAGE.c.id.in_(by_server))
    op.execute(given_up.values(reason="server"))


def downgrade() -> None:
    op.execute(sa.update(MESSAGE).where(MESSAGE.c.reason == "server").values(reason=""))
    op.drop_column("reminder_recipient", "as_admin")
    op.drop_table("message_hold")
