"""messages by reader, faults in words of their own, short forms; users on the list without a copy of their address

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MESSAGE = sa.table("message", sa.column("reader", sa.String), sa.column("address", sa.String),
                   sa.column("kind", sa.String))  # fmt: skip
RECIPIENT = sa.table("reminder_recipient", sa.column("id", RowId), sa.column("email", sa.String),
                     sa.column("user_id", RowId), sa.column("created_at", UtcDateTime()))  # fmt: skip
USER = sa.table("app_user", sa.column("id", RowId), sa.column("email", sa.String))
NOTICE = sa.table("notice", sa.column("id", RowId), sa.column("kind", sa.String))
DISMISSAL = sa.table("notice_dismissal", sa.column("notice_id", RowId))


def upgrade() -> None:
    op.add_column("message", sa.Column("reader", sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.add_column("message", sa.Column("flaw", sa.String(length=500), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "message_attempt", sa.Column("fault", sa.String(length=24), server_default=sa.text("''"), nullable=False)
    )
    with op.batch_alter_table("reminder_recipient", schema=None) as batch_op:  # nothing refers to this table
        batch_op.alter_column("email", existing_type=sa.String(length=254), nullable=True)
    _name_readers()
    # What these notices told is looked up for each page now.
    old = sa.select(NOTICE.c.id).where(NOTICE.c.kind.in_(("nobody_told", "undelivered")))
    op.execute(sa.delete(DISMISSAL).where(DISMISSAL.c.notice_id.in_(old)))
    op.execute(sa.delete(NOTICE).where(NOTICE.c.kind.in_(("nobody_told", "undelivered"))))


def _name_readers() -> None:
    """Says of each reminder for whom it is: whoever has, or had, its address on the list."""
    connection = op.get_bind()
    listed = sa.select(RECIPIENT.c.id, RECIPIENT.c.created_at, RECIPIENT.c.email, USER.c.email).select_from(
        sa.outerjoin(RECIPIENT, USER, USER.c.id == RECIPIENT.c.user_id)
    )
    for number, created_at, email, users_email in connection.execute(listed).all():
        theirs = MESSAGE.c.address.in_({address for address in (email, users_email) if address})
        about_us = MESSAGE.c.kind.in_(("reminder.low", "reminder.expiry", "recipient.confirm"))
        connection.execute(
            sa.update(MESSAGE)
            .where(theirs, about_us, MESSAGE.c.reader == "")
            .values(reader=_reader(number, created_at))
        )


def _reader(number: int, created_at: datetime) -> str:
    return f"recipient:{number}-{round(created_at.timestamp() * 1_000_000)}"


def downgrade() -> None:
    op.execute("UPDATE reminder_recipient SET email = (SELECT email FROM app_user WHERE app_user.id = user_id) "
               "WHERE email IS NULL")  # fmt: skip
    with op.batch_alter_table("reminder_recipient", schema=None) as batch_op:
        batch_op.alter_column("email", existing_type=sa.String(length=254), nullable=False)
    op.drop_column("message_attempt", "fault")
    op.drop_column("message", "flaw")
    op.drop_column("message", "reader")
