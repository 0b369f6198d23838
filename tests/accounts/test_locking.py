"""A desk that is left: locked by the server, unlocked by its operator's password, handed over to the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.accounts.browsing import ENGLISH, cookie, is_in, log_in, logged_in, said_beside, stranger, with_cookie
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk, Member, card_of
from webapp.accounts.models import LoginFailure, LoginSession
from webapp.accounts.operations import FREE_FAILURES
from webapp.accounts.sessions import SHIFT
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import declarations

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER = "张三", "11010519491231002X"
HALF_AN_HOUR = 30 * 60 + 1
PAGES = ("/", "/verify", "/history", "/quota", "/profile", "/verifications/1", "/verify/regions/1")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still unless moved."""
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


def token_in(page: str, name: str = "csrf_token") -> str:
    """The value of the last field of this name: the desk's form comes after the menu's."""
    found = re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page)
    assert found
    return str(found[-1])


def locked(app: Flask) -> tuple[Desk, str]:
    """An operator's desk, locked by hand, and the CSRF token of the page that is still open."""
    browser = logged_in(app)
    csrf = browser.token()
    answer = browser.client.post("/lock", data={"csrf_token": csrf, "next": "/verify"})
    assert (answer.status_code, answer.location) == (303, "/login?next=/verify")
    return browser, csrf


def unlock(browser: Desk, csrf: str, password: str = PASSWORD) -> TestResponse:
    """What the page that stays open sends."""
    return browser.client.post("/unlock", data={"csrf_token": csrf, "password": password}, headers=ENGLISH)


def state(browser: Desk) -> dict[str, Any]:
    answer = browser.get("/lock/state")
    assert answer.status_code == 200
    return dict(answer.get_json())


def records(app: Flask, *actions: Action) -> list[tuple[str, int | None, int | None, bool, dict[str, Any]]]:
    """(action, actor, object, success, detail) of what the trail holds of these actions, in order."""
    with app.app_context():
        rows = db.session.scalars(
            select(AuditRecord).where(AuditRecord.action.in_(actions)).order_by(AuditRecord.id)
        ).all()
        return [(row.action, row.actor_id, row.object_id, row.success, row.detail) for row in rows]


def sessions_of(app: Flask, user_id: int) -> int:
    with app.app_context():
        mine = select(func.count()).select_from(LoginSession).where(LoginSession.user_id == user_id)
        return db.session.scalar(mine) or 0


# -- locked


def test_a_locked_desk_opens_no_page_and_takes_no_form(app: Flask, sandbox: Sandbox) -> None:
    browser, csrf = locked(app)

    for page in PAGES:
        answer = browser.get(page)
        assert (answer.status_code, (answer.location or "").partition("?")[0]) == (303, "/login"), page
    sent = {"csrf_token": csrf, "name": NAME, "id_number": NUMBER, "purpose": "1", "consent": "yes"}
    for page in ("/verify", "/logout", "/profile", "/verifications/1/edit"):
        assert browser.client.post(page, data=sent).status_code == 303, page

    assert state(browser)["state"] == "locked"
    assert sandbox.counts().received == 0
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(AuditRecord.action == Action.VERIFICATION_BLOCKED)) == 0


@on_one_database
def test_it_is_said_that_a_form_sent_while_locked_was_not_stored_and_spent_no_call(app: Flask) -> None:
    browser, csrf = locked(app)

    browser.client.post("/verify", data={"csrf_token": csrf, "name": NAME, "id_number": NUMBER}, headers=ENGLISH)
    page = browser.get("/login?next=/verify", headers=ENGLISH).text

    assert "What you sent last was not stored, and no call was sent." in page
    assert NAME not in page
    assert NUMBER not in page


def test_half_an_hour_without_activity_locks_and_the_trail_tells_who_left(
    app: Flask, clock: time_machine.Traveller
) -> None:
    browser = logged_in(app)

    clock.shift(HALF_AN_HOUR - 1)
    assert state(browser) | {"token": ""} == {"state": "open", "user": OPERATOR.id, "left": 0, "token": ""}
    clock.shift(1)
    assert state(browser)["state"] == "locked"
    assert not is_in(browser)

    assert records(app, Action.SESSION_LOCKED) == [("session_locked", None, OPERATOR.id, True, {"why": "idle"})]


def test_only_the_operator_s_own_requests_keep_a_desk_open(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)

    for _ in range(3):
        clock.shift(10 * 60)
        assert state(browser)["state"] == "open"
        assert browser.get("/quota", headers={"X-Background": "yes"}).status_code == 200
        assert browser.get("/quota?background=yes").status_code == 200
    clock.shift(1)

    assert not is_in(browser)


