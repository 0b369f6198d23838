"""first schema

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.foundation.database import RowId, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_record",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", RowId, nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("object_type", sa.String(length=32), nullable=False),
        sa.Column("object_id", RowId, nullable=True),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
    )
    with op.batch_alter_table("audit_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_record_action_id"), ["action", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_record_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_record_at"), ["at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_record_object_type_object_id_id"), ["object_type", "object_id", "id"], unique=False
        )

    op.create_table(
        "department",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("name", name=op.f("uq_department_name")),
    )
    op.create_table(
        "latency_hour",
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "bucket", name=op.f("pk_latency_hour")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "login_failure",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("account", sa.LargeBinary(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_failure_account_at"), ["account", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_failure_address_at"), ["address", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_failure_at"), ["at"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_role"), ["role"], unique=False)

    op.create_table(
        "purpose",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("legal_basis", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purpose")),
        sa.UniqueConstraint("name_en", name=op.f("uq_purpose_name_en")),
        sa.UniqueConstraint("name_zh", name=op.f("uq_purpose_name_zh")),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "usage_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("billed", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("operator_id", RowId, autoincrement=False, nullable=False),
        sa.Column("department_id", RowId, autoincrement=False, nullable=False),
        sa.Column("purpose_id", RowId, autoincrement=False, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day",
            "outcome",
            "billed",
            "source",
            "operator_id",
            "department_id",
            "purpose_id",
            name=op.f("pk_usage_day"),
        ),
    )
    with op.batch_alter_table("usage_day", schema=None) as batch_op:
        batch_op.create_index(
            "ix_usage_day_unknown",
            ["calls"],
            unique=False,
            sqlite_where=sa.text("outcome = 'unknown'"),
            postgresql_where=sa.text("outcome = 'unknown'"),
        )

    op.create_table(
        "usage_delta",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("billed", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("operator_id", RowId, nullable=False),
        sa.Column("department_id", RowId, nullable=False),
        sa.Column("purpose_id", RowId, nullable=False),
        sa.Column("latency_bucket", sa.Integer(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_delta")),
    )
    op.create_table(
        "usage_hour",
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("billed", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("operator_id", RowId, autoincrement=False, nullable=False),
        sa.Column("department_id", RowId, autoincrement=False, nullable=False),
        sa.Column("purpose_id", RowId, autoincrement=False, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour",
            "outcome",
            "billed",
            "source",
            "operator_id",
            "department_id",
            "purpose_id",
            name=op.f("pk_usage_hour"),
        ),
    )
    op.create_table(
        "app_user",
        sa.Column("id", RowId, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("department_id", RowId, nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("theme", sa.String(length=8), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_app_user_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("email", name=op.f("uq_app_user_email")),
    )
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_user_department_id"), ["department_id"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_login_session_user_id_app_user")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_login_session")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_started_at"), ["started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "lot",
        sa.Column("id", RowId, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("bought_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=True),
        sa.Column("order_number", sa.String(length=80), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("charged", sa.Integer(), nullable=False),
        sa.Column("lapsed", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", RowId, nullable=True),
        sa.CheckConstraint(
            "available >= 0 AND held >= 0 AND charged >= 0 AND lapsed >= 0", name=op.f("ck_lot_not_negative")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_lot_recorded_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_expires_on_bought_on"), ["expires_on", "bought_on"], unique=False)

    op.create_table(
        "notice_dismissal",
        sa.Column("notice_id", RowId, autoincrement=False, nullable=False),
        sa.Column("user_id", RowId, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_dismissal_notice_id_notice")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notice_dismissal_user_id_app_user")),
        sa.PrimaryKeyConstraint("notice_id", "user_id", name=op.f("pk_notice_dismissal")),
    )
    op.create_table(
        "verification",
        sa.Column("id", RowId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("billed", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("vendor_code", sa.String(length=32), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("operator_id", RowId, nullable=False),
        sa.Column("department_id", RowId, nullable=True),
        sa.Column("purpose_id", RowId, nullable=False),
        sa.Column("legal_basis", sa.String(length=16), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("lot_id", RowId, nullable=True),
        sa.Column("sending_person", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_verification_department_id_department")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_verification_lot_id_lot")),
        sa.ForeignKeyConstraint(["operator_id"], ["app_user.id"], name=op.f("fk_verification_operator_id_app_user")),
        sa.ForeignKeyConstraint(["purpose_id"], ["purpose.id"], name=op.f("fk_verification_purpose_id_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_created_at_id"), ["created_at", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_verification_operator_id_created_at_id"), ["operator_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_verification_outcome_created_at_id"), ["outcome", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_verification_sending_person",
            ["sending_person"],
            unique=True,
            sqlite_where=sa.text("outcome = 'sending'"),
            postgresql_where=sa.text("outcome = 'sending'"),
        )

    op.create_table(
        "identity",
        sa.Column("verification_id", RowId, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_identity_verification_id_verification")
        ),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_identity")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("lot_id", RowId, nullable=True),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("available_after", sa.Integer(), nullable=False),
        sa.Column("verification_id", RowId, nullable=True),
        sa.Column("actor_id", RowId, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_ledger_entry_actor_id_app_user")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_ledger_entry_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_ledger_entry_verification_id_verification")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_lot_id_id"), ["lot_id", "id"], unique=False)
        batch_op.create_index(
            "uq_ledger_entry_verification_id_kind",
            ["verification_id", "kind"],
            unique=True,
            sqlite_where=sa.text("kind IN ('hold', 'charge', 'release')"),
            postgresql_where=sa.text("kind IN ('hold', 'charge', 'release')"),
        )

    op.create_table(
        "identity_index",
        sa.Column("blind", sa.LargeBinary(length=16), nullable=False),
        sa.Column("verification_id", RowId, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["identity.verification_id"], name=op.f("fk_identity_index_verification_id_identity")
        ),
        sa.PrimaryKeyConstraint("blind", "verification_id", name=op.f("pk_identity_index")),
    )
    with op.batch_alter_table("identity_index", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_index_verification_id"), ["verification_id"], unique=False)

    op.execute(
        "INSERT INTO purpose (name_zh, name_en, legal_basis, active) "
        "VALUES ('办理业务核验身份', 'Identity check for a service', 'consent', TRUE)"
    )


def downgrade() -> None:
    raise RuntimeError("the first schema has nothing to go back to: restore a backup instead")
