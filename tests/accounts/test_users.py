"""The admins' page of users, and one's own password: bad input is said, somebody stays admin, nothing is told twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.accounts.browsing import ENGLISH, is_in, log_in, logged_in, said_beside, stranger
from tests.support.cast import ADMIN, CAST, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk
from tests.support.waiting import together, until
from webapp.accounts.models import Department, Role, User
from webapp.accounts.operations import LastAdmin, Profile, change_user, create_user
from webapp.accounts.passwords import fault
from webapp.audit.trail import SYSTEM, Action, AuditRecord
from webapp.foundation.database import db, transaction

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NEW = {
    "name": "戊新人",
    "email": "new@yuliang.test",
    "role": "operator",
    "department": "窗口",
    "password": "correct-horse-7",
}
FIFTH = len(CAST) + 1
_BAD = {
    "name": ["", "   ", "x" * 81, "a\0b", "a\x1b[31m", "x" * 1_000_000],
    "email": ["", "new", "a b@c", "<script>@x", "a\0@b.c", "x" * 250 + "@b.c"],
    "role": ["", "root", "ADMIN"],
    "department": ["x" * 81, "a\nb"],
    "password": ["short1", "alllettersx", "x" * 201, "operator-1"],
}
BAD = [(field, value) for field, values in _BAD.items() for value in values]


def row(app: Flask, user_id: int) -> tuple[str, str, str, str | None, bool]:
    """Name, mail address, role, department and whether the user may log in."""
    with app.app_context():
        user = db.session.get_one(User, user_id)
        return user.name, user.email, user.role, user.department.name if user.department else None, user.active


def last_record(app: Flask) -> tuple[str, int | None, int | None, dict[str, object]]:
    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.action.in_([Action.USER_CREATED, Action.USER_CHANGED,
                                                                  Action.PASSWORD_CHANGED]))  # fmt: skip
        found = db.session.scalars(query.order_by(AuditRecord.id.desc())).first()
        assert found is not None
        return found.action, found.actor_id, found.object_id, found.detail


def edit(app: Flask, user_id: int = OPERATOR.id, admin: Desk | None = None, /, **fields: str) -> int:
    """Sends the form of a user with these changes; returns the status."""
    name, email, role, department, active = row(app, user_id)
    kept = {"name": name, "email": email, "role": role, "department": department or "", "password": ""}
    kept |= {"active": "y"} if active else {}
    sent = {field: value for field, value in (kept | fields).items() if value != "-"}
    return (admin or Desk(app, ADMIN)).post(f"/users/{user_id}", sent).status_code


def test_an_admin_makes_a_user_who_can_log_in(app: Flask) -> None:
    answer = Desk(app, ADMIN).post("/users/new", NEW)

    assert (answer.status_code, answer.location) == (303, "/users")
    assert row(app, FIFTH) == ("戊新人", "new@yuliang.test", "operator", "窗口", True)
    assert log_in(stranger(app), "NEW@yuliang.test", "correct-horse-7").status_code == 303


def test_a_bad_field_of_a_new_user_is_said_and_nothing_is_stored(app: Flask) -> None:
    admin = Desk(app, ADMIN)
    token = admin.token()
    for field, value in BAD:
        sent = NEW | {"email": "operator@elsewhere.test", field: value, "csrf_token": token}
        page = admin.client.post("/users/new", data=sent, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, field))) == (422, True), f"{field} {value[:20]!r}"
        assert NEW["password"] not in page.text

    with app.app_context():
        assert db.session.get(User, FIFTH) is None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("field", "value"), [("name", "甲" * 80), ("email", "x" * 64 + "@" + "y" * 189), ("department", "乙" * 80)]
)
def test_the_longest_that_a_form_takes_fits_into_the_database(app: Flask, field: str, value: str) -> None:
    assert Desk(app, ADMIN).post("/users/new", NEW | {field: value}).status_code == 303


def test_a_mail_address_that_is_taken_is_said(app: Flask) -> None:
    taken = {"email": COLLEAGUE.email.upper()}

    new = Desk(app, ADMIN).post("/users/new", NEW | taken, headers=ENGLISH)

    assert new.status_code == 422
    assert said_beside(new, "email") == "Another user has this mail address."
    assert edit(app, OPERATOR.id, **taken) == 422
    assert edit(app, COLLEAGUE.id, **taken) == 303, "one's own is not taken"


def test_changes_are_stored_and_recorded_by_field_and_by_content_only_where_that_is_a_permission(app: Flask) -> None:
    changes = {"name": "己改名", "email": "renamed@yuliang.test", "department": "", "password": "another-horse-7"}

    assert edit(app, OPERATOR.id, **changes) == 303

    assert row(app, OPERATOR.id) == ("己改名", "renamed@yuliang.test", "operator", None, True)
    assert last_record(app) == ("user_changed", ADMIN.id, OPERATOR.id, {"changed": "name email department_id password"})
    assert edit(app, OPERATOR.id, active="-", role="auditor") == 303
    promoted = {"role_before": "operator", "role": "auditor", "active": False}
    assert last_record(app)[3] == {"changed": "role active"} | promoted


@on_one_database
def test_an_empty_password_keeps_the_present_one(app: Flask) -> None:
    assert edit(app, OPERATOR.id, name="己改名") == 303
    assert log_in(stranger(app)).status_code == 303


@on_one_database
def test_a_bad_change_is_said_and_nothing_is_stored(app: Flask) -> None:
    before, admin = row(app, OPERATOR.id), Desk(app, ADMIN)

    assert {(field, value[:20]): edit(app, OPERATOR.id, admin, **{field: value}) for field, value in BAD} == {
        (field, value[:20]): 422 for field, value in BAD
    }
    assert row(app, OPERATOR.id) == before


@on_one_database
def test_a_field_sent_twice_is_a_fault(app: Flask) -> None:
    assert Desk(app, ADMIN).post("/users/new", NEW | {"role": ["operator", "admin"]}).status_code == 422


@pytest.mark.parametrize("change", [{"role": "operator"}, {"active": "-"}])
def test_the_last_admin_stays_admin(app: Flask, change: dict[str, str]) -> None:
    admin = logged_in(app, ADMIN)

    assert edit(app, ADMIN.id, admin, **change) == 422
    assert row(app, ADMIN.id)[2:] == ("admin", None, True)
    assert is_in(admin)

    assert edit(app, OPERATOR.id, admin, role="admin") == 303
    assert edit(app, ADMIN.id, admin, **change) == 303


@on_one_database
def test_an_admin_who_is_switched_off_does_not_count(app: Flask) -> None:
    assert edit(app, OPERATOR.id, role="admin", active="-") == 303

    assert edit(app, ADMIN.id, role="auditor") == 422


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_two_admins_who_demote_each_other_at_once_one_stays(app: Flask) -> None:
    edit(app, OPERATOR.id, role="admin")
    kept: list[int] = []

    def demote(user_id: int) -> None:
        with app.app_context():
            user = db.session.get_one(User, user_id)
            try:
                with transaction():
                    change_user(user_id, Profile(user.name, user.email, Role.AUDITOR), "", SYSTEM, NOW)
            except LastAdmin:
                kept.append(user_id)
            finally:
                db.session.remove()

    with app.app_context(), db.engine.connect() as holder, db.engine.connect() as watcher:
        holder.execute(text("SELECT 1 FROM app_user FOR UPDATE"))
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND wait_event_type = 'Lock'")  # fmt: skip

        def let_go() -> None:
            watching = watcher.execution_options(isolation_level="AUTOCOMMIT")
            until(lambda: watching.scalar(waiting) == 2, "both have come as far as the admins' rows")
            holder.rollback()

        together(lambda: demote(ADMIN.id), lambda: demote(OPERATOR.id), let_go)

    assert len(kept) == 1
    assert row(app, kept[0])[2] == "admin"


@on_one_database
def test_a_user_who_is_not_there_is_not_found(app: Flask) -> None:
    admin = Desk(app, ADMIN)
    token = admin.token()
    for path in ("/users/99", f"/users/{10**18 - 1}", f"/users/{2**63}", "/users/0", "/users/-1", "/users/x"):
        assert admin.get(path).status_code == 404, path
        assert admin.client.post(path, data=NEW | {"csrf_token": token}).status_code == 404, path


def test_the_list_shows_everyone_and_no_secret(app: Flask) -> None:
    page = Desk(app, ADMIN).get("/users").text

    assert all(member.email in page and member.name in page for member in CAST)
    assert "argon2" not in page


@on_one_database
def test_what_people_are_called_is_shown_as_text(app: Flask) -> None:
    Desk(app, ADMIN).post("/users/new", NEW | {"name": "<script>alert(1)</script>", "department": "\"'><img src=x>"})

    for path in ("/users", f"/users/{FIFTH}", "/history", "/quota"):
        page = Desk(app, ADMIN).get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_department_is_made_once_and_kept(app: Flask) -> None:
    for number in range(2):
        with app.app_context(), transaction():
            create_user(Profile("", f"{number}@y.test", Role.OPERATOR, " 窗口 "), "correct-horse-7", SYSTEM, NOW)

    with app.app_context():
        assert sorted(db.session.scalars(select(Department.name))) == ["前台", "后台", "窗口"]


def test_ones_own_password_needs_the_present_one(app: Flask) -> None:
    browser = logged_in(app)
    wrong = {"current_password": "wrong-horse-9", "new_password": "another-horse-7"}

    page = browser.post("/profile", wrong, headers=ENGLISH)

    assert page.status_code == 422
    assert said_beside(page, "current_password") == "This is not your present password."
    assert "horse" not in page.text
    assert last_record(app)[:3] == ("password_changed", OPERATOR.id, OPERATOR.id)
    assert log_in(stranger(app)).status_code == 303


@on_one_database
def test_a_weak_new_password_is_said_and_the_present_one_stays(app: Flask) -> None:
    browser = logged_in(app)
    for new in ("", "short1", "alllettersx", "x" * 201, "x" * 1_000_000):
        page = browser.post("/profile", {"current_password": PASSWORD, "new_password": new}, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, "new_password"))) == (422, True), new[:20]

    assert log_in(stranger(app)).status_code == 303


@on_one_database
def test_who_guesses_the_present_password_of_an_open_session_must_wait(app: Flask) -> None:
    browser = logged_in(app)
    statuses = [
        browser.post("/profile", {"current_password": f"wrong-{n}", "new_password": "another-horse-7"}).status_code
        for n in range(7)
    ]

    assert statuses[0] == 422
    assert statuses[-1] == 429


@on_one_database
def test_what_makes_a_password_sound(app: Flask) -> None:
    sound = ["correct1", "Correcth", "correct!", "一二三四a六七八", "pass word", "correcthorsebatt", "operatoroperator",
             "operator-7788", "x" * 200]  # fmt: skip
    weak = ["correct", "x" * 201, "correcthorse", "12345678", "一二三四五六七八", "operator9", "myOPERATOR9"]

    with app.test_request_context():
        faults = {password: fault(password, "operator@yuliang.test") for password in sound + weak}

    assert [password for password in sound if faults[password] is not None] == []
    assert [password for password in weak if faults[password] is None] == []
    with app.test_request_context():
        assert fault("abcdefg123456", "e@yuliang.test") is None, "one letter is part of many words"


def test_a_password_is_stored_as_an_argon2id_hash_with_a_salt_of_its_own(app: Flask) -> None:
    with app.app_context():
        hashes = set(db.session.scalars(select(User.password_hash)))

    assert len(hashes) == len(CAST)
    assert all(re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", one) for one in hashes)


@on_one_database
def test_the_permissions_page_shows_the_table_to_everyone(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    pages = {member.role: Desk(app, member).get("/users/permissions") for member in CAST}

    assert {page.status_code for page in pages.values()} == {200}
    assert "/quota/lots/new" in pages[Role.OPERATOR].text
