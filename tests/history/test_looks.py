"""Who looked for a person: every search, view, print and export, by whom, and nobody else's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.history.test_reveal import reveal
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk
from webapp.audit import sealer
from webapp.audit.subjects import fingerprint
from webapp.audit.trail import SYSTEM, Action, AuditRecord, Who, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_operations, look_pieces
from webapp.history.search_readings import Kind
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification.models import Reuse

NAME, NUMBER = "张三", "11010519491231002X"
OTHER_NAME, OTHER_NUMBER = "李四", "440524188001010014"
SEARCHER = Who(COLLEAGUE.id, COLLEAGUE.name, "192.0.2.9", "r")
SEARCHED = [(Kind.NUMBER, NUMBER), (Kind.BEGINNING, NAME), (Kind.LAST_FOUR, NUMBER[-4:]), (Kind.NUMBER, OTHER_NUMBER),
            (Kind.REFERENCE, "A-17"), (Kind.REFERENCE, NUMBER)]  # fmt: skip
Line = tuple[str, str, str]


@pytest.fixture
def busy(make_app: Callable[..., Flask], sandbox: Sandbox) -> Flask:
    """Two people verified, looked at and searched for."""
    app = make_app()
    Desk(app, ADMIN).record_lot()
    operator = Desk(app, OPERATOR)
    operator.verify(NAME, NUMBER, reference="A-17")
    operator.verify(OTHER_NAME, OTHER_NUMBER)
    Desk(app, AUDITOR).get("/verifications/1")
    Desk(app, AUDITOR).get("/verifications/2")
    with app.app_context(), transaction():
        for kind, value in SEARCHED:
            about = fingerprint(kind, value, this_instance().keys)
            append(SEARCHER, Action.HISTORY_SEARCHED, NOW, subject=about, kind=kind)
    return app


def ask(desk: Desk, **asked: str) -> str:
    """The page about somebody, in English."""
    answer = desk.post("/audit/person", asked, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    return answer.text


def lines(page: str) -> list[Line]:
    """Who, what and with which detail, as the page shows it, newest first."""
    found = []
    for one in re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", page, re.DOTALL):
        cells = re.findall(r"<td.*?</td>", one, re.DOTALL)
        words = [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]
        found.append((words[0], words[1], words[5]))
    return found


def beside(page: str, name: str) -> str:
    """Where newer (`above`) or older (`below`) records are; empty: there are none."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    return found[1] if found else ""


def did(found: list[Line], who: str) -> set[str]:
    return {what for name, what, _detail in found if name == who}


def test_a_reuse_that_has_the_number_of_a_practice_one_has_none_of_its_looks(busy: Flask) -> None:
    with busy.app_context(), transaction():  # what is left of practice data that was cleared
        append(SEARCHER, Action.VERIFICATION_VIEWED, utc_now(), on=("reuse", 1))
        append(SYSTEM, Action.WENT_LIVE, utc_now())
    Desk(busy, OPERATOR).verify(NAME, NUMBER)
    with busy.app_context():
        assert db.session.scalars(select(Reuse.id)).all() == [1]

    assert did(lines(ask(Desk(busy, AUDITOR), id_number=NUMBER)), COLLEAGUE.name) == {"History searched"}
    with busy.app_context(), transaction():
        append(SEARCHER, Action.VERIFICATION_VIEWED, utc_now(), on=("reuse", 1))
    found = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))
    assert did(found, COLLEAGUE.name) == {"History searched", "Verification viewed"}


def test_all_looks_at_a_person_are_shown_and_nobody_else_s(busy: Flask) -> None:
    found = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER, name=NAME))

    assert did(found, OPERATOR.name) == {"Verification sent", "Verification viewed"}
    assert did(found, AUDITOR.name) == {"Verification viewed"}
    assert sorted(detail for name, _what, detail in found if name == COLLEAGUE.name) == [
        "kind beginning", "kind last4", "kind number", "kind reference",
    ]  # fmt: skip


def test_one_person_s_number_shows_nothing_of_the_other(busy: Flask) -> None:
    mine, other = (lines(ask(Desk(busy, AUDITOR), id_number=number)) for number in (NUMBER, OTHER_NUMBER))

    assert [detail for name, _what, detail in other if name == COLLEAGUE.name] == ["kind number"]
    assert len([1 for name, what, _detail in mine if name == AUDITOR.name and what == "Verification viewed"]) == 1


