"""Notices: told once, to a role, shown to each of it until they dismiss it, withdrawn when the cause is over."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, Member
from tests.support.waiting import together, until
from webapp.foundation.database import db, transaction
from webapp.notify import notices
from webapp.notify.notices import Notice, NoticeDismissal

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def tell(app: Flask, number: int = 1, *, role: str = "admin", key: str = "", kind: str = "unknown_outcome") -> bool:
    with app.app_context(), transaction():
        return notices.tell(role, kind, key or f"unknown:{number}", NOW, id=number)


def shown(desk: Desk, language: str = "en") -> list[str]:
    """The texts of the notices on the first page."""
    page = desk.get("/", headers={"Accept-Language": language}).text
    return [html.unescape(found) for found in re.findall(r"<a href=\"/verifications/\d+\">([^<]*)</a>", page)]


def test_a_notice_is_shown_to_its_role_only_with_a_link_and_in_both_languages(app: Flask, desk: Open) -> None:
    tell(app, 17)

    (said,) = shown(desk(ADMIN))
    assert said.startswith("Verification 17 has an unknown outcome")
    assert "17" in shown(desk(ADMIN), "zh")[0]
    assert shown(desk(ADMIN), "zh") != [said]
    assert 'href="/verifications/17"' in desk(ADMIN).get("/").text
    assert (shown(desk(OPERATOR)), shown(desk(AUDITOR))) == ([], [])


def test_one_cause_is_told_once(app: Flask, desk: Open) -> None:
    assert tell(app, key="stop:1") is True
    assert tell(app, 2, key="stop:1") is False
    assert tell(app, 3, key="stop:2") is True

    assert len(shown(desk(ADMIN))) == 2


def test_a_dismissed_notice_is_gone_for_its_reader_alone_and_for_good(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE app_user SET role = 'admin' WHERE id = 3"))
    tell(app)
    tell(app, 2)
    colleague = Desk(app, Member(3, "", "", ADMIN.role))

    answer = desk(ADMIN).post("/notices/1/dismiss", {"next": "/quota"})

    assert (answer.status_code, answer.location) == (303, "/quota")
    assert len(shown(desk(ADMIN))) == 1
    assert len(shown(colleague)) == 2
    assert desk(ADMIN).post("/notices/1/dismiss").status_code == 303, "twice does no harm"
    assert tell(app) is False, "and the cause is not told anew"


def test_nobody_dismisses_what_is_not_theirs_or_not_there(app: Flask, desk: Open) -> None:
    tell(app)

    for member in (OPERATOR, AUDITOR):
        assert desk(member).post("/notices/1/dismiss").status_code == 404
    for number in (99, 0, 10**17, 2**63):
        assert desk(ADMIN).post(f"/notices/{number}/dismiss").status_code == 404
    with app.app_context():
        assert db.session.scalars(select(NoticeDismissal)).all() == []
    assert len(shown(desk(ADMIN))) == 1


@on_one_database
def test_after_dismissing_one_stays_on_this_site(app: Flask, desk: Open) -> None:
    tell(app)

    assert desk(ADMIN).post("/notices/1/dismiss", {"next": "//evil.example"}).location == "/"


@on_one_database
def test_the_newest_few_are_shown_newest_first(app: Flask, desk: Open) -> None:
    for number in range(1, 9):
        tell(app, number)

    assert [said.split()[1] for said in shown(desk(ADMIN))] == ["8", "7", "6", "5", "4"]


def test_a_notice_is_withdrawn_when_its_cause_is_over(app: Flask, desk: Open) -> None:
    for number, key in enumerate(("stop:a", "stop:b", "stop%c", "unknown:4", "unknown:44"), start=1):
        tell(app, number, key=key)
    desk(ADMIN).post("/notices/1/dismiss")
    with app.app_context(), transaction():
        notices.withdraw("stop:", keep="stop:b")
        notices.settled("unknown:4")
        notices.settled("never told")

    assert sorted(said.split()[1] for said in shown(desk(ADMIN))) == ["2", "3", "5"]
    assert tell(app, 6, key="stop:a") is True, "it may come again"


@on_one_database
def test_what_a_notice_says_is_shown_as_text(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction():
        notices.tell("admin", "unexpected_answer", "x", NOW, id=1, code="<img src=x>")
        notices.tell("admin", "a kind of a later version <b>", "y", NOW)

    page = desk(ADMIN).get("/").text

    assert "<img" not in page
    assert "later version <b>" not in page


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_calls_that_tell_the_same_at_once_both_go_on(app: Flask) -> None:
    """The second must not fail: its transaction holds the outcome of a paid call."""
    told: list[bool] = []
    with app.app_context(), db.engine.connect() as watcher:
        watching = watcher.execution_options(isolation_level="AUTOCOMMIT")
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND wait_event_type = 'Lock'")  # fmt: skip
        first_told = []

        def first() -> None:
            with app.app_context(), transaction():
                told.append(notices.tell("admin", "calls_stop", "stop:x", NOW, cause="quota_exhausted"))
                first_told.append(True)
                until(lambda: watching.scalar(waiting), "the second waits for the first")

        def second() -> None:
            until(lambda: first_told, "the first has told")
            with app.app_context(), transaction():
                told.append(notices.tell("admin", "calls_stop", "stop:x", NOW, cause="quota_exhausted"))

        together(first, second)

    assert told == [True, False]
    with app.app_context():
        assert len(db.session.scalars(select(Notice)).all()) == 1


def test_counts_in_a_notice_are_written_as_people_do(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction():
        notices.tell("admin", "left_gap", "left_gap:1:more", NOW, calls=992_997, more=1)
        notices.tell("admin", "drift", "drift:1:more", NOW, calls=1, more=1)

    page = desk(ADMIN).get("/", headers={"Accept-Language": "en"}).text
    assert "The vendor has 992,997 calls more left than our lots." in page
    assert "The vendor counted 1 call more than this product made." in page
