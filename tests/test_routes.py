"""Every route of the product: who may open it, what a stranger gets, what a forged form does, what each answer carries.

The routes are read from the application, so that a new one is walked by these tests the day it is added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.conftest import settings_for
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member, card_of, hire
from tests.support.page_reader import PageReader
from webapp import create_app
from webapp.accounts.models import Role
from webapp.accounts.permissions import ALLOWED, PUBLIC
from webapp.accounts.texts import ACTIONS
from webapp.audit.trail import AuditRecord
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import Base, db, transaction
from webapp.foundation.pages import POLICY
from webapp.notify import notices
from webapp.vendor.sandbox.server import Sandbox

on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NUMBER = "11010519491231002X"
ENGLISH = {"Accept-Language": "en"}
NO_FORM = {"reminders.recipients.leave_at_once"}
"""Posted to by mail programs, not from a page: the signed link in the address is the proof (RFC 8058)."""
FULL = {
    "verification.result": "/verifications/1",
    "reveal.ask": "/verifications/1/reveal",
    "accounts.edit_user": "/users/2",
    "purposes.edit": "/settings/purposes/1",
    "reuse.show": "/reuses/1",
    "lots.show": "/quota/lots/1",
    "lots.correct": "/quota/lots/1/correct",
    "lots.change": "/quota/lots/1/change",
}
"""Pages of one object that the world below holds."""
ONWARD = {"verification.edit", "reuse.edit", "unknowns.settle"}
"""Who asks for their address may be led elsewhere: to where a form began, or away from what is masked by now."""


def fill(app: Flask) -> Flask:
    """A lot, a verification and a reuse of the operator's, a notice."""
    Desk(app, ADMIN).record_lot(100)
    operator = Desk(app, OPERATOR)
    assert card_of(operator.verify("张三", NUMBER).text)[0] == "match"
    assert card_of(operator.verify("张三", NUMBER).text)[0] == "reused"
    with app.app_context(), transaction():
        notices.tell("admin", "unknown_outcome", "unknown:1", utc_now(), id=1)
    return app


@pytest.fixture
def world(app: Flask) -> Flask:
    """The product with something in it."""
    return fill(app)


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a page: by whom (None: a stranger), where, and what came."""

    member: Member | None
    rule: Rule
    answer: TestResponse


@pytest.fixture(scope="module")
def visits(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[Visit]:
    """Every page as everyone sees it: looked at once, for the tests below. Looking must change nothing."""
    folder = tmp_path_factory.mktemp("visited")
    app = create_app(settings_for(folder, None, VENDOR_URL=shared_sandbox.url, APPCODE="test"))
    with app.app_context():
        schema.migrate(utc_now())
        hire()
    fill(app)
    charged, found = shared_sandbox.counts().charged, []
    for member in (ADMIN, OPERATOR, COLLEAGUE, AUDITOR, None):
        desk = Desk(app, member)
        desk.get("/profile")  # that one is about is stored, once a minute
        before = snapshot(app)
        found += [Visit(member, rule, desk.get(address(rule))) for rule in rules(app, "GET")]
        assert snapshot(app) == before, f"looking changed something: {member}"
    assert shared_sandbox.counts().charged == charged, "looking made a call"
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["vendor"].close()
    return found


def rules(app: Flask, method: str) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if method in (rule.methods or ()) and rule.endpoint != "static"]


def address(rule: Rule) -> str:
    """An address of the rule: of an object that is there, where the world has one."""
    if rule.endpoint in FULL:
        return FULL[rule.endpoint]
    plain = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    return re.sub(r"<int:\w+>", "1", re.sub(r"<\w+>", "unknown", plain))


def snapshot(app: Flask) -> dict[str, list[Any]]:
    """Every row of every table, but for the audit trail's."""
    with app.app_context():
        tables = [table for table in Base.metadata.sorted_tables if table.name != AuditRecord.__tablename__]
        return {table.name: [tuple(row) for row in db.session.execute(select(table))] for table in tables}


def bodies(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, address(rule)) for rule in rules(app, "POST")]


def desks(app: Flask, members: tuple[Member, ...] = (ADMIN, OPERATOR, AUDITOR)) -> Iterator[tuple[Member, Desk]]:
    """The members' browsers, each seen already: a first look is stored."""
    for member in members:
        desk = Desk(app, member)
        desk.get("/profile")
        yield member, desk


