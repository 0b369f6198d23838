"""Every route of the product, walked: who may open it, what a stranger gets, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, Member
from webapp.accounts.models import Role
from webapp.accounts.permissions import ALLOWED, PUBLIC
from webapp.accounts.texts import ACTIONS
from webapp.foundation.pages import POLICY

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # it plays no part here

Open = Callable[[Member | None], Desk]
MEMBERS = {Role.ADMIN: ADMIN, Role.OPERATOR: OPERATOR, Role.AUDITOR: AUDITOR}


def routes(app: Flask, method: str) -> Iterator[Rule]:
    """The rules that take `method`, static files apart."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint != "static":
            yield rule


def address(rule: Rule) -> str:
    """An address of the rule: of the first object, or of a place that does not exist."""
    return re.sub(r"<[^>]*>", "1", rule.rule)


def test_every_endpoint_stands_in_the_permission_table_and_in_its_words(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert endpoints == PUBLIC | set(ALLOWED)
    assert not PUBLIC & set(ALLOWED)
    assert set(ACTIONS) == set(ALLOWED)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_is_sent_to_the_login_from_everywhere(app: Flask, desk: Open, method: str) -> None:
    stranger = desk(None)
    for rule in routes(app, method):
        if rule.endpoint in PUBLIC:
            continue
        page = stranger.get(address(rule)) if method == "GET" else stranger.post(address(rule))
        assert (page.status_code, page.location.split("?")[0]) == (303, "/login"), rule


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_the_table_says_and_nothing_else(app: Flask, desk: Open, role: Role) -> None:
    desk(ADMIN).record_lot(10)
    desk(OPERATOR).verify("张三", "11010519491231002X")
    for rule in routes(app, "GET"):
        if rule.endpoint in PUBLIC:
            continue
        status = desk(MEMBERS[role]).get(address(rule)).status_code
        if role in ALLOWED[rule.endpoint]:
            assert status in (200, 303, 404), (rule, status)
            assert status == 200 or "<" in rule.rule, (rule, status)
        else:
            assert status == 403, (rule, status)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_posts_only_where_the_table_allows(app: Flask, desk: Open, role: Role) -> None:
    for rule in routes(app, "POST"):
        if rule.endpoint in PUBLIC or role in ALLOWED[rule.endpoint]:
            continue
        assert desk(MEMBERS[role]).post(address(rule)).status_code == 403, rule


def test_no_post_is_taken_without_the_token_of_a_page(app: Flask, desk: Open) -> None:
    for rule in routes(app, "POST"):
        page = desk(ADMIN).client.post(address(rule), data={"csrf_token": "made up"})
        assert page.status_code == 400, rule


def test_every_answer_carries_the_policy_and_names_its_request(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    for rule in routes(app, "GET"):
        page = admin.get(address(rule))
        assert page.headers["Content-Security-Policy"] == POLICY, rule
        assert page.headers["X-Content-Type-Options"] == "nosniff", rule
        assert page.headers["Cache-Control"] == "no-store", rule
        assert re.fullmatch(r"[0-9a-f]{32}", page.headers["X-Request-Id"]), rule
        loaded = re.findall(r'(?:src|href|action)="(https?:)?//', page.text)
        assert rule.endpoint == "configuration.index" or not [one for one in loaded if one == ""], rule


def test_pages_load_nothing_from_elsewhere(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    for rule in routes(app, "GET"):
        html = admin.get(address(rule)).text
        assert re.findall(r'<(?:script|img|link|iframe|source)[^>]*(?:src|href)="(?:https?:)?//', html) == [], rule
        assert not re.search(
            r"<[^>]+\sstyle=|<style|<script(?![^>]*src=)(?![^>]*application/json)|\son[a-z]+=", html
        ), rule


def test_a_colleagues_result_does_not_exist_for_an_operator(desk: Open) -> None:
    desk(OPERATOR).verify("张三", "11010519491231002X")

    assert desk(COLLEAGUE).get("/verifications/1").status_code == 404
    assert desk(OPERATOR).get("/verifications/1").status_code == 200


def test_what_does_not_exist_is_a_page_too(desk: Open) -> None:
    for path in ("/nothing", "/verifications/999999999", "/users/999999", "/verifications/" + "9" * 400):
        page = desk(ADMIN).get(path)
        assert page.status_code == 404, path
        assert page.headers["X-Request-Id"] in page.text
    assert desk(ADMIN).client.put("/verify").status_code == 405
