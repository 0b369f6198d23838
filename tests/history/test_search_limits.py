"""Nobody learns what the mask hides by trying: texts that find nobody are few, those that find somebody are many."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, Desk, Member
from webapp.audit import subjects
from webapp.audit.trail import Action, AuditRecord, Who, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history.search_models import StoredSearch
from webapp.history.search_rules import ALL, BLIND, DAY, HOUR, MANY_IN_A_DAY, wait
from webapp.notify.notices import Notice
from webapp.persons.id_numbers import check_character
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME, NUMBER = "欧阳演练", "11010519491231002X"
REQUEST = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"
(_, AN_HOUR), (_, A_DAY) = BLIND
(_, ALL_AN_HOUR), (_, ALL_A_DAY) = ALL
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def person(app: Flask) -> int:
    with app.app_context(), transaction():
        return store(NOW, person=Person(NAME, NUMBER))[0]


def some_number(n: int) -> str:
    """One of those that fit what the mask leaves."""
    return f"11010519{n:06}002"[:17] + check_character(f"11010519{n:06}002"[:17])


def tried(app: Flask, member: Member, count: int, *, found: bool, kind: str = "number", **ago: int) -> None:
    """So many different texts were searched for, so long ago."""
    who = Who(member.id, member.name)
    with app.app_context(), transaction():
        for n in range(count):
            about = subjects.fingerprint(kind, f"{n} {ago}", this_instance().keys)
            append(who, Action.HISTORY_SEARCHED, utc_now() - timedelta(**ago), subject=about, kind=kind, found=found)


def status(desk: Desk, text: str, **filters: str) -> int:
    return desk.post("/history", {"q": text} | filters).status_code


def test_the_limits_of_an_hour_and_of_a_day_are_said_in_seconds() -> None:
    minute = timedelta(minutes=1)
    blind = [(NOW - 5 * minute, True)] * (AN_HOUR - 1)

    assert wait(blind, NOW) == 0
    assert wait([*blind, (NOW - 20 * minute, True)], NOW) == 40 * 60
    assert wait([*blind, (NOW - 20 * minute, False)], NOW) == 0
    assert wait([*blind, (NOW - HOUR, True)], NOW) == 0
    assert wait([(NOW - DAY + HOUR, True)] * A_DAY, NOW) == 3600
    assert wait([(NOW - 2 * minute, False)] * (ALL_AN_HOUR - 1), NOW) == 0
    assert wait([(NOW - 2 * minute, False)] * ALL_AN_HOUR, NOW) == 58 * 60
    assert wait([(NOW - DAY + HOUR, False)] * ALL_A_DAY, NOW) == 3600


def test_who_tries_numbers_out_is_stopped_and_auditors_are_told(app: Flask, desk: Open, person: int) -> None:
    admin = desk(ADMIN)

    answers = [status(admin, some_number(n)) for n in range(AN_HOUR + 1)]
    page = admin.post("/history", {"q": NUMBER, "outcome": "match", "size": "7"}, headers=ENGLISH)

    assert answers == [303] * AN_HOUR + [429]
    assert page.status_code == 429, "one that would find somebody too, or the refusal would say so"
    assert re.search(r"Go on in (59|60) minutes", page.text)
    assert 'name="size" value="7"' in html.unescape(page.text)
    assert '<option selected value="match">' in page.text
    assert "data-verification" not in page.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(StoredSearch)) == AN_HOUR
        refused = select(AuditRecord.detail).where(AuditRecord.action == Action.HISTORY_SEARCHED, ~AuditRecord.success)
        details = db.session.scalars(refused).all()
        assert {one["fault"] for one in details} == {"too_many"}
        assert {one["kind"] for one in details} == {"number", "request_id", "reference"}
        [notice] = db.session.scalars(select(Notice).where(Notice.kind == "many_searches"))
        assert (notice.role, notice.params["name"]) == ("auditor", ADMIN.name)
    assert ADMIN.name in desk(AUDITOR).get("/").text
    assert status(admin, some_number(3)) == 303, "what was tried before costs nothing"
    assert status(admin, f" {some_number(3)[:6]} {some_number(3)[6:]}") == 303
    assert (status(admin, REQUEST), status(admin, "")) == (303, 303), "these say nothing of a person"
    assert status(desk(OPERATOR), NAME) == 303, "another reader"


def test_who_finds_people_all_day_is_not_stopped(app: Flask, desk: Open, person: int) -> None:
    tried(app, OPERATOR, ALL_AN_HOUR - 2, found=True, minutes=50)
    tried(app, OPERATOR, AN_HOUR - 1, found=False, minutes=61)
    operator = desk(OPERATOR)

    assert (status(operator, NUMBER), status(operator, NUMBER)) == (303, 303)
    with app.app_context():
        assert db.session.scalars(select(Notice).where(Notice.kind == "many_searches")).all() == []
    assert (status(operator, NAME), status(operator, "欧阳")) == (303, 429)


@pytest.mark.parametrize(("kind", "stopped"), [("last4", True), ("beginning", False), ("reference", False)])
@on_one_database
def test_the_last_four_of_a_number_count_though_somebody_has_them(
    app: Flask, desk: Open, person: int, kind: str, stopped: bool
) -> None:
    tried(app, ADMIN, AN_HOUR, found=True, kind=kind, minutes=30)

    assert status(desk(ADMIN), NAME) == (429 if stopped else 303)


def test_the_limit_of_a_day_holds_however_slowly_one_tries(app: Flask, desk: Open, person: int) -> None:
    tried(app, ADMIN, A_DAY - 1, found=False, hours=3)
    admin = desk(ADMIN)

    assert status(admin, "没有此人") == 303
    page = admin.post("/history", {"q": "也没有"}, headers=ENGLISH)

    assert page.status_code == 429
    assert "Go on in 1260 minutes" in page.text


def test_auditors_are_told_of_many_tries_before_the_limit(app: Flask, desk: Open, person: int) -> None:
    tried(app, ADMIN, MANY_IN_A_DAY - 1, found=False, hours=3)
    admin = desk(ADMIN)
    kinds = select(Notice.kind).where(Notice.kind == "many_searches")

    status(admin, "没有此人")
    with app.app_context():
        assert db.session.scalars(kinds).all() == []
    status(admin, "也没有")
    status(admin, "都没有")

    with app.app_context():
        assert db.session.scalars(kinds).all() == ["many_searches"]


@pytest.mark.parametrize("address", ["/audit/person", "/rights"])
def test_other_questions_about_a_person_share_the_count(app: Flask, desk: Open, person: int, address: str) -> None:
    tried(app, ADMIN, AN_HOUR - 2, found=False, minutes=30)
    admin = desk(ADMIN)
    whom = [{"name": NAME, "id_number": NUMBER}, {"name": "没有此人", "id_number": some_number(1)},
            {"name": "也没有", "id_number": some_number(2)}]  # fmt: skip

    answers = [admin.post(address, one, headers=ENGLISH) for one in (whom[0], whom[1], whom[2])]
    if address == "/rights":  # of which each that finds nobody counts as one, of the other each text
        answers.append(admin.post(address, whom[2], headers=ENGLISH))

    assert [one.status_code for one in answers] == [200] * (len(answers) - 1) + [429]
    assert "Go on in" in answers[-1].text
    assert status(admin, "都没有") == 429
    assert admin.post(address, whom[0]).status_code == 200, "known already"


@on_one_database
def test_trying_names_for_a_known_number_counts(app: Flask, desk: Open, person: int) -> None:
    tried(app, ADMIN, AN_HOUR - 2, found=False, minutes=30)
    admin = desk(ADMIN)

    answers = [
        admin.post("/rights", {"name": name, "id_number": NUMBER}).status_code for name in ("欧一", "欧二", "欧三")
    ]

    assert answers == [200, 200, 429]


@on_one_database
def test_a_shared_view_and_a_request_say_so_too(app: Flask, desk: Open, person: int) -> None:
    auditor, admin = desk(AUDITOR), desk(ADMIN)
    handle = (auditor.post("/history", {"q": NAME}).location or "").partition("s=")[2]
    auditor.post("/history/views", {"name": "查", "shared_with": "admin", "s": handle})
    tried(app, ADMIN, AN_HOUR, found=False, minutes=30)

    whom = {"name": "没有此人", "id_number": some_number(1)}
    pages = [admin.post("/history/views/1/open", headers=ENGLISH), admin.post("/rights/hold", whom, headers=ENGLISH)]

    assert [page.status_code for page in pages] == [429, 429]
    assert all("Go on in" in page.text for page in pages)


@on_one_database
def test_what_an_operator_may_not_see_counts_as_not_found(app: Flask, desk: Open, person: int) -> None:
    status(desk(COLLEAGUE), NUMBER)
    status(desk(OPERATOR), NUMBER)

    with app.app_context():
        found = select(AuditRecord.actor_id, AuditRecord.detail).where(AuditRecord.action == Action.HISTORY_SEARCHED)
        said = {who: detail["found"] for who, detail in db.session.execute(found)}
    assert said == {COLLEAGUE.id: False, OPERATOR.id: True}
