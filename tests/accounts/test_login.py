"""Logging in: the right password opens, everything else looks alike, and who tries too often must wait."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.accounts.browsing import ENGLISH, is_in, log_in, said_beside, stranger
from tests.support.cast import ADMIN, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk
from webapp.accounts.models import LoginFailure, User
from webapp.accounts.operations import ACCOUNT_FAILURES, ADDRESS_FAILURES, FREE_FAILURES, forget_failures
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOBODY = "nobody@yuliang.test"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still unless moved."""
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


def failures(app: Flask, times: int, account: str, address: str) -> None:
    """Failed log-ins as they are stored, without the cost of hashing."""
    with app.app_context(), transaction() as session:
        digest = this_instance().sealer.index("login", account)
        session.add_all(LoginFailure(at=NOW, account=digest, address=address) for _ in range(times))


def wait_told(page: str) -> int:
    found = re.search(r"try again in (\d+) seconds", page)
    assert found, "the wait is not told"
    return int(found[1])


def records(app: Flask) -> list[tuple[str, int | None, bool]]:
    with app.app_context():
        rows = db.session.execute(
            select(AuditRecord.action, AuditRecord.object_id, AuditRecord.success)
            .where(AuditRecord.action.in_([Action.LOGIN, Action.LOGIN_FAILED, Action.LOGOUT]))
            .order_by(AuditRecord.id)
        )
        return [(action, object_id, success) for action, object_id, success in rows]


def test_mail_address_and_password_open_the_first_page(app: Flask) -> None:
    browser = stranger(app)

    answer = log_in(browser)

    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(browser)
    assert records(app) == [("login", OPERATOR.id, True)]


@on_one_database
def test_the_mail_address_may_be_written_otherwise(app: Flask) -> None:
    for email in (f"  {OPERATOR.email} ", OPERATOR.email.upper()):
        assert log_in(stranger(app), email).status_code == 303


