"""Saved views: one's own or shared with a role; what stands in them is sealed and opens for whoever may."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.accounts.models import User
from webapp.audit.trail import Action, AuditRecord, Who
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import saved_operations
from webapp.history.saved_models import SavedView
from webapp.history.saved_operations import Content
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER = "欧阳演练", "11010519491231002X"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def people(app: Flask) -> list[int]:
    """Three verifications: of the person searched for, of another, and of the person by a colleague."""
    with app.app_context(), transaction():
        return [
            *store(NOW, person=Person(NAME, NUMBER)),
            *store(NOW, person=Person("张三", NUMBER), outcome="mismatch"),
            *store(NOW, person=Person(NAME, NUMBER), outcome="mismatch", operator_id=COLLEAGUE.id),
        ]


def rows_of(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-verification="(\d+)"', page)]


def views_of(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-view="(\d+)"', page)]


def test_what_changed_while_a_view_is_renamed_is_not_undone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters that changed, or keys that were rotated, between the page's read and the transaction."""
    view = save(Desk(app, ADMIN), "a view")
    begin = transaction

    def late() -> AbstractContextManager[Session]:
        monkeypatch.setattr(saved_operations, "transaction", begin)
        with begin() as session:
            sealed = saved_operations._seal(view, Content("a view", {"outcome": "match"}, None), this_instance().sealer)
            session.execute(update(SavedView).values(sealed=sealed))
        return begin()

    with app.app_context():
        row = db.session.get_one(SavedView, view)
        saved_operations.content_of(row, this_instance())
        monkeypatch.setattr(saved_operations, "transaction", late)
        saved_operations.change(row, "renamed", None, Who(ADMIN.id, "x"), this_instance(), NOW)
        db.session.expire_all()
        now = saved_operations.content_of(db.session.get_one(SavedView, view), this_instance())
    assert (now.name, now.filters) == ("renamed", {"outcome": "match"})


def handle_of(desk: Desk, text: str) -> str:
    sent = desk.post("/history", {"q": text})
    return str((sent.location or "").partition("s=")[2])


def save(desk: Desk, name: str = "查欧阳", **fields: str) -> int:
    saved = desk.post("/history/views", {"name": name, "shared_with": ""} | fields)
    assert saved.status_code == 303
    return max(views_of(desk.get("/history/views").text))


def opened(desk: Desk, view: int) -> list[int]:
    page = desk.post(f"/history/views/{view}/open", follow_redirects=True)
    return rows_of(page.text) if page.status_code == 200 else [-page.status_code]


