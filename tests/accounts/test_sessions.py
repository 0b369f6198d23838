"""Sessions: begun anew at the log-in, locked by idleness, ended by a shift's length, a log-out, changes to the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import func, select

from tests.accounts.browsing import COOKIE, ENGLISH, cookie, is_in, log_in, logged_in, stranger, with_cookie
from tests.support.cast import ADMIN, CAST, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk, Member
from webapp.accounts.models import LoginSession
from webapp.accounts.operations import forget_failures
from webapp.accounts.sessions import SHIFT
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still unless moved."""
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


def change(app: Flask, member: Member, **fields: str) -> None:
    """An admin changes a user by the form."""
    kept = {"name": member.name, "email": member.email, "role": member.role.value, "department": member.department,
            "active": "y", "password": ""}  # fmt: skip
    answer = Desk(app, ADMIN).post(f"/users/{member.id}", {k: v for k, v in (kept | fields).items() if v != "-"})
    assert answer.status_code == 303, answer.text


def test_half_an_hour_without_a_request_locks_the_session(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)
    before = cookie(browser)

    clock.shift(30 * 60)
    assert is_in(browser)
    clock.shift(30 * 60 + 1)
    answer = browser.get("/history?outcome=match", headers=ENGLISH)

    assert (answer.status_code, answer.location) == (303, "/login?next=/history?outcome%3Dmatch")
    assert "after 30 minutes without activity" in browser.get("/login", headers=ENGLISH).text
    assert not is_in(with_cookie(app, before))


@on_one_database
def test_what_is_sent_after_the_session_ended_is_said_to_be_lost(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)
    token = browser.token()
    clock.shift(31 * 60)

    answer = browser.client.post("/verify", data={"csrf_token": token, "name": "张三"}, headers=ENGLISH)

    assert (answer.status_code, answer.location) == (303, "/login?next=/verify")
    assert "no call was sent" in browser.get("/login", headers=ENGLISH).text


def test_the_busiest_session_ends_with_the_shift(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)

    for _ in range(int(SHIFT.total_seconds()) // 1500):
        clock.shift(1500)
        assert is_in(browser)
    clock.shift(1500)

    assert not is_in(browser)


def test_logging_out_ends_the_session_for_a_copied_cookie_too(app: Flask) -> None:
    browser, another = logged_in(app), logged_in(app)
    copied = cookie(browser)

    answer = browser.post("/logout")

    assert (answer.status_code, answer.location) == (303, "/login")
    assert not is_in(browser)
    assert not is_in(with_cookie(app, copied))
    assert is_in(another), "a session elsewhere goes on"


@on_one_database
def test_a_session_planted_before_the_log_in_is_worth_nothing_after_it(app: Flask) -> None:
    browser = stranger(app)
    token = browser.token()
    planted = cookie(browser)

    log_in(browser)

    assert cookie(browser) != planted
    assert not is_in(with_cookie(app, planted))
    browser.member = OPERATOR
    assert browser.token() != token, "the CSRF secret is new too"


def test_logging_in_again_leaves_nothing_of_the_session_before(app: Flask) -> None:
    browser = logged_in(app, ADMIN)

    assert log_in(browser, OPERATOR.email).status_code == 303

    assert browser.get("/users").status_code == 403


@pytest.mark.parametrize(
    "fields",
    [{"password": "another-horse-7"}, {"role": "auditor"}, {"active": "-"}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_changed_password_role_or_activity_ends_every_session_of_the_user(app: Flask, fields: dict[str, str]) -> None:
    first, second, colleague = logged_in(app), logged_in(app), logged_in(app, COLLEAGUE)

    change(app, OPERATOR, **fields)

    assert [is_in(first), is_in(second), is_in(colleague)] == [False, False, True]


@on_one_database
def test_other_changes_leave_sessions_alone(app: Flask) -> None:
    browser = logged_in(app)
    changes: list[dict[str, str]] = [{}, {"name": "戊"}, {"department": "档案室"}, {"email": "new@yuliang.test"}]
    for fields in changes:
        change(app, OPERATOR, **fields)

        assert is_in(browser), fields


def test_ones_own_new_password_ends_ones_other_sessions_only(app: Flask) -> None:
    here, elsewhere = logged_in(app), logged_in(app)
    before = cookie(here)

    answer = here.post("/profile", {"current_password": PASSWORD, "new_password": "another-horse-7"})

    assert answer.status_code == 303
    assert is_in(here)
    assert not is_in(elsewhere)
    assert not is_in(with_cookie(app, before))
    assert log_in(stranger(app)).status_code == 401
    assert log_in(stranger(app), password="another-horse-7").status_code == 303


@on_one_database
def test_a_cookie_that_is_none_of_ours_is_a_strangers(app: Flask) -> None:
    for value in ("", "x", "." * 9, "eyJ1IjoxfQ.aaaa.bbbb", "\x7f%00", "a" * 4000):
        assert not is_in(with_cookie(app, value)), value


@on_one_database
def test_even_a_rightly_signed_cookie_needs_a_session_of_the_database(app: Flask) -> None:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    contents: list[dict[str, object]] = [
        {"_user_id": "1"},
        {"_user_id": "1", "token": ""},
        {"_user_id": "1", "token": "x" * 2000, "active_at": 2**40},
        {"_user_id": ["1"], "token": {"a": 1}, "active_at": 2**40},
        {"_user_id": "1", "token": "\ud800"},
        {"_user_id": "1", "token": "x", "active_at": "soon"},
    ]
    for content in contents:
        browser = with_cookie(app, str(serializer.dumps({"active_at": int(utc_now().timestamp())} | content)))

        assert not is_in(browser), content


def test_outlived_sessions_are_dropped(app: Flask, clock: time_machine.Traveller) -> None:
    logged_in(app)
    clock.shift(SHIFT.total_seconds() / 2)
    logged_in(app, ADMIN)
    clock.shift(SHIFT.total_seconds() / 2 + 1)

    with app.app_context():
        forget_failures(utc_now())
        assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 1


@on_one_database
@pytest.mark.parametrize(("public_url", "secure"), [("", False), ("https://desk.example", True)])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    make_app: Callable[..., Flask], public_url: str, secure: bool
) -> None:
    app = make_app(PUBLIC_URL=public_url)
    base = {"base_url": public_url} if public_url else {}
    page = app.test_client().get("/login", **base)

    (sent,) = page.headers.getlist("Set-Cookie")

    assert sent.startswith(f"{COOKIE}=")
    flags = {part.strip() for part in sent.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert ("Secure" in flags) is secure
    assert not any(flag.startswith("Domain") for flag in flags)


def test_to_be_about_is_written_once_a_minute_at_most(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)

    def seen() -> str:
        row = next(row for row in Desk(app, ADMIN).get("/users").text.split("<tr") if OPERATOR.email in row)
        return row.split("2026-11-02 ")[1][:8]

    assert seen() == "12:00:00"
    clock.shift(59)
    browser.get("/quota")
    assert seen() == "12:00:00"
    clock.shift(1)
    browser.get("/quota")
    assert seen() == "12:01:00"


@on_one_database
def test_every_member_of_the_cast_can_log_in(app: Flask) -> None:
    assert [is_in(logged_in(app, member)) for member in CAST] == [True] * len(CAST)