def test_a_name_alone_finds_those_of_this_name(busy: Flask) -> None:
    found = lines(ask(Desk(busy, AUDITOR), name=" 张　三 "))

    assert did(found, OPERATOR.name) == {"Verification sent", "Verification viewed"}
    details = [detail for _name, _what, detail in found]
    assert "kind beginning" in details
    assert details.count("kind number") == 1, "the number that belongs to the name, and no other"


def test_asking_is_recorded_and_seen_by_who_asks_next(busy: Flask) -> None:
    lines(ask(Desk(busy, ADMIN), id_number=NUMBER))

    found = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))

    assert did(found, ADMIN.name) == {"Asked who looked for a person"}
    with busy.app_context():
        kept = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.LOOKS_VIEWED)).all()
        assert [(one.actor_id, one.subject) for one in kept] == [
            (asker.id, fingerprint(Kind.NUMBER, NUMBER, this_instance().keys)) for asker in (ADMIN, AUDITOR)
        ]
        assert NUMBER not in repr([vars(one) for one in kept])


def test_after_erasure_searches_are_found_and_the_page_says_so(busy: Flask) -> None:
    with busy.app_context(), transaction() as session:
        for table in ("receipt_salt", "reuse_reference", "identity_index", "identity"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608

    page = ask(Desk(busy, AUDITOR), id_number=NUMBER)

    assert {name for name, _what, _detail in lines(page)} == {COLLEAGUE.name}
    assert "only searches can be found" in page


def test_whoever_was_never_looked_for_is_said_to_be_so(busy: Flask) -> None:
    assert "Nobody looked" in ask(Desk(busy, AUDITOR), name="王五")


def test_many_looks_come_in_pages_both_ways(busy: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor, person = Desk(busy, AUDITOR), {"id_number": NUMBER, "name": NAME}
    whole = lines(ask(auditor, **person))
    monkeypatch.setattr(look_pieces, "SIZE", 3)
    pages = [page := ask(auditor, **person)]
    while older := beside(page, "below"):
        pages.append(page := ask(auditor, below=older, **person))
    back = ask(auditor, above=beside(page, "above"), **person)

    seen = [line for page in pages for line in lines(page)]
    assert seen[2:] == whole, "behind the two records that the first asking left"
    assert {len(lines(page)) for page in pages[:-1]} == {3}
    assert lines(back) == lines(pages[-2])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_person_is_said_beside_its_field(app: Flask) -> None:
    auditor = Desk(app, AUDITOR)
    for wrong in ({}, {"id_number": "1234"}, {"id_number": "x" * 5000}, {"name": "张\n三"}, {"name": "\0"},
                  {"name": "三" * 101}, {"id_number": "' OR 1=1 --"}):  # fmt: skip
        answer = auditor.post("/audit/person", wrong)
        assert answer.status_code == 422, wrong
    for place in ("x", "7", "0", "-7", "7-0", str(2**63 - 2), str(2**63), "9" * 50, "\0"):
        assert auditor.post("/audit/person", {"name": "王五", "below": place, "above": place}).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(AuditRecord.id).where(AuditRecord.action == Action.LOOKS_VIEWED)) is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_of_before_that_may_hold_the_person_is_shown_as_such(busy: Flask) -> None:
    with busy.app_context(), transaction() as session:
        append(SEARCHER, Action.HISTORY_EXPORTED, NOW.replace(year=2099), format="csv")
        append(SEARCHER, Action.HISTORY_EXPORTED, NOW.replace(year=2001), format="xlsx")
        session.execute(text("UPDATE audit_record SET stamp = NULL WHERE action = 'history_exported'"))
        sealer.seal_as_found(this_instance().keys, NOW)
        append(SEARCHER, Action.HISTORY_EXPORTED, NOW.replace(year=2099), format="of now, of which it is known")

    found = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))

    assert [(" ".join(what.split()), detail) for _name, what, detail in found if "export" in what] == [
        ("History export begun (may hold this person) sealed as found", "format csv")
    ]


