"""The audit trail: every act leaves its record, both stand or fall together, and no record names a person verified."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, text

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk
from webapp import create_app
from webapp.accounts import operations as accounts
from webapp.accounts.models import Role
from webapp.accounts.operations import Profile
from webapp.audit.texts import ACTIONS, OBJECTS
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who, append
from webapp.foundation import schema
from webapp.foundation.database import Base, db, transaction
from webapp.opening import let_go, open_new_or_known
from webapp.quota import ledger
from webapp.settings import read_settings
from webapp.vendor.sandbox.server import Sandbox

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER = "张三", "11010519491231002X"
NEW = {"name": "戊", "email": "new@yuliang.test", "role": "operator", "department": "", "password": "correct-horse-7"}
Record = tuple[str, int | None, str, int | None, bool]


def records(app: Flask, after: int = 0) -> list[Record]:
    """Action, actor, object and success of every record after the given one."""
    with app.app_context():
        found = db.session.scalars(select(AuditRecord).where(AuditRecord.id > after).order_by(AuditRecord.id))
        return [(one.action, one.actor_id, one.object_type, one.object_id, one.success) for one in found]


def newest(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.max(AuditRecord.id))) or 0


def counts(app: Flask) -> dict[str, int]:
    """How many rows each table holds."""
    with app.app_context():
        tables = [table for table in Base.metadata.sorted_tables if inspect(db.engine).has_table(table.name)]
        return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def acts(app: Flask) -> list[tuple[Callable[[], object], list[Record]]]:
    """What people do, and the records it must leave."""
    admin, operator, auditor, nobody = (Desk(app, who) for who in (ADMIN, OPERATOR, AUDITOR, None))
    user = {
        "name": "乙",
        "email": OPERATOR.email,
        "role": "operator",
        "department": "前台",
        "active": "y",
        "password": "",
    }
    log_in = {"email": OPERATOR.email, "password": PASSWORD}
    return [
        (lambda: nobody.post("/login", log_in | {"password": "x"}), [("login_failed", None, "user", 2, False)]),
        (lambda: nobody.post("/login", log_in), [("login", 2, "user", 2, True)]),
        (lambda: admin.post("/users/new", NEW), [("user_created", 1, "user", 5, True)]),
        (lambda: admin.post("/users/3", user | {"email": COLLEAGUE.email}), [("user_changed", 1, "user", 3, True)]),
        (admin.record_lot, [("lot_recorded", 1, "lot", 1, True)]),
        (lambda: admin.post("/settings", {"appcode": "new-appcode"}), [("setting_changed", 1, "", None, True)]),
        (lambda: operator.post("/verify", {"name": ""}), [("verification_blocked", 2, "", None, False)]),
        (lambda: operator.verify(NAME, NUMBER), [("verification_sent", 2, "verification", 1, True),
                                                 ("verification_finished", 2, "verification", 1, True),
                                                 ("verification_viewed", 2, "verification", 1, True)]),
        (lambda: auditor.get("/verifications/1"), [("verification_viewed", 4, "verification", 1, True)]),
        (lambda: auditor.get("/history"), [("history_viewed", 4, "", None, True)]),
        (lambda: auditor.get("/audit"), [("audit_viewed", 4, "", None, True)]),
        (lambda: auditor.post("/audit/file"), [("audit_exported", 4, "", None, True)]),
        (lambda: auditor.post("/audit/person", {"name": NAME}), [("looks_viewed", 4, "", None, True)]),
        (lambda: operator.get("/days.csv"), [("figures_exported", 2, "", None, True)]),
        (lambda: operator.get("/users"), [("access_refused", 2, "", None, False)]),
        (lambda: operator.post("/profile", {"current_password": "x", "new_password": "another-horse-7"}),
         [("password_changed", 2, "user", 2, False)]),
        (lambda: operator.post("/profile", {"current_password": PASSWORD, "new_password": "another-horse-7"}),
         [("password_changed", 2, "user", 2, True)]),
        (lambda: operator.post("/logout"), [("logout", 2, "user", 2, True)]),
    ]  # fmt: skip


def test_every_act_leaves_its_records(make_app: Callable[..., Flask]) -> None:
    app = make_app(APPCODE="")
    for act, expected in acts(app):
        before = newest(app)
        act()

        assert records(app, before) == expected


def test_a_migration_is_recorded_with_its_copy(tmp_path: Path) -> None:
    environ = {"YULIANG_INSTANCE": str(tmp_path / "instance")}
    older = create_app(read_settings(environ))
    with older.app_context():
        schema.upgrade(schema.revisions()[-2])
        db.engine.dispose()

    for _time in range(2):
        app, _backup = open_new_or_known(environ)

    with app.app_context():
        [record] = db.session.scalars(select(AuditRecord)).all()
        db.session.remove()
        let_go(app)
    assert (record.action, record.actor_id) == (Action.SCHEMA_MIGRATED, None)
    assert record.detail["to"] == schema.revisions()[-1]
    assert (tmp_path / "instance" / "backups" / record.detail["copy"]).is_file()


def test_what_cannot_be_recorded_is_not_done(make_app: Callable[..., Flask], sandbox: Sandbox) -> None:
    """The trail's table is away: every act fails and changes nothing, and no call is sent."""
    app = make_app(APPCODE="")
    todo = acts(app)
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        connection.execute(text("ALTER TABLE audit_record RENAME TO away"))
        connection.commit()
    before = counts(app)

    for act, _expected in todo:
        answer = act()
        assert getattr(answer, "status_code", 503) in (404, 503), act

    assert counts(app) == before
    assert sandbox.counts().received == 0


