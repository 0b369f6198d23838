"""The first admin: made on a page behind a one-time code, while nobody can log in yet, and never again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text

from tests.accounts.browsing import ENGLISH, is_in, log_in, said_beside, stranger
from tests.support.cast import ADMIN, NOW, Desk
from tests.support.waiting import together, until
from webapp.accounts.models import LoginSession, User
from webapp.accounts.operations import FIRST_RUN_CODE, Profile, first_admin_code, make_first_admin
from webapp.audit.trail import SYSTEM, Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.runtime import StoredSetting

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FIELDS = {"name": "戊首任", "email": "first@yuliang.test", "password": "correct-horse-9"}


@pytest.fixture
def empty(app: Flask) -> Flask:
    """The app on a database in which nobody can log in."""
    with app.app_context(), transaction() as session:
        session.execute(delete(LoginSession))
        session.execute(delete(User))
    return app


def code_of(app: Flask) -> str:
    """The code as the start prints it."""
    with app.app_context():
        return first_admin_code(this_instance().sealer, NOW)


def people(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(user.email, user.role) for user in db.session.scalars(select(User).order_by(User.id))]


def first_page(app: Flask) -> Desk:
    """The browser of whoever opens the product first."""
    browser = stranger(app)
    browser.token = lambda: re.findall(r'csrf_token"[^>]*value="([^"]+)', browser.get("/first-run").text)[0]  # type: ignore[method-assign]
    return browser


def test_whoever_knows_the_code_becomes_the_first_admin_and_is_logged_in(empty: Flask) -> None:
    browser = first_page(empty)

    answer = browser.post("/first-run", FIELDS | {"code": code_of(empty)})

    assert (answer.status_code, answer.location) == (303, "/")
    assert people(empty) == [("first@yuliang.test", "admin")]
    assert is_in(browser)
    assert log_in(stranger(empty), "first@yuliang.test", "correct-horse-9").status_code == 303


@on_one_database
def test_until_then_every_page_leads_there(empty: Flask) -> None:
    for page in ("/", "/login", "/users", "/verifications/1"):
        answer = empty.test_client().get(page)

        assert (answer.status_code, answer.location) == (303, "/first-run")


@on_one_database
def test_the_code_may_be_typed_in_small_letters_with_blanks_around(empty: Flask) -> None:
    code = f"  {code_of(empty).lower()} "

    assert first_page(empty).post("/first-run", FIELDS | {"code": code}).status_code == 303


def test_a_wrong_code_makes_nobody(empty: Flask) -> None:
    code_of(empty)
    browser = first_page(empty)
    for code in ("AAAA-AAAA-AAAA", "", "x" * 41, "码", "\0", "x" * 1_000_000):
        page = browser.post("/first-run", FIELDS | {"code": code}, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, "code"))) == (422, True), code[:20]
        assert "correct-horse-9" not in page.text

    assert people(empty) == []


@on_one_database
def test_wrong_codes_are_slowed_down_and_heard_ones_alone_recorded(empty: Flask) -> None:
    code, browser = code_of(empty), first_page(empty)
    answers = [browser.post("/first-run", FIELDS | {"code": "AAAA-AAAA-AAAA"}) for _each in range(12)]
    heard = [answer for answer in answers if answer.status_code == 422]

    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 900
    with empty.app_context():
        failed = select(AuditRecord).where(AuditRecord.action == Action.LOGIN_FAILED.value)
        assert len(db.session.scalars(failed).all()) == len(heard) < 12
        db.session.remove()
    assert browser.post("/first-run", FIELDS | {"code": code}).status_code == 429
    assert people(empty) == []


@on_one_database
def test_a_code_that_was_never_made_cannot_be_guessed(empty: Flask) -> None:
    assert first_page(empty).post("/first-run", FIELDS | {"code": "None"}).status_code == 422
    assert people(empty) == []


def test_bad_input_is_said_beside_its_field_and_leaves_the_code_unspent(empty: Flask) -> None:
    code, browser = code_of(empty), first_page(empty)
    bad = {
        "email": ["first", "a\0@b.c", "", "x" * 250 + "@b.c"],
        "password": ["short1", "", "x" * 201],
        "name": ["x" * 81, "a\nb", "\0"],
    }
    for field, value in [(field, value) for field, values in bad.items() for value in values]:
        page = browser.post("/first-run", FIELDS | {"code": code, field: value}, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, field))) == (422, True), f"{field} {value[:20]!r}"

    assert people(empty) == []
    assert browser.post("/first-run", FIELDS | {"code": code}).status_code == 303


def test_the_code_is_spent_and_the_page_gone_once_somebody_exists(empty: Flask) -> None:
    code = code_of(empty)
    first_page(empty).post("/first-run", FIELDS | {"code": code})

    again = Desk(empty, None).post("/first-run", FIELDS | {"email": "second@yuliang.test", "code": code})

    assert again.status_code == 404
    assert empty.test_client().get("/first-run").status_code == 404
    assert len(people(empty)) == 1
    with empty.app_context():
        assert db.session.get(StoredSetting, FIRST_RUN_CODE) is None


@on_one_database
def test_there_is_no_such_page_where_people_can_log_in(app: Flask) -> None:
    assert app.test_client().get("/first-run").status_code == 404


def test_the_code_is_the_same_at_every_start_and_stored_sealed(empty: Flask, make_app: Callable[..., Flask]) -> None:
    code = code_of(empty)

    assert re.fullmatch(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){2}", code)
    assert code_of(make_app()) == code
    with empty.app_context():
        sealed = db.session.get_one(StoredSetting, FIRST_RUN_CODE).sealed
    assert code.encode() not in sealed


def test_a_wrong_code_is_recorded_without_it(empty: Flask) -> None:
    code_of(empty)
    first_page(empty).post("/first-run", FIELDS | {"code": "AAAA-BBBB-CCCC"})

    with empty.app_context():
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record is not None
        assert (record.action, record.success, record.detail) == ("login_failed", False, {"first_run": True})


def test_of_two_with_the_right_code_at_once_one_becomes_admin(empty: Flask) -> None:
    code, made = code_of(empty), []

    def try_it(email: str) -> None:
        with empty.app_context():
            profile = Profile("", email, ADMIN.role)
            made.append(make_first_admin(code, profile, "correct-horse-9", SYSTEM, this_instance().sealer, NOW))
            db.session.remove()

    meeting_at_the_code(empty, lambda: try_it("a@yuliang.test"), lambda: try_it("b@yuliang.test"))

    assert sum(user is not None for user in made) == 1
    with empty.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 1


def meeting_at_the_code(app: Flask, *works: Callable[[], object]) -> None:
    """Runs all at once; on PostgreSQL all have read the code before the first may spend it."""
    if not app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
        together(*works)  # one after the other, by SQLite's write lock
        return
    with app.app_context(), db.engine.connect() as holder, db.engine.connect() as watcher:
        holder.execute(text("SELECT 1 FROM setting WHERE name = :name FOR UPDATE"), {"name": FIRST_RUN_CODE})
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND wait_event_type = 'Lock'")  # fmt: skip

        def let_go() -> None:
            watching = watcher.execution_options(isolation_level="AUTOCOMMIT")
            until(lambda: watching.scalar(waiting) == len(works), "all wait for the code")
            holder.rollback()

        together(*works, let_go)