def test_a_masked_page_is_a_look_at_those_who_stood_on_it_and_at_nobody_else(busy: Flask) -> None:
    Desk(busy, ADMIN).get("/history?size=1")
    Desk(busy, COLLEAGUE).get("/history")
    mine, other = (lines(ask(Desk(busy, AUDITOR), id_number=number)) for number in (NUMBER, OTHER_NUMBER))

    assert "History viewed" not in did(mine, ADMIN.name)
    assert "History viewed" in did(other, ADMIN.name)
    assert "History viewed" not in did(mine, COLLEAGUE.name) | did(other, COLLEAGUE.name), "nothing stood on it"
    Desk(busy, ADMIN).get("/history")
    assert "History viewed" in did(lines(ask(Desk(busy, AUDITOR), id_number=NUMBER)), ADMIN.name)


def test_a_file_is_a_look_at_exactly_the_people_in_it(busy: Flask) -> None:
    Desk(busy, OPERATOR).verify("王五", OTHER_NUMBER, reuse="no")
    assert "王" in Desk(busy, ADMIN).get("/history/export?format=csv&outcome=mismatch").text

    mine, other = (did(lines(ask(Desk(busy, AUDITOR), id_number=one)), ADMIN.name) for one in (NUMBER, OTHER_NUMBER))

    assert (mine, other) == (set(), {"Rows of a history export"})


def test_a_prepared_file_is_a_look_once_it_is_fetched(busy: Flask) -> None:
    admin = Desk(busy, ADMIN)
    admin.post("/history/export", {"format": "csv"})
    with busy.app_context():
        while export_operations.prepare_piece(this_instance(), utc_now()):
            pass
        db.session.remove()
    before = did(lines(ask(Desk(busy, AUDITOR), id_number=NUMBER)), ADMIN.name)

    assert admin.post("/history/exports/1/fetch").data

    assert did(lines(ask(Desk(busy, AUDITOR), id_number=NUMBER)), ADMIN.name) - before == {"Export fetched"}


def test_asked_by_number_alone_searches_for_the_names_that_belong_to_it_are_found(busy: Flask) -> None:
    Desk(busy, OPERATOR).verify("王五", NUMBER, reuse="no")
    with busy.app_context(), transaction():
        for name in ("王五", "李四"):
            about = fingerprint(Kind.BEGINNING, name, this_instance().keys)
            append(SEARCHER, Action.HISTORY_SEARCHED, NOW, subject=about, kind=Kind.BEGINNING)

    found = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))

    details = [detail for name, _what, detail in found if name == COLLEAGUE.name]
    assert details.count("kind beginning") == 1, "of the name that matched; not of one that was typed by mistake"


def test_who_looked_is_answered_before_and_after_an_erasure_and_for_records_of_before(busy: Flask) -> None:
    admin = Desk(busy, ADMIN)
    admin.post("/history", {"q": NUMBER}, follow_redirects=True)
    assert reveal(admin, 1).status_code == 200
    with busy.app_context(), transaction():  # a page of a search, as it was recorded in one
        about = fingerprint(Kind.NUMBER, NUMBER, this_instance().keys)
        append(SEARCHER, Action.HISTORY_VIEWED, NOW, subject=about, shown=[1], kind=Kind.NUMBER, rows=1)

    before = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))
    person = {"name": NAME, "id_number": NUMBER, "words": "asked for it"}
    erased = admin.post("/rights/erase", person | {"filled": "yes", "confirm": "yes", "password": PASSWORD})
    assert 'data-erased="1"' in erased.text
    after = lines(ask(Desk(busy, AUDITOR), id_number=NUMBER))

    meant = {f"kind number, act {act}" for act in ("history_viewed, found True", "person_revealed")}
    for found in (before, after):
        assert {detail for _name, what, detail in found if what == "Whom an act was about"} == meant
        assert "History searched" in did(found, ADMIN.name)
        assert [one for one in found if one[1] == "History viewed" and "kind" in one[2]] == [
            (COLLEAGUE.name, "History viewed", "kind number, rows 1")
        ]
    assert {"History viewed", "Person revealed"} <= did(before, ADMIN.name)
    assert not {"History viewed", "Person revealed"} & did(after, ADMIN.name)
    with busy.app_context():
        named = select(AuditRecord).where(AuditRecord.subject.is_not(None), AuditRecord.address != SEARCHER.address)
        assert [one for one in db.session.scalars(named) if one.shown is not None or one.object_id is not None] == []
