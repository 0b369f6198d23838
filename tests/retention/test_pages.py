"""The page of retention: what is kept for how long, what goes next, by role; changing it needs a second look."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.receipts.papers import said as words_of
from tests.retention.ages import DAY, ask_then, identities, night, said
from tests.support.cast import ADMIN, AUDITOR, NOW, OPERATOR, Desk, attribute
from tests.verification.calls import buy, somebody, who
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.foundation.instance import this_instance
from webapp.retention import holds, overview, periods
from webapp.retention.columns import COLUMNS
from webapp.retention.holds import Subject
from webapp.retention.overview import Going
from webapp.retention.rules import Kind

MakeApp = Callable[..., Flask]
ENGLISH = {"Accept-Language": "en"}
CHINESE = {"Accept-Language": "zh-CN"}


def line(page: str, kind: str) -> str:
    """The row of one class."""
    found = re.search(rf'<tr data-class="{kind}".*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def days(app: Flask, kind: Kind) -> int:
    with app.app_context():
        return periods.period(kind, this_instance()).days


def test_readers_see_what_goes_when_and_only_admins_change_it(app: Flask) -> None:
    for member in (ADMIN, AUDITOR):
        page = Desk(app, member).get("/retention", headers=ENGLISH)
        assert page.status_code == 200
        found = {kind: attribute(line(page.text, kind), "data-days") for kind in Kind}
        assert found == {"identity": "1096", "facts": "0", "outbox": "365", "views": "365", "audit": "1096"}
        assert ("/retention/classes/identity" in page.text) is (member is ADMIN)
    assert Desk(app, OPERATOR).get("/retention").status_code == 403
    assert Desk(app, AUDITOR).post("/retention/classes/identity", {"days": "7"}).status_code == 403
    assert Desk(app, AUDITOR).post("/retention/holds", {"verification": "1", "words": "why so"}).status_code == 403


def test_the_next_to_go_is_counted_and_dated(make_app: MakeApp) -> None:
    app = make_app(KEEP_IDENTITY="30")
    buy(app, 10)
    for n, ago in enumerate((31, 31, 29, 10, 1)):
        ask_then(app, somebody(n), ago * DAY)

    with app.app_context():
        state = overview.classes(this_instance(), NOW)[0]

    assert (state.tonight, state.within_month) == (Going(2, more=False), Going(5, more=False))
    assert (state.oldest, str(state.next_on)) == (NOW - 31 * DAY, "2026-11-03")
    night(app, NOW.replace(day=3))
    with app.app_context():
        state = overview.classes(this_instance(), NOW.replace(day=3))[0]
    assert (state.tonight.rows, str(state.next_on)) == (1, "2026-11-04")
    assert state.effect is not None
    assert state.effect.removed == 2


def test_what_a_wrong_clock_dated_too_early_makes_no_young_ones_go(make_app: MakeApp) -> None:
    app = make_app(KEEP_IDENTITY="30")
    buy(app, 10)
    for n, ago in enumerate((31, 1, 1, 20)):
        ask_then(app, somebody(n), ago * DAY)

    with app.app_context():
        assert overview.classes(this_instance(), NOW)[0].tonight == Going(1, more=False)
    night(app, NOW.replace(hour=19))
    assert identities(app) == [2, 3, 4]


def test_many_are_counted_up_to_a_bound(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST", 2)
    app = make_app(KEEP_IDENTITY="7")
    for n in range(4):
        ask_then(app, somebody(n), NOW - utc_now() + 90 * DAY)

    assert "2 or more" in words_of(Desk(app, ADMIN).get("/retention", headers=ENGLISH))


def test_keeping_longer_is_done_at_once_and_recorded(app: Flask) -> None:
    assert Desk(app, ADMIN).post("/retention/classes/audit", {"days": "2000"}).status_code == 303

    assert days(app, Kind.AUDIT) == 2000
    assert said(app, Action.SETTING_CHANGED)[-1][1] == {"setting": "YULIANG_KEEP_AUDIT", "days": 2000, "before": 1096}


def test_keeping_shorter_shows_first_how_much_goes(app: Flask) -> None:
    for n in range(3):
        ask_then(app, somebody(n), NOW - utc_now() + 60 * DAY)
    desk = Desk(app, ADMIN)

    looked = desk.post("/retention/classes/identity", {"days": "30"}, headers=ENGLISH)

    assert looked.status_code == 200
    assert "3 rows go in the next night" in words_of(looked)
    assert days(app, Kind.IDENTITY) == 1096
    assert desk.post("/retention/classes/identity", {"days": "30", "confirm": "yes"}).status_code == 303
    assert days(app, Kind.IDENTITY) == 30


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("identity", "6"), ("identity", "0"), ("audit", "183"), ("audit", "0"), ("outbox", "29"), ("facts", "1095"),
     ("identity", "36501"), ("audit", "-184"), ("identity", ""), ("identity", "1e3"), ("facts", "x"),
     ("identity", "9" * 40)],
)  # fmt: skip
def test_nothing_is_kept_shorter_than_it_must_be(app: Flask, kind: str, wrong: str) -> None:
    before = days(app, Kind(kind))
    answer = Desk(app, ADMIN).post(f"/retention/classes/{kind}", {"days": wrong, "confirm": "yes"}, headers=ENGLISH)

    assert answer.status_code == 422
    assert days(app, Kind(kind)) == before


def test_what_lives_shortly_stands_with_its_longest_life(app: Flask) -> None:
    rows = re.findall(r"<tr>.*?</tr>", Desk(app, ADMIN).get("/retention", headers=ENGLISH).text, re.DOTALL)
    ends = {name: next(row for row in rows if name in row) for name in ("Exports prepared", "Forms that")}

    assert "goes by itself" in ends["Exports prepared"]
    for name, column in (("Exports prepared", "export.sealed_order"), ("Forms that", "spent_form.content")):
        longest = COLUMNS[column].after
        assert isinstance(longest, timedelta)
        assert f"up to {longest.days} days" in ends[name]


def test_an_unknown_class_is_no_page(app: Flask) -> None:
    assert Desk(app, ADMIN).get("/retention/everything").status_code == 404
    assert Desk(app, ADMIN).post("/retention/everything", {"days": "7"}).status_code == 404


def test_what_the_environment_fixes_is_not_changed_here(make_app: MakeApp) -> None:
    app = make_app(KEEP_IDENTITY="30")
    answer = Desk(app, ADMIN).post("/retention/classes/identity", {"days": "60"}, headers=ENGLISH)

    assert answer.status_code == 409
    assert days(app, Kind.IDENTITY) == 30


def test_holds_are_listed_masked_and_lifted_ones_name_nobody(app: Flask) -> None:
    buy(app, 10)
    first = ask_then(app, somebody(1), DAY)
    with app.app_context():
        holds.hold_verification(first, "case 7", who(ADMIN), this_instance(), NOW)
        gone = holds.hold_person(Subject("张三", "11010519491231002X"), "case 8", who(ADMIN), this_instance(), NOW)
        holds.hold_person(Subject("李四", "440524188001010014"), "case 9", who(ADMIN), this_instance(), NOW)
        assert holds.lift(gone, "case 8 is over", who(ADMIN), this_instance(), NOW)
        assert not holds.lift(gone, "once more", who(ADMIN), this_instance(), NOW)
        assert holds.standing() == 2

    page = words_of(Desk(app, AUDITOR).get("/retention", headers=ENGLISH))

    assert "case 7" in page
    assert "李* 4****************4" in page
    assert "440524188001010014" not in page
    assert "张" not in page
    assert "case 8 is over" in page


@pytest.mark.parametrize(("language", "words"), [(ENGLISH, "Record of processing"), (CHINESE, "个人信息处理")])
def test_the_record_of_processing_is_a_file_in_the_reader_s_language(
    app: Flask, language: dict[str, str], words: str
) -> None:
    buy(app, 10)
    ask_then(app, somebody(1), NOW - utc_now() + DAY)
    answer = Desk(app, AUDITOR).post("/retention/processing-record", headers=language)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert words in answer.text
    assert "56" in answer.text
    assert said(app, Action.PROCESSING_EXPORTED) == [(Action.PROCESSING_EXPORTED, {})]
    assert somebody(1)[1] not in answer.text


def test_the_pages_speak_both_languages(app: Flask) -> None:
    for page in ("/retention", "/retention/classes/identity", "/rights"):
        english, chinese = (Desk(app, ADMIN).get(page, headers=one).text for one in (ENGLISH, CHINESE))
        assert re.findall(r"<h1>(.*?)</h1>", english) != re.findall(r"<h1>(.*?)</h1>", chinese), page


def test_whoever_sees_the_held_people_leaves_a_trace_that_leads_to_each(app: Flask) -> None:
    buy(app, 10)
    ask_then(app, somebody(1), DAY)
    ask_then(app, somebody(2), DAY)
    admin, auditor = Desk(app, ADMIN), Desk(app, AUDITOR)
    admin.post("/retention/holds", {"verification": "2", "words": "case 2026-17"})
    assert (admin.get("/retention").status_code, said(app, Action.HOLDS_VIEWED)) == (200, []), "it names nobody"
    with app.app_context():
        held = [Subject(*somebody(n)) for n in (1, 3)]
        places = [holds.hold_person(one, "case 2026-18", who(ADMIN), this_instance(), utc_now()) for one in held]

    assert auditor.get("/retention").status_code == 200
    assert admin.get(f"/retention/holds/{places[1]}/lift").status_code == 200

    with app.app_context():
        views = select(AuditRecord).where(AuditRecord.action == Action.HOLDS_VIEWED).order_by(AuditRecord.id)
        assert [(one.actor_id, one.detail["holds"]) for one in db.session.scalars(views)] == [
            (AUDITOR.id, 2), (ADMIN.id, 1),
        ]  # fmt: skip
    seen = [admin.post("/audit/person", {"id_number": one.number}, headers=ENGLISH).text for one in
            (held[0], Subject(*somebody(2)))]  # fmt: skip
    assert [page.count("Held people viewed") for page in seen] == [1, 0]