@on_one_database
def test_every_route_stands_in_the_table_and_the_table_names_no_other(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert endpoints == PUBLIC | ALLOWED.keys()
    assert PUBLIC & ALLOWED.keys() == set()
    assert all(roles <= set(Role) and roles for roles in ALLOWED.values())
    assert set(ACTIONS) == set(ALLOWED), "the page of permissions says each in words"


def test_a_stranger_is_sent_to_the_log_in_and_sees_nothing_else(visits: list[Visit]) -> None:
    for visit in visits:
        if visit.member is None and visit.rule.endpoint not in PUBLIC:
            assert visit.answer.status_code == 303, visit.rule
            assert (visit.answer.location or "").partition("?")[0] == "/login", visit.rule
            assert "张" not in visit.answer.text, visit.rule


@on_one_database
def test_a_strangers_form_is_sent_to_the_log_in_and_changes_nothing(world: Flask) -> None:
    nobody = Desk(world, None)
    token, before = nobody.token(), snapshot(world)
    for rule, url in bodies(world):
        if rule.endpoint not in PUBLIC:
            answer = nobody.client.post(url, data={"csrf_token": token, "name": "张三", "id_number": NUMBER})

            assert answer.status_code == 303, rule
            assert (answer.location or "").partition("?")[0] == "/login", rule

    assert snapshot(world) == before


def test_each_role_opens_what_the_table_says_and_is_refused_the_rest(visits: list[Visit]) -> None:
    for visit in visits:
        if visit.member is None or visit.rule.endpoint in PUBLIC:
            continue
        status, rule = visit.answer.status_code, visit.rule
        if visit.member.role not in ALLOWED[rule.endpoint]:
            assert status == 403, f"{visit.member.email} {rule}"
        elif rule.arguments and (rule.endpoint not in FULL or visit.member is COLLEAGUE):
            led = {303} if rule.endpoint in ONWARD else set()
            assert status in {200, 404} | led, f"{visit.member.email} {rule}"
        else:
            assert status == 200, f"{visit.member.email} {rule}"


@on_one_database
def test_a_role_without_leave_changes_nothing_by_a_well_made_form(world: Flask, sandbox: Sandbox) -> None:
    for member, desk in desks(world):
        token, before = desk.token(), snapshot(world)
        forms = [(rule, url) for rule, url in bodies(world) if rule.endpoint not in PUBLIC]
        refused = [(rule, url) for rule, url in forms if member.role not in ALLOWED[rule.endpoint]]
        for rule, url in refused:
            asked = {"csrf_token": token, "name": "张三", "id_number": NUMBER, "purpose": "1", "consent": "yes"}

            assert desk.client.post(url, data=asked).status_code == 403, f"{member.role} {rule}"
        assert snapshot(world) == before, member.role
    assert sandbox.counts().received == 1


@on_one_database
def test_an_empty_form_of_one_who_may_is_answered_and_never_a_fault(world: Flask) -> None:
    for member, desk in desks(world):
        for rule, url in bodies(world):
            if rule.endpoint in PUBLIC | {"accounts.logout", "lock.lock"} or member.role not in ALLOWED[rule.endpoint]:
                continue
            assert desk.post(url, {}).status_code in (200, 303, 400, 404, 409, 422, 429), f"{member.role} {rule}"


@on_one_database
def test_a_form_without_the_token_is_refused_and_changes_nothing(world: Flask, sandbox: Sandbox) -> None:
    asked = {"name": "张三", "id_number": NUMBER, "purpose": "1", "consent": "yes", "calls": "5", "appcode": "x",
             "bought_on": "2026-01-01", "locale": "en", "email": "a@b.c", "password": "correct-horse-9"}  # fmt: skip
    for who in (ADMIN, None):
        desk = Desk(world, who)
        token = desk.token()
        before = snapshot(world)
        for rule, url in bodies(world):
            for forged in ({}, {"csrf_token": token[:-2]}) if rule.endpoint not in NO_FORM else ():
                answer = desk.client.post(url, data=asked | forged)

                assert answer.status_code == 400, f"{rule} {forged}"
        assert snapshot(world) == before
    assert sandbox.counts().received == 1


@on_one_database
def test_a_token_of_another_session_is_worth_nothing(world: Flask) -> None:
    stolen = Desk(world, OPERATOR).token()
    admin = Desk(world, ADMIN)
    admin.get("/profile")
    before = snapshot(world)

    answer = admin.client.post("/quota/lots/new", data={"csrf_token": stolen, "calls": "5", "bought_on": "2026-01-01"})

    assert answer.status_code == 400
    assert snapshot(world) == before


PRIVATE = {"/verify/regions/<release>": "private, max-age=31536000, immutable"}
"""Answers that a browser may keep: nothing about a person, and named by their content."""


def guarded(answer: TestResponse, what: object) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff", what
    assert answer.headers["Content-Security-Policy"] == POLICY, what
    assert answer.headers["Referrer-Policy"] == "same-origin", what
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", what
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"]), what
    assert "Access-Control-Allow-Origin" not in answer.headers, what


def test_every_page_carries_the_headers_that_protect_it(visits: list[Visit]) -> None:
    for visit in visits:
        guarded(visit.answer, visit.rule)
        assert visit.answer.headers["Cache-Control"] in ("no-store", PRIVATE.get(visit.rule.rule)), visit.rule

    assert {200, 303, 403, 404} <= {visit.answer.status_code for visit in visits}


@on_one_database
def test_errors_files_and_other_methods_carry_them_too(app: Flask) -> None:
    admin, nobody = Desk(app, ADMIN), Desk(app, None)
    for method in ("HEAD", "OPTIONS", "DELETE", "TRACE"):
        guarded(admin.client.open("/quota", method=method), method)
    for refused in (admin.client.post("/verify", data={}), nobody.get("/nowhere"), nobody.get("/static/nothing.js")):
        guarded(refused, refused.status_code)
    with nobody.get("/static/favicon.svg") as file:
        assert file.status_code == 200
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in file.headers


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline() -> None:
    parts = dict(part.strip().partition(" ")[::2] for part in POLICY.split(";"))

    assert parts["default-src"] == "'none'"
    assert {source for sources in parts.values() for source in sources.split()} == {"'none'", "'self'", "data:"}
    assert [name for name, sources in parts.items() if "data:" in sources] == ["img-src"]
    assert {"form-action", "base-uri", "frame-ancestors"} <= parts.keys()


def test_no_page_needs_another_host_or_anything_inline(visits: list[Visit]) -> None:
    pages = [visit for visit in visits if visit.answer.mimetype == "text/html"]
    assert len(pages) > 100
    for visit in pages:
        page = PageReader(visit.answer.text)

        assert [one for one in page.loads if one and not re.match(r"/(?!/)|data:|\?|#", one)] == [], visit.rule
        assert page.forbidden == [], visit.rule
        assert [one for one in page.links if "//" in one[0] and "noreferrer" not in one[1]] == [], visit.rule


@on_one_database
def test_to_ask_for_the_head_or_the_methods_of_a_page_changes_nothing(world: Flask) -> None:
    desk = Desk(world, ADMIN)
    desk.get("/profile")
    before = snapshot(world)
    for rule in rules(world, "GET"):
        head, options = desk.client.head(address(rule)), desk.client.options(address(rule))

        assert (head.data, options.data) == (b"", b""), rule
        assert max(head.status_code, options.status_code) < 500, rule
    for rule, url in bodies(world):
        assert desk.client.options(url).status_code == 200, rule

    assert snapshot(world) == before


@on_one_database
def test_a_method_that_a_page_does_not_take_is_a_page_that_says_so(app: Flask) -> None:
    nobody = Desk(app, None)
    for rule in app.url_map.iter_rules():
        others = {"PUT", "PATCH", "DELETE"} | ({"GET", "POST"} - (rule.methods or set()))
        siblings = {m for one in app.url_map.iter_rules() if one.rule == rule.rule for m in one.methods or ()}
        for method in sorted(others - siblings):
            url = address(rule) if rule.endpoint != "static" else "/static/x"
            answer = nobody.client.open(url, method=method)

            assert answer.status_code == 405, f"{method} {rule}"
            assert 'class="error-status"' in answer.text, f"{method} {rule}"
            assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= siblings, rule


@pytest.mark.parametrize(
    ("path", "seen_by"),
    [("/verifications/1", {ADMIN, AUDITOR, OPERATOR}), ("/reuses/1", {ADMIN, AUDITOR, OPERATOR})],
)
def test_what_is_out_of_ones_scope_is_not_there(world: Flask, path: str, seen_by: set[Member]) -> None:
    for member, desk in desks(world, (ADMIN, AUDITOR, OPERATOR, COLLEAGUE)):
        answer = desk.get(path)

        assert answer.status_code == (200 if member in seen_by else 404), member.email
        missing = desk.get(path.replace("1", "99"), headers=ENGLISH)
        if member not in seen_by:
            shown = [re.sub("[0-9a-f]{32}", "", one) for one in (desk.get(path, headers=ENGLISH).text, missing.text)]
            assert shown[0] == shown[1], "nothing tells that it exists"


@on_one_database
def test_a_refusal_is_recorded_with_the_page(world: Flask) -> None:
    Desk(world, OPERATOR).get("/users")
    Desk(world, AUDITOR).post("/verify", {})

    with world.app_context():
        query = select(AuditRecord).where(AuditRecord.action == "access_refused").order_by(AuditRecord.id)
        rows = db.session.scalars(query).all()
        assert [(row.actor_id, row.success, row.detail) for row in rows] == [
            (OPERATOR.id, False, {"page": "accounts.users"}),
            (AUDITOR.id, False, {"page": "verification.submit"}),
        ]


@on_one_database
def test_the_navigation_leads_to_what_one_may_open_and_only_there(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    for member, desk in desks(app):
        bar = re.search(r'<nav class="tabs.*?</nav>', desk.get("/").text, re.DOTALL)
        assert bar
        links = re.findall(r'href="([^"]+)"', bar[0])

        assert {desk.get(link).status_code for link in links} == {200}, member.email
        assert ("/users" in links) is (member.role == Role.ADMIN)
        assert ("/audit" in links) is (member.role != Role.OPERATOR)
        assert ("/verify" in links) is (member.role != Role.AUDITOR)