@on_one_database
def test_what_is_not_done_is_not_recorded(app: Flask) -> None:
    before = newest(app)
    with app.app_context():
        for email in (COLLEAGUE.email, "a@b.c"):
            with contextlib.suppress(accounts.EmailTaken, ZeroDivisionError), transaction():
                accounts.create_user(Profile("", email, Role.OPERATOR), "correct-horse-7", SYSTEM, NOW)
                raise ZeroDivisionError
        with contextlib.suppress(ZeroDivisionError), transaction():
            ledger.record_purchase(ledger.Purchase(10, NOW.date(), NOW.date()), Who(ADMIN.id, ADMIN.name), NOW)
            raise ZeroDivisionError
        db.session.remove()
    Desk(app, ADMIN).post("/quota/lots/new", {"calls": "-5"})
    Desk(app, ADMIN).post("/users/new", NEW | {"role": "root"})

    assert records(app, before) == []


@on_one_database
def test_a_record_needs_its_acts_transaction(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="inside transaction"):
        append(SYSTEM, Action.LOGIN, NOW)


def test_no_record_holds_what_was_asked_or_typed(make_app: Callable[..., Flask]) -> None:
    app = make_app(APPCODE="")
    for act, _expected in acts(app):
        act()
    Desk(app, OPERATOR).verify("李四误输", "110105194912310021", reference="业务-7788")
    Desk(app, ADMIN).post("/users/new", NEW | {"password": "Sommer", "department": "密室"})

    with app.app_context():
        kept = repr([vars(one) for one in db.session.scalars(select(AuditRecord))])
    for secret in (NAME, NUMBER, "李四", "110105", "业务", "new-appcode", PASSWORD, "another-horse-7", "Sommer", "密室",
                   "correct-horse-7"):  # fmt: skip
        assert secret not in kept, secret


def test_a_record_keeps_when_who_whence_and_in_which_request(app: Flask) -> None:
    desk = Desk(app, AUDITOR)
    desk.client.environ_base["REMOTE_ADDR"] = "2001:db8::5"

    page = desk.get("/history")

    with app.app_context():
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record is not None
        assert (record.actor, record.address) == (AUDITOR.name, "2001:db8::5")
        assert record.request_id == page.headers["X-Request-Id"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_longest_names_and_addresses_fit(app: Flask) -> None:
    who = Who(1, "甲" * 200, "x" * 64, "0" * 40)

    with app.app_context():
        with transaction():
            append(who, max(Action, key=len), NOW, on=("verification", 2**62), note="x" * 5000)
        assert db.session.scalar(select(AuditRecord.actor).order_by(AuditRecord.id.desc())) == "甲" * 200


def test_every_action_is_used_and_has_its_words() -> None:
    root = Path(__file__).parents[2] / "webapp"
    used = {
        node.attr
        for path in root.rglob("*.py")
        if path.name not in ("texts.py", "trail.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Action"
    }

    assert {action.name for action in Action} == used
    assert set(ACTIONS) == set(Action)
    assert all(len(action) <= 32 for action in Action)


def test_every_kind_of_object_has_its_word() -> None:
    root = Path(__file__).parents[2] / "webapp"
    named = {
        word.value.elts[0].value
        for path in root.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "append"
        for word in call.keywords
        if word.arg == "on" and isinstance(word.value, ast.Tuple) and isinstance(word.value.elts[0], ast.Constant)
    }

    assert {"verification", "user", "lot"} <= named
    assert named == set(OBJECTS)