def test_a_wrong_password_an_unknown_and_a_switched_off_account_look_alike(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(User, COLLEAGUE.id).active = False
    tries = [(OPERATOR.email, "wrong-horse-9"), (NOBODY, PASSWORD), (COLLEAGUE.email, PASSWORD)]

    pages = [log_in(stranger(app), email, password) for email, password in tries]

    assert {page.status_code for page in pages} == {401}
    assert {said_beside(page, "password") for page in pages} == {"Mail address or password is wrong."}
    shown = [re.sub(r'value="[^"]*"|[0-9a-f]{32}', "", page.text) for page in pages]
    assert len(set(shown)) == 1
    assert records(app) == [("login_failed", OPERATOR.id, False), ("login_failed", None, False),
                            ("login_failed", COLLEAGUE.id, False)]  # fmt: skip


@on_one_database
def test_the_password_is_never_written_back_into_the_form(app: Flask) -> None:
    page = log_in(stranger(app), OPERATOR.email, "wrong-horse-9")

    assert "wrong-horse-9" not in page.text
    assert OPERATOR.email in page.text


def test_bad_input_is_said_beside_its_field(app: Flask) -> None:
    browser = stranger(app)
    bad = {
        "email": ["", "a\0b@c.d", "x" * 255, "张三\r\n@y", "x" * 1_000_000],
        "password": ["", "x" * 201, "x" * 1_000_000],
    }
    for field, value in [(field, value) for field, values in bad.items() for value in values]:
        page = browser.post("/login", {"email": OPERATOR.email, "password": PASSWORD, field: value}, headers=ENGLISH)

        assert (page.status_code, bool(said_beside(page, field))) == (422, True), f"{field} {value[:20]!r}"

    assert records(app) == []


def test_any_characters_make_a_wrong_password_only(app: Flask) -> None:
    browser = stranger(app)

    statuses = [log_in(browser, ADMIN.email, word).status_code for word in ("\0", "📛密码", "\x1b[31m", "%s%n")]

    assert statuses == [401] * 4


@on_one_database
def test_fields_sent_twice_missing_or_as_json_do_not_log_in(app: Flask) -> None:
    browser = stranger(app)
    right = {"email": OPERATOR.email, "password": PASSWORD}

    assert browser.post("/login", right | {"email": [OPERATOR.email, ADMIN.email]}).status_code == 422
    assert browser.post("/login", {"email": OPERATOR.email}).status_code == 422
    assert browser.client.post("/login", json=right, headers={"X-CSRFToken": browser.token()}).status_code == 422
    assert browser.get("/login", query_string=right).status_code == 200
    assert not is_in(browser)


@pytest.mark.parametrize("account", [OPERATOR.email, NOBODY])
def test_after_some_failures_the_next_try_must_wait_and_is_told_how_long(
    app: Flask, clock: time_machine.Traveller, account: str
) -> None:
    browser = stranger(app)
    for _ in range(FREE_FAILURES):
        assert log_in(browser, account, "wrong-horse-9").status_code == 401

    waiting = log_in(browser, account)
    seconds = wait_told(waiting.text)

    assert waiting.status_code == 429
    clock.shift(seconds - 1)
    assert log_in(browser, account).status_code == 429, "even the right password is not heard before"
    clock.shift(1)
    assert log_in(browser, account).status_code == (303 if account == OPERATOR.email else 401)


@on_one_database
def test_each_further_failure_makes_the_wait_longer_up_to_the_window(app: Flask, clock: time_machine.Traveller) -> None:
    browser, waits = stranger(app), []
    for _ in range(FREE_FAILURES - 1):
        log_in(browser, password="wrong-horse-9")
    for _ in range(5):
        log_in(browser, password="wrong-horse-9")
        waits.append(wait_told(log_in(browser).text))
        clock.shift(waits[-1])

    assert waits == sorted(set(waits))
    assert waits[-1] >= 10 * waits[0]


@on_one_database
def test_nobody_waits_for_longer_than_the_window(app: Flask, clock: time_machine.Traveller) -> None:
    failures(app, FREE_FAILURES + 20, OPERATOR.email, "127.0.0.1")

    assert 10 * 60 < wait_told(log_in(stranger(app)).text) <= 15 * 60 + 1
    clock.move_to(NOW + timedelta(minutes=15, seconds=1))
    assert log_in(stranger(app)).status_code == 303


@on_one_database
@pytest.mark.usefixtures("clock")
def test_a_try_during_the_wait_does_not_prolong_it(app: Flask) -> None:
    failures(app, FREE_FAILURES, OPERATOR.email, "127.0.0.1")

    waits = {wait_told(log_in(stranger(app)).text) for _ in range(3)}

    assert len(waits) == 1


@pytest.mark.usefixtures("clock")
def test_the_wait_survives_a_restart(make_app: Callable[..., Flask]) -> None:
    failures(make_app(), FREE_FAILURES, OPERATOR.email, "127.0.0.1")

    assert log_in(stranger(make_app())).status_code == 429


@on_one_database
@pytest.mark.usefixtures("clock")
def test_a_stranger_elsewhere_does_not_lock_the_owner_out(app: Flask) -> None:
    failures(app, FREE_FAILURES, OPERATOR.email, "198.51.100.7")

    assert log_in(stranger(app, "198.51.100.7")).status_code == 429
    assert log_in(stranger(app, "203.0.113.5")).status_code == 303


@on_one_database
@pytest.mark.usefixtures("clock")
def test_an_account_tried_from_many_places_waits_everywhere(app: Flask) -> None:
    for number in range(ACCOUNT_FAILURES):
        failures(app, 1, OPERATOR.email, f"198.51.100.{number}")

    assert log_in(stranger(app, "203.0.113.5")).status_code == 429
    assert log_in(stranger(app, "203.0.113.5"), ADMIN.email).status_code == 303


@on_one_database
@pytest.mark.usefixtures("clock")
def test_an_address_that_tries_many_accounts_waits_for_all(app: Flask) -> None:
    for number in range(ADDRESS_FAILURES):
        failures(app, 1, f"{number}@yuliang.test", "198.51.100.7")

    assert log_in(stranger(app, "198.51.100.7")).status_code == 429
    assert log_in(stranger(app, "198.51.100.8")).status_code == 303


@on_one_database
@pytest.mark.usefixtures("clock")
def test_addresses_of_one_customers_ipv6_network_count_as_one(app: Flask) -> None:
    for number in range(FREE_FAILURES):
        assert log_in(stranger(app, f"2001:db8::{number + 1}"), password="wrong-horse-9").status_code == 401

    assert log_in(stranger(app, "2001:db8::ffff")).status_code == 429
    assert log_in(stranger(app, "2001:db8:0:1::1")).status_code == 303


@on_one_database
@pytest.mark.usefixtures("clock")
def test_logging_in_forgets_the_failures_before(app: Flask) -> None:
    failures(app, FREE_FAILURES - 1, OPERATOR.email, "127.0.0.1")

    assert log_in(stranger(app)).status_code == 303
    assert log_in(stranger(app), password="wrong-horse-9").status_code == 401
    assert log_in(stranger(app)).status_code == 303


def test_failures_that_count_no_more_are_dropped(app: Flask) -> None:
    failures(app, 3, OPERATOR.email, "127.0.0.1")

    def left(now: datetime) -> int:
        with app.app_context():
            assert forget_failures(now) is False
            return db.session.scalar(select(func.count()).select_from(LoginFailure)) or 0

    assert left(NOW + timedelta(minutes=15)) == 3
    assert left(NOW + timedelta(minutes=31)) == 0


def test_a_failure_keeps_no_mail_address(app: Flask) -> None:
    """People type their password into the wrong field."""
    log_in(stranger(app), "Sommer2026geheim", "x")

    with app.app_context():
        rows = [*db.session.scalars(select(LoginFailure)), *db.session.scalars(select(AuditRecord))]
        kept = [value for row in rows for value in vars(row).values()]
    assert rows
    assert "sommer" not in repr(kept).lower()


@on_one_database
def test_after_the_log_in_one_comes_where_one_wanted_but_never_elsewhere(app: Flask) -> None:
    wanted = {"/history?outcome=match&size=10": "/history?outcome=match&size=10", "/": "/", "//evil.example/x": "/",
              "https://evil.example": "/", "/\\evil.example": "/"}  # fmt: skip

    led = {asked: log_in(stranger(app), url="/login", query_string={"next": asked}).location for asked in wanted}

    assert led == wanted


@on_one_database
def test_a_page_sends_to_the_log_in_and_the_log_in_back_to_the_page(app: Flask) -> None:
    browser = stranger(app)
    sent = browser.get("/history?from=2026-11-01&outcome=match")
    assert sent.status_code == 303
    assert sent.location is not None

    answer = browser.post(sent.location, {"email": OPERATOR.email, "password": PASSWORD})

    assert answer.location == "/history?from=2026-11-01&outcome=match"


@on_one_database
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(app: Flask) -> None:
    sent = Desk(app, None).post("/preferences", {"next": "/verify"})  # public: stays
    refused = Desk(app, None).post("/verify", {"name": "张三"})

    assert sent.status_code == 303
    assert (refused.status_code, refused.location) == (303, "/login?next=/verify")