@on_one_database
def test_a_clock_set_back_keeps_no_desk_open(app: Flask, clock: time_machine.Traveller) -> None:
    clock.shift(2 * 3600)
    browser = logged_in(app)
    clock.shift(-1)

    assert state(browser)["state"] == "out", "a cookie of the future is nobody's"


@on_one_database
def test_a_locked_desk_is_locked_on_pages_for_everyone_too(app: Flask, clock: time_machine.Traveller) -> None:
    browser = logged_in(app)
    clock.shift(HALF_AN_HOUR)

    for page in ("/first-run", "/nowhere", "/reminders/confirm/x"):
        assert OPERATOR.name not in browser.get(page).text, page
    browser.client.post("/preferences", data={"csrf_token": "forged"})

    assert len(records(app, Action.SESSION_LOCKED)) == 1


@on_one_database
def test_every_page_of_somebody_logged_in_can_be_covered(app: Flask) -> None:
    admin = Desk(app, ADMIN)
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    pages = {rule.rule: admin.get(rule.rule) for rule in rules if rule.endpoint != "static"}
    shown = {
        path: page.text for path, page in pages.items() if page.status_code == 200 and "html" in (page.mimetype or "")
    }

    assert len(shown) > 10
    assert [path for path, text in shown.items() if text.count("<template data-lock") != 1] == []


@on_one_database
def test_locking_is_recorded_once_with_who_asked_for_it(app: Flask) -> None:
    browser, csrf = locked(app)
    browser.client.post("/lock", data={"csrf_token": csrf})

    assert records(app, Action.SESSION_LOCKED) == [("session_locked", OPERATOR.id, OPERATOR.id, True, {"why": "asked"})]


@on_one_database
def test_locking_leads_nowhere_else(app: Flask) -> None:
    browser = logged_in(app)

    answer = browser.post("/lock", {"next": "https://elsewhere.example/"})

    assert answer.location == "/login?next=/"


@on_one_database
def test_other_browsers_of_the_same_operator_stay_open(app: Flask) -> None:
    another = logged_in(app)
    locked(app)

    assert is_in(another)


# -- unlocked


def test_the_password_unlocks_and_forms_of_before_are_sent_as_if_nothing_had_been(app: Flask, sandbox: Sandbox) -> None:
    browser = logged_in(app)
    page = browser.get("/verify").text
    kept = {name: token_in(page, name) for name in ("csrf_token", "form_token")}
    browser.client.post("/lock", data={"csrf_token": kept["csrf_token"]})

    answer = unlock(browser, kept["csrf_token"])
    assert (answer.status_code, answer.get_json()["state"]) == (200, "open")
    assert 1700 < answer.get_json()["left"] <= 1800, "half an hour, but for what the answer took"
    sent = kept | {"name": NAME, "id_number": NUMBER, "purpose": "1", "consent": "yes"}
    first, again = (browser.client.post("/verify", data=sent, follow_redirects=True) for _ in range(2))

    assert card_of(first.text)[0] == "match"
    assert again.request.path == first.request.path, "and still once only"
    assert sandbox.counts().received == 1


def test_unlocking_on_the_log_in_page_leads_back_to_where_one_was(app: Flask) -> None:
    browser, _csrf = locked(app)
    page = browser.get("/login?next=/history?outcome%3Dmatch", headers=ENGLISH)
    assert "<title>Locked" in page.text
    assert OPERATOR.name in page.text
    assert re.search(rf'name="email" readonly [^>]*value="{OPERATOR.email}"', page.text)

    answer = log_in(browser, url="/login?next=/history?outcome%3Dmatch")

    assert (answer.status_code, answer.location) == (303, "/history?outcome=match")
    assert is_in(browser)
    assert sessions_of(app, OPERATOR.id) == 1
    actions = (Action.LOGIN, Action.SESSION_UNLOCKED, Action.TAKEN_OVER)
    assert [row[:3] for row in records(app, *actions)] == [
        ("login", OPERATOR.id, OPERATOR.id), ("session_unlocked", OPERATOR.id, OPERATOR.id)
    ]  # fmt: skip


def test_a_cookie_copied_before_the_lock_opens_nothing_after_it_was_unlocked(app: Flask) -> None:
    browser = logged_in(app)
    csrf, copied = browser.token(), cookie(browser)
    browser.client.post("/lock", data={"csrf_token": csrf})
    thief = with_cookie(app, copied)
    assert not is_in(thief)
    while_locked = cookie(browser)

    assert unlock(browser, csrf).status_code == 200

    assert is_in(browser)
    for stolen in (copied, while_locked):
        thief = with_cookie(app, stolen)
        assert not is_in(thief)
        assert state(thief) == {"state": "out"}
        assert unlock(thief, csrf).get_json() == {"state": "out"}
    assert is_in(browser)