def test_a_view_opens_as_it_was_saved(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    searched = save(admin, outcome="mismatch", s=handle_of(admin, NAME))
    filtered = save(admin, "不匹配", outcome="mismatch")

    assert opened(admin, searched) == [people[2]]
    assert opened(admin, filtered) == people[:0:-1]
    assert views_of(admin.get("/history/views").text) == [filtered, searched], "by name"


def test_a_view_is_one_s_own_until_it_is_shared_and_shows_each_their_own(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    view = save(admin, s=handle_of(admin, NAME))
    for other in (AUDITOR, OPERATOR):
        assert views_of(desk(other).get("/history/views").text) == []
        assert opened(desk(other), view) == [-404]
        for path in (f"/history/views/{view}", f"/history/views/{view}/delete"):
            assert desk(other).post(path, {"name": "x", "shared_with": ""}).status_code == 404

    assert admin.post(f"/history/views/{view}", {"name": "给操作员", "shared_with": "operator"}).status_code == 303

    assert opened(desk(AUDITOR), view) == [-404]
    assert opened(desk(OPERATOR), view) == [people[0]]
    assert opened(desk(COLLEAGUE), view) == [people[2]]
    assert "给操作员" in desk(OPERATOR).get("/history/views").text
    assert desk(OPERATOR).get(f"/history/views/{view}").status_code == 403, "opening is not changing"
    assert desk(OPERATOR).post(f"/history/views/{view}/delete").status_code == 403


def test_a_view_that_was_deleted_is_gone_for_all(desk: Open, people: list[int]) -> None:
    auditor = desk(AUDITOR)
    view = save(auditor, outcome="match", shared_with="admin")
    assert opened(desk(ADMIN), view) == [people[0]]

    assert desk(ADMIN).post(f"/history/views/{view}/delete").status_code == 303, "admins may, also of who has left"

    assert opened(auditor, view) == [-404]
    assert views_of(auditor.get("/history/views").text) == []


def test_nothing_of_a_view_stands_in_the_database_in_the_clear(app: Flask, desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    save(admin, s=handle_of(admin, NAME))

    with app.app_context():
        view = db.session.scalars(select(SavedView)).one()
        records = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.VIEW_SAVED)).all()
        assert NAME.encode() not in view.sealed
        assert "查欧阳".encode() not in view.sealed
        assert [(one.object_id, one.detail) for one in records] == [(view.id, {"shared_with": None})]


def test_the_search_of_a_view_is_masked_where_it_is_listed_and_saved(desk: Open, people: list[int]) -> None:
    admin = desk(ADMIN)
    handle = handle_of(admin, NAME)

    page = admin.get(f"/history/views?s={handle}").text

    assert "欧***" in page
    assert NAME not in page
    save(admin, "一个视图", s=handle)
    assert NAME not in admin.get("/history/views").text


def test_what_cannot_be_saved_is_said_beside_its_field(desk: Open) -> None:
    admin, operator = desk(ADMIN), desk(OPERATOR)
    for fields in ({"name": ""}, {"name": "x" * 81}, {"name": "a\nb"}, {"name": "a\0b"}, {"shared_with": "everyone"},
                   {"outcome": "moon"}, {"s": "foreign"}, {"s": "\0"}, {"from": "2026-02-30"}):  # fmt: skip
        refused = admin.post("/history/views", {"name": "视图", "shared_with": ""} | fields)

        assert refused.status_code == 422, fields
    assert views_of(admin.get("/history/views").text) == []
    view = save(operator, "我的", outcome="match", shared_with="admin")
    assert opened(admin, view) == [-404], "operators share with nobody"


@on_one_database
def test_one_may_have_so_many_views_and_no_more(desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_operations, "MOST", 2)
    admin = desk(ADMIN)
    first = save(admin, "一", outcome="match")
    save(admin, "二", outcome="match")

    refused = admin.post("/history/views", {"name": "三", "shared_with": ""}, follow_redirects=True, headers=ENGLISH)

    assert "2 views" in refused.text
    assert len(views_of(refused.text)) == 2
    admin.post(f"/history/views/{first}/delete")
    save(admin, "三", outcome="match")


@on_one_database
def test_a_view_whose_filters_are_no_more_says_so(desk: Open, people: list[int]) -> None:
    view = save(desk(ADMIN), operator=str(COLLEAGUE.id), shared_with="operator")

    assert opened(desk(ADMIN), view) == [people[2]]
    assert opened(desk(OPERATOR), view) == [-422], "an operator has no such choice"


@pytest.mark.parametrize("name", ["查 欧阳 演练", "for 欧阳演练", "110105 19491231 002X"])
def test_a_name_that_others_read_tells_nobody_whom_the_view_is_for(desk: Open, people: list[int], name: str) -> None:
    admin = desk(ADMIN)
    fields = {"s": handle_of(admin, NAME), "name": name}

    refused = admin.post("/history/views", fields | {"shared_with": "auditor"}, headers=ENGLISH)
    assert (refused.status_code, "Others read this name" in refused.text) == (422, True)
    own = save(admin, **fields)
    shared = admin.post(f"/history/views/{own}", {"name": name, "shared_with": "auditor"}, headers=ENGLISH)
    assert (shared.status_code, "Others read this name" in shared.text) == (422, True)
    assert name not in desk(AUDITOR).get("/history/views").text
    assert admin.post(f"/history/views/{own}", {"name": "case 7", "shared_with": "auditor"}).status_code == 303


def test_views_of_who_was_switched_off_go(app: Flask, desk: Open, people: list[int]) -> None:
    gone, stays = save(desk(AUDITOR), shared_with="admin"), save(desk(ADMIN))
    with app.app_context(), transaction() as session:
        session.get_one(User, AUDITOR.id).active = False

    with app.app_context():
        assert not saved_operations.forget_left(NOW)
        assert db.session.scalars(select(SavedView.id)).all() == [stays]
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.VIEW_DELETED)).one()
        assert (record.object_id, record.actor_id) == (gone, None)


def test_opening_a_view_lets_its_time_begin_anew(app: Flask, desk: Open, people: list[int]) -> None:
    view = save(desk(ADMIN))
    with app.app_context(), transaction() as session:
        session.execute(update(SavedView).values(used_at=NOW - timedelta(days=300)))

    opened(desk(ADMIN), view)

    with app.app_context():
        used = db.session.get_one(SavedView, view).used_at
        assert used is not None
        assert used > NOW - timedelta(days=300)