@on_one_database
def test_what_locking_keeps_in_the_cookie_cannot_be_used_to_open_it(app: Flask) -> None:
    browser, _csrf = locked(app)
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    content = serializer.loads(cookie(browser))

    for token in (f"locked {content['token']}", content["token"]):
        forged = with_cookie(app, str(serializer.dumps(content | {"token": token})))
        assert not is_in(forged), "even with the product's own signature"


def test_a_wrong_password_leaves_it_locked_is_recorded_and_throttled_as_a_log_in_is(
    app: Flask, clock: time_machine.Traveller
) -> None:
    browser, csrf = locked(app)

    for _ in range(FREE_FAILURES):
        answer = unlock(browser, csrf, "wrong-horse-9")
        assert (answer.status_code, answer.get_json()) == (401, {"state": "locked", "said": "The password is wrong."})
    answer = unlock(browser, csrf)

    assert answer.status_code == 429
    assert "try again in 5 seconds" in answer.get_json()["said"]
    assert log_in(stranger(app)).status_code == 429, "one count for both doors"
    failed = records(app, Action.UNLOCK_FAILED)
    assert failed == [("unlock_failed", None, OPERATOR.id, False, {})] * FREE_FAILURES
    clock.shift(6)
    assert unlock(browser, csrf).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LoginFailure)) == 0


@on_one_database
def test_bad_input_unlocks_nothing_and_is_said(app: Flask) -> None:
    browser, csrf = locked(app)

    for password in ("", "x" * 201, "x" * 1_000_000):
        answer = unlock(browser, csrf, password)
        assert (answer.status_code, answer.get_json()["state"]) == (422, "locked"), answer.text
        assert answer.get_json()["said"]
    twice = browser.client.post("/unlock", data={"csrf_token": csrf, "password": [PASSWORD, PASSWORD]})
    as_json = browser.client.post("/unlock", json={"password": PASSWORD}, headers={"X-CSRFToken": csrf})
    forged = browser.client.post("/unlock", data={"password": PASSWORD})

    assert [twice.status_code, as_json.status_code, forged.status_code] == [422, 422, 400]
    assert unlock(browser, csrf, "\0📛").status_code == 401
    page = log_in(browser, password="wrong-horse-9")
    assert (page.status_code, said_beside(page, "password")) == (401, "Mail address or password is wrong.")
    assert state(browser)["state"] == "locked"


def test_a_locked_desk_still_ends_with_the_shift(app: Flask, clock: time_machine.Traveller) -> None:
    browser, csrf = locked(app)
    clock.shift(SHIFT.total_seconds() - 60)
    assert state(browser)["state"] == "locked"
    assert unlock(browser, csrf).status_code == 200
    browser.client.post("/lock", data={"csrf_token": csrf})
    clock.shift(60)

    assert state(browser) == {"state": "out"}
    answer = unlock(browser, csrf)
    assert (answer.status_code, answer.get_json()) == (410, {"state": "out"})
    assert "Locked" not in browser.get("/login", headers=ENGLISH).text


def test_a_changed_password_or_a_switched_off_user_leaves_nothing_to_unlock(app: Flask) -> None:
    for fields in ({"password": "another-horse-7"}, {"active": ""}):
        browser, csrf = locked(app)
        kept = {"name": OPERATOR.name, "email": OPERATOR.email, "role": "operator", "department": "", "active": "y"}
        changed = {key: value for key, value in (kept | fields).items() if value or key == "department"}
        assert Desk(app, ADMIN).post(f"/users/{OPERATOR.id}", changed).status_code == 303

        for password in (PASSWORD, "another-horse-7"):
            assert unlock(browser, csrf, password).get_json() == {"state": "out"}
        Desk(app, ADMIN).post(f"/users/{OPERATOR.id}", kept | {"password": PASSWORD})


@on_one_database
def test_a_stranger_has_nothing_to_unlock(app: Flask) -> None:
    browser = stranger(app)
    csrf = browser.token()

    assert state(browser) == {"state": "out"}
    assert unlock(browser, csrf).get_json() == {"state": "out"}
    answer = browser.client.post("/hand-over", data={"csrf_token": csrf})
    assert (answer.status_code, answer.location) == (303, "/login?next=/")
    assert records(app, Action.HANDED_OVER, Action.TAKEN_OVER) == []


# -- handed over


def test_handing_over_ends_the_session_and_tells_the_next_operator_s_record_whom_they_follow(app: Flask) -> None:
    browser = logged_in(app)
    copied = cookie(browser)

    answer = browser.post("/hand-over", {"next": "/verify?anything=1"})
    assert (answer.status_code, answer.location) == (303, "/login?next=/verify")
    assert [state(one)["state"] for one in (browser, with_cookie(app, copied))] == ["out", "out"]
    page = browser.get("/login?next=/verify", headers=ENGLISH).text
    assert OPERATOR.name not in page
    assert OPERATOR.email not in page
    came = log_in(browser, COLLEAGUE.email, url="/login?next=/verify")

    assert (came.status_code, came.location) == (303, "/verify")
    assert state(browser)["user"] == COLLEAGUE.id
    assert records(app, Action.HANDED_OVER, Action.TAKEN_OVER) == [
        ("handed_over", OPERATOR.id, OPERATOR.id, True, {}),
        ("taken_over", COLLEAGUE.id, OPERATOR.id, True, {}),
    ]
    log_in(browser, ADMIN.email)
    assert [row[1:3] for row in records(app, Action.TAKEN_OVER)] == [
        (COLLEAGUE.id, OPERATOR.id), (ADMIN.id, COLLEAGUE.id)
    ]  # fmt: skip


def test_a_locked_desk_is_handed_over_by_whoever_stands_there_without_a_password(app: Flask) -> None:
    browser, csrf = locked(app)

    answer = browser.client.post("/hand-over", data={"csrf_token": csrf, "next": "/verifications/1"})

    assert (answer.status_code, answer.location) == (303, "/login?next=/verify"), "a result is its operator's own"
    assert state(browser) == {"state": "out"}
    assert sessions_of(app, OPERATOR.id) == 0
    assert records(app, Action.HANDED_OVER) == [("handed_over", None, OPERATOR.id, True, {})]


def test_another_operator_s_password_on_the_locked_page_takes_the_desk_over(app: Flask) -> None:
    browser, csrf = locked(app)

    answer = log_in(browser, COLLEAGUE.email, url="/login?next=/verify")

    assert (answer.status_code, answer.location) == (303, "/verify")
    assert (sessions_of(app, OPERATOR.id), state(browser)["user"]) == (0, COLLEAGUE.id)
    assert [row[:3] for row in records(app, Action.TAKEN_OVER)] == [("taken_over", COLLEAGUE.id, OPERATOR.id)]
    stale = browser.client.post("/verify", data={"csrf_token": csrf, "name": NAME, "id_number": NUMBER})
    assert stale.status_code == 400, "a form of the one before is not the next one's"


@on_one_database
def test_a_desk_taken_back_by_the_same_operator_is_no_hand_over(app: Flask) -> None:
    browser = logged_in(app)
    browser.post("/hand-over")
    browser.member = None

    log_in(browser)

    assert records(app, Action.TAKEN_OVER) == []


@on_one_database
def test_a_form_token_of_the_one_before_is_worth_nothing_to_the_next(app: Flask, sandbox: Sandbox) -> None:
    browser = logged_in(app)
    form_token = token_in(browser.get("/verify").text, "form_token")
    browser.post("/hand-over")
    log_in(browser, COLLEAGUE.email)
    browser.member = COLLEAGUE

    page = browser.verify(NAME, NUMBER, form_token=form_token)

    assert card_of(page.text)[0] == "blocked"
    assert sandbox.counts().received == 0


def test_the_shift_declaration_ends_with_the_hand_over_and_not_with_a_lock(app: Flask) -> None:
    browser = logged_in(app)
    browser.post("/verify/declaration", {"purpose": "1", "document": "登记表-7", "hours": "8"})

    def standing(user_id: int) -> list[int]:
        with app.app_context():
            return list(declarations.standing(user_id, utc_now()))

    assert standing(OPERATOR.id) == [1]
    csrf = browser.token()
    browser.client.post("/lock", data={"csrf_token": csrf})
    unlock(browser, csrf)
    assert standing(OPERATOR.id) == [1]

    browser.post("/hand-over")
    log_in(browser, COLLEAGUE.email)

    assert (standing(OPERATOR.id), standing(COLLEAGUE.id)) == ([], [])
    assert records(app, Action.SHIFT_ENDED) == [("shift_ended", OPERATOR.id, None, True, {"purpose": 1})]


@on_one_database
def test_a_forged_hand_over_ends_nothing(app: Flask) -> None:
    browser = logged_in(app)
    browser.post("/verify/declaration", {"purpose": "1", "document": "登记表-7", "hours": "8"})

    assert browser.client.post("/hand-over", data={"csrf_token": "forged"}).status_code == 400

    assert is_in(browser)
    assert records(app, Action.SHIFT_ENDED) == []


@on_one_database
@pytest.mark.parametrize(
    ("member", "target", "lands"),
    [
        (AUDITOR, "/verify", "/"),
        (AUDITOR, "/history", "/history"),
        (COLLEAGUE, "/settings", "/"),
        (ADMIN, "/settings", "/settings"),
        (COLLEAGUE, "//elsewhere.example", "/"),
        (COLLEAGUE, "/nowhere", "/nowhere"),
    ],
)
def test_nobody_lands_on_a_page_that_the_role_may_not_open(app: Flask, member: Member, target: str, lands: str) -> None:
    assert log_in(stranger(app), member.email, url=f"/login?next={target}").location == lands
