"""A person's rights: found, handed out, erased; the trail tells that, and never whom it was about."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from werkzeug.test import TestResponse

from tests.receipts.papers import answer_of, paper_of, prove
from tests.receipts.papers import said as words_of
from tests.retention.ages import left, said
from tests.support.cast import ADMIN, AUDITOR, OPERATOR, PASSWORD, Desk, Member, card_of
from tests.verification.calls import UNKNOWN, ask, differences, who
from webapp.audit import subjects
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import Base, db, end_read, transaction
from webapp.foundation.instance import this_instance
from webapp.history import export_fetching, export_operations
from webapp.history.export_fetching import BrokenOff
from webapp.history.export_models import Export, ExportPiece
from webapp.history.saved_models import SavedView
from webapp.history.search_models import StoredSearch
from webapp.history.search_readings import Kind
from webapp.notify.notices import Notice
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import identities, privacy
from webapp.verification.models import IdentityIndex, Verification

ZHANG = {"name": "张三", "id_number": "11010519491231002X"}
LI = {"name": "李四", "id_number": "440524188001010014"}
WHY = "request 2026-17"
FILLED = {"filled": "yes", "words": WHY, "password": PASSWORD, "confirm": "yes"}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def busy(app: Flask, sandbox: Sandbox) -> Flask:
    """Two people verified; the first also under another name, reused, with a receipt, searched and in a saved view."""
    Desk(app, ADMIN).record_lot()
    operator = Desk(app, OPERATOR)
    operator.verify(ZHANG["name"], ZHANG["id_number"], reference="CASE-7")
    operator.verify(ZHANG["name"], ZHANG["id_number"], reference="CASE-8")
    operator.verify(LI["name"], ZHANG["id_number"])
    operator.verify(LI["name"], LI["id_number"])
    return app


def send(
    app: Flask, page: str, fields: dict[str, str] | None = None, *, person: dict[str, str] = ZHANG, by: Member = ADMIN
) -> TestResponse:
    return Desk(app, by).post(page, person | (fields or {}), headers=ENGLISH)


def test_a_person_is_found_by_number_and_what_is_under_another_name_is_told(busy: Flask) -> None:
    paper_of(busy)
    page = send(busy, "/rights")

    assert page.status_code == 200
    assert 'data-found="2"' in page.text
    assert "1 under another name" in words_of(page)
    assert 'data-found="0"' in send(busy, "/rights", person={"name": "王五", "id_number": "100101199003080023"}).text


@pytest.mark.parametrize("request_of", ["", "/export", "/erase", "/hold"])
def test_whoever_learns_what_is_stored_about_a_person_leaves_a_trace(busy: Flask, request_of: str) -> None:
    """Also who posts name and number straight to a request, without having found the person before."""
    page = f"/rights{request_of}"
    unsound = {"filled": "yes", "words": "request 2026-17", "password": "wrong-password-1"}
    for fields in ({}, unsound) if request_of else ({},):
        before = len(said(busy, Action.PERSON_FOUND))
        assert "under another name" in words_of(send(busy, page, fields))
        assert [told for _action, told in said(busy, Action.PERSON_FOUND)][before:] == [
            {"verifications": 2, "found": True}
        ]
    looked = Desk(busy, AUDITOR).post("/audit/person", {"id_number": ZHANG["id_number"]}, headers=ENGLISH)
    assert "Person looked up for a request" in words_of(looked)


@pytest.mark.parametrize("request_of", ["export", "erase"])
def test_learning_that_nothing_is_stored_leaves_a_trace_too(app: Flask, request_of: str) -> None:
    assert send(app, f"/rights/{request_of}", FILLED).status_code == 303
    assert said(app, Action.PERSON_FOUND) == [("person_found", {"verifications": 0, "found": False})]


def test_nothing_of_the_person_stands_in_an_address(busy: Flask) -> None:
    page = send(busy, "/rights").text

    for part in page.split('action="')[1:] + page.split('href="')[1:]:
        assert ZHANG["id_number"] not in part.partition('"')[0]
    assert Desk(busy, ADMIN).get(f"/rights?id_number={ZHANG['id_number']}").status_code == 200
    assert "data-found" not in Desk(busy, ADMIN).get(f"/rights?id_number={ZHANG['id_number']}").text


def test_what_is_no_person_is_said_beside_the_field(app: Flask) -> None:
    admin = Desk(app, ADMIN)
    nobody: list[dict[str, str]] = [{}, {"name": "", "id_number": "123"}, {"name": "\0", "id_number": "9" * 5000}]
    for page in ("/rights", "/rights/export", "/rights/erase", "/rights/hold"):
        for fields in nobody:
            assert admin.post(page, fields).status_code == 422, (page, fields)
            assert admin.post(page, fields | FILLED).status_code == 422, (page, fields)


def test_the_file_holds_everything_of_the_person_and_nothing_of_others(busy: Flask) -> None:
    paper_of(busy)
    answer = send(busy, "/rights/export", FILLED)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert ZHANG["id_number"] not in str(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.text
    for part in (*ZHANG.values(), "CASE-7", "(reference CASE-8)", "The details match", "The details do not match"):
        assert part in page, part
    assert LI["id_number"] not in page
    assert LI["name"] not in page, "who was entered with this number may be somebody else"
    assert [one[0] for one in said(busy, Action.PERSON_EXPORTED)] == [Action.PERSON_EXPORTED]


def test_handing_out_and_erasing_ask_for_reason_and_password(busy: Flask) -> None:
    for page in ("/rights/export", "/rights/erase"):
        opened = send(busy, page)
        assert opened.status_code == 200
        assert "Please correct" not in opened.text
        for missing in ("words", "password"):
            assert send(busy, page, FILLED | {missing: ""}).status_code == 422, missing
        assert send(busy, page, FILLED | {"password": "wrong-password-1"}).status_code == 422
        for names in ("for 张三", f"no. {ZHANG['id_number']}", "张 三"):
            assert send(busy, page, FILLED | {"words": f"because {names}"}).status_code == 422, names
    assert send(busy, "/rights/erase", FILLED | {"confirm": ""}).status_code == 422

    assert left(busy)["identity"] == 3
    assert said(busy, Action.PERSON_EXPORTED, Action.PERSON_ERASED) == []


def test_an_erased_person_is_nowhere_and_facts_and_books_stand(busy: Flask) -> None:
    with busy.app_context():
        facts = db.session.execute(text("SELECT count(*) FROM verification")).scalar()
    page = send(busy, "/rights/erase", FILLED)

    assert 'data-erased="2"' in page.text
    with busy.app_context():
        sealer = this_instance().sealer
        blinds = sealer.indexes("number", ZHANG["id_number"]) + sealer.indexes("reference", "CASE-8")
        assert db.session.scalars(select(IdentityIndex).where(IdentityIndex.blind.in_(blinds))).all() == []
        assert db.session.execute(text("SELECT count(*) FROM verification")).scalar() == facts
    assert left(busy)["identity"] == 1
    assert left(busy)["reuse_reference"] == 0
    assert differences(busy) == []
    assert 'data-found="0"' in send(busy, "/rights").text
    again = Desk(busy, OPERATOR).verify(**ZHANG)
    assert card_of(again.text) == ("match", "yes"), "what was erased is not shown again: a new call is spent"
    for path in ("/verifications/1", "/reuses/1", "/history", "/audit"):
        shown = Desk(busy, ADMIN).get(path)
        assert shown.status_code == 200, path


def test_a_receipt_is_proven_by_its_holder_after_the_erasure(busy: Flask) -> None:
    paper = paper_of(busy)
    reused = paper_of(busy, "/reuses/1")
    send(busy, "/rights/erase", FILLED)

    assert left(busy)["receipt_salt"] == 0
    for one in (paper, reused):
        assert answer_of(prove(Desk(busy, None), one.entered())) == "true"
        assert answer_of(prove(Desk(busy, None), one.entered(name="李四"))) == "not_confirmed"


def test_the_trail_tells_of_the_erasure_and_not_whom(busy: Flask) -> None:
    paper_of(busy)
    send(busy, "/rights")
    send(busy, "/rights/export", FILLED)
    send(busy, "/rights/erase", FILLED)

    with busy.app_context():
        actions = Action.PERSON_FOUND, Action.PERSON_EXPORTED, Action.PERSON_ERASED
        query = select(AuditRecord).where(AuditRecord.action.in_(actions)).order_by(AuditRecord.id)
        found, exported, erased = db.session.scalars(query)
        assert [one.subject for one in (found, exported, erased)] == [None] * 3
        assert (erased.object_id, erased.actor_id, erased.success) == (None, ADMIN.id, True)
        assert erased.detail == {"verifications": 2, "receipts": 1, "views": 0, "exports": 0, "words": WHY}
        prints = [p for kind in Kind for value in ZHANG.values()
                  for p in subjects.fingerprints(kind, value, this_instance().keys)]  # fmt: skip
        assert db.session.scalars(select(AuditRecord).where(AuditRecord.subject.in_(prints))).all() == []


def test_searches_and_saved_views_for_the_person_go_and_others_stay(busy: Flask) -> None:
    desk = Desk(busy, ADMIN)
    for typed in (ZHANG["id_number"], "张三", LI["id_number"]):
        answer = desk.post("/history", {"q": typed})
        assert answer.status_code == 303
        handle = answer.location.rpartition("s=")[2]
        desk.post("/history/views", {"name": f"view of {typed[-4:]}", "s": handle, "shared_with": ""})
    with busy.app_context():
        before = len(db.session.scalars(select(SavedView)).all())

    send(busy, "/rights/erase", FILLED)

    with busy.app_context():
        assert len(db.session.scalars(select(StoredSearch)).all()) == 1
        assert len(db.session.scalars(select(SavedView)).all()) == max(0, before - 2)


def look_for(desk: Desk, text: str) -> str:
    """Searches, keeps it as a view, and returns the query of the page."""
    query = (desk.post("/history", {"q": text}).location or "").partition("?")[2]
    view = {"name": "a view", "s": query.rpartition("=")[2], "shared_with": ""}
    assert desk.post("/history/views", view).status_code == 303
    return query


def stored(app: Flask) -> tuple[int, int]:
    """Searches and views that are kept."""
    with app.app_context():
        return len(db.session.scalars(select(StoredSearch)).all()), len(db.session.scalars(select(SavedView)).all())


def test_where_no_verification_is_left_searches_views_and_exports_for_the_person_go_too(busy: Flask) -> None:
    send(busy, "/rights/erase", FILLED)
    desk = Desk(busy, ADMIN)
    old_card = ZHANG["id_number"][:6] + ZHANG["id_number"][8:17]
    queries = [look_for(desk, text) for text in (ZHANG["id_number"], "张三", old_card, LI["id_number"])]
    for query in (queries[0], queries[3]):
        assert desk.post(f"/history/export?{query}", {"format": "csv"}).status_code == 303
    assert stored(busy) == (4, 4)

    found = send(busy, "/rights")
    erased = send(busy, "/rights/erase", FILLED)

    assert ("/rights/erase" in found.text, "/rights/export" in found.text) == (True, False)
    assert re.findall(r"(Saved views|Searches|Exports not fetched yet) (\d+)", words_of(found)) == [
        ("Saved views", "3"), ("Searches", "3"), ("Exports not fetched yet", "1"),
    ]  # fmt: skip
    assert (erased.status_code, stored(busy), states(busy)) == (200, (1, 1), ["withdrawn", "preparing"])
    assert said(busy, Action.PERSON_ERASED)[-1][1] == {
        "verifications": 0, "receipts": 0, "views": 3, "exports": 1, "words": WHY,
    }  # fmt: skip
    again = send(busy, "/rights/erase", FILLED)
    assert again.status_code == 303, "nothing is stored any more"
    assert len(said(busy, Action.PERSON_ERASED)) == 2


def spoil(app: Flask, table: str) -> None:
    """Changes the last byte of every blob of a table."""
    model = Base.metadata.tables[table]
    with app.app_context(), transaction() as session:
        for blob in session.scalars(select(model.c.sealed)).all():
            spoilt = blob[:-1] + bytes([blob[-1] ^ 1])
            session.execute(update(model).where(model.c.sealed == blob).values(sealed=spoilt))


@pytest.mark.parametrize("table", ["stored_search", "saved_view"])
def test_what_does_not_open_keeps_nobodys_request_from_being_done_and_goes_with_it(busy: Flask, table: str) -> None:
    look_for(Desk(busy, ADMIN), LI["id_number"])
    spoil(busy, table)

    assert "does not open" in Desk(busy, ADMIN).get("/history/views", headers=ENGLISH).text or table != "saved_view"
    assert re.findall(r"(?:Saved views|Searches) (\d+)", words_of(send(busy, "/rights"))) in (["1", "0"], ["0", "1"])
    assert 'data-erased="2"' in send(busy, "/rights/erase", FILLED).text
    assert stored(busy) == ((0, 1) if table == "stored_search" else (1, 0))


def test_a_view_that_does_not_open_can_be_deleted_by_itself(busy: Flask) -> None:
    look_for(Desk(busy, ADMIN), LI["id_number"])
    spoil(busy, "saved_view")

    assert 'action="/history/views/1/delete"' in Desk(busy, ADMIN).get("/history/views").text
    assert Desk(busy, ADMIN).post("/history/views/1/delete").status_code == 303
    assert stored(busy) == (1, 0)


def test_a_person_who_does_not_open_is_said_so_in_the_history_and_can_be_erased(busy: Flask) -> None:
    spoil(busy, "identity")

    assert words_of(Desk(busy, ADMIN).get("/history", headers=ENGLISH)).count("does not open") == 3
    assert Desk(busy, AUDITOR).post("/audit/person", {"id_number": ZHANG["id_number"]}).status_code == 200
    assert 'data-erased="2"' in send(busy, "/rights/erase", FILLED).text


def test_what_auditors_were_told_of_the_person_goes_with_it(busy: Flask) -> None:
    with busy.app_context(), transaction():
        instance = this_instance()
        for name in (ZHANG["name"], LI["name"]):
            privacy.report_limit(name, 3, instance.sealer, instance.settings.zone, utc_now())

    send(busy, "/rights/erase", FILLED)

    with busy.app_context():
        (left_over,) = db.session.scalars(select(Notice.key).where(Notice.kind == "many_numbers")).all()
        assert this_instance().sealer.index("privacy name", LI["name"]).hex() in left_over


def states(app: Flask) -> list[str]:
    with app.app_context():
        return [one.state for one in db.session.scalars(select(Export).order_by(Export.id))]


def prepare(app: Flask) -> None:
    with app.app_context():
        while export_operations.prepare_piece(this_instance(), utc_now()):
            pass
        db.session.remove()


def test_a_file_that_may_hold_the_person_is_destroyed_and_its_page_says_why(busy: Flask) -> None:
    owner = Desk(busy, OPERATOR)
    numbers = [int((owner.post("/history/export", {"format": "csv"}).location or "").rpartition("/")[2])
               for _ in range(3)]  # fmt: skip
    prepare(busy)
    asker = who()
    with busy.app_context():
        export = export_fetching.fetch(numbers[0], asker, this_instance(), utc_now())
        under_way = export_fetching.sent(export, asker, this_instance())
    with busy.app_context(), transaction() as session:
        first = session.scalar(select(func.min(Verification.created_at)))
        assert first is not None
        session.get_one(Export, numbers[1]).asked_at = first - timedelta(seconds=1)  # before anybody was verified

    erased = send(busy, "/rights/erase", FILLED)

    assert states(busy) == ["withdrawn", "ready", "withdrawn"]
    assert "2 exports that were not fetched yet are destroyed" in words_of(erased)
    with busy.app_context(), pytest.raises(BrokenOff):  # what is on its way is not whole, and its reader sees that
        list(under_way)
    with busy.app_context():
        kept = db.session.scalars(select(ExportPiece.export_id).order_by(ExportPiece.export_id)).all()
    assert list(kept) == [numbers[1]]
    assert owner.post(f"/history/exports/{numbers[2]}/fetch").status_code == 303
    assert "A person was erased" in owner.get(f"/history/exports/{numbers[2]}", headers=ENGLISH).text


def test_a_worker_that_overlaps_an_erasure_stores_no_piece_with_the_person(
    busy: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    Desk(busy, OPERATOR).post("/history/export", {"format": "csv"})
    next_piece = export_operations._next_piece

    def overtaken(*given: Any) -> object:
        made = next_piece(*given)
        monkeypatch.setattr(export_operations, "_next_piece", next_piece)
        end_read()
        assert send(busy, "/rights/erase", FILLED).status_code == 200
        return made

    monkeypatch.setattr(export_operations, "_next_piece", overtaken)
    prepare(busy)

    assert states(busy) == ["withdrawn"]
    with busy.app_context():
        assert db.session.scalars(select(ExportPiece)).all() == []


def test_an_export_that_is_begun_while_somebody_is_erased_does_not_hold_them(
    busy: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for and prepared after the erasure looked for open exports, and before it ends."""
    destroy, begun = identities.destroy, threading.Thread(target=lambda: begin_export(busy))

    def overlapped(ids: Collection[int]) -> None:
        destroy(ids)
        begun.start()
        begun.join(1)

    monkeypatch.setattr(identities, "destroy", overlapped)
    assert 'data-erased="2"' in send(busy, "/rights/erase", FILLED).text
    begun.join(30)

    prepare(busy)
    assert states(busy) == ["ready"]
    with busy.app_context():
        (number,) = db.session.scalars(select(ExportPiece.number)).all()
        lines = export_fetching.piece(1, number, this_instance()).decode().splitlines()
    assert len([line for line in lines if "张" in line]) == 0
    assert len([line for line in lines if "李" in line]) == 1


def begin_export(app: Flask) -> None:
    Desk(app, OPERATOR).post("/history/export", {"format": "csv"})
    prepare(app)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_erasures_at_once_wait_for_each_other_and_none_is_lost(
    busy: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are to change exports: neither may hold what the other waits for."""
    Desk(busy, OPERATOR).post("/history/export", {"format": "csv"})
    lock, together = identities.lock, threading.Barrier(2)

    def both(ids: Collection[int]) -> set[int]:
        with suppress(threading.BrokenBarrierError):
            together.wait(1)
        return lock(ids)

    monkeypatch.setattr(identities, "lock", both)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda person: send(busy, "/rights/erase", FILLED, person=person), (ZHANG, LI)))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert left(busy)["identity"] == 0


def test_a_hold_refuses_erasure_until_it_is_lifted_and_both_are_recorded(busy: Flask) -> None:
    assert send(busy, "/rights/hold", FILLED | {"words": "case 2026-9"}).status_code == 303
    refused = send(busy, "/rights/erase", FILLED)

    assert refused.status_code == 409
    assert "legal hold" in words_of(refused)
    assert left(busy)["identity"] == 3
    assert Desk(busy, ADMIN).post("/retention/holds/1/lift", {"words": ""}).status_code == 422
    assert Desk(busy, ADMIN).post("/retention/holds/1/lift", {"words": "case closed"}).status_code == 303
    assert Desk(busy, ADMIN).get("/retention/holds/1/lift").status_code == 404
    assert send(busy, "/rights/erase", FILLED).status_code == 200
    acts = said(busy, Action.HOLD_PLACED, Action.PERSON_ERASED, Action.HOLD_LIFTED)
    assert [one[0] for one in acts] == ["hold_placed", "person_erased", "hold_lifted", "person_erased"]
    assert acts[1][1] == {"fault": "held"}
    with busy.app_context():
        assert db.session.execute(text("SELECT sealed FROM legal_hold")).scalar() is None, "nobody is named any more"


def test_a_hold_of_one_verification_holds_its_person(busy: Flask) -> None:
    assert Desk(busy, ADMIN).post("/retention/holds", {"verification": "2", "words": "case 11"}).status_code == 303
    assert send(busy, "/rights/erase", FILLED).status_code == 409
    assert send(busy, "/rights/erase", FILLED, person=LI).status_code == 200


def kept_reasons(app: Flask) -> str:
    """All that is kept in the clear of why holds were placed and lifted."""
    with app.app_context():
        rows = db.session.execute(text("SELECT reason, lift_reason FROM legal_hold")).all()
    return f"{rows} {said(app, Action.HOLD_PLACED, Action.HOLD_LIFTED)}"


@pytest.mark.parametrize("named", ["张三", "张 三", "李四", ZHANG["id_number"], "11010519491231002x"])
def test_no_reason_of_a_hold_names_who_is_held_and_trying_is_recorded(busy: Flask, named: str) -> None:
    """What is kept in the clear outlives the erasure; 李四 is the other name that was entered with the number."""
    admin, words = Desk(busy, ADMIN), {"words": f"case of {named}"}
    verification = "3" if named == "李四" else "1"
    for _ in range(2):
        answer = admin.post("/retention/holds", {"verification": verification} | words, headers=ENGLISH)
        assert (answer.status_code, "Leave names and numbers" in answer.text) == (422, True)
    assert send(busy, "/rights/hold", FILLED | words).status_code == 422
    assert kept_reasons(busy).startswith("[] ")
    digits = named[:14].isdigit()
    by_form = 0 if digits else 3 if named == "李四" else 2
    assert kept_reasons(busy).count("names_someone") == by_form, "the form refuses what looks like a number by itself"

    assert admin.post("/retention/holds", {"verification": verification, "words": "case 11"}).status_code == 303
    assert send(busy, "/rights/hold", FILLED | {"words": "case 12"}).status_code == 303
    for hold in (1, 2):
        answer = admin.post(f"/retention/holds/{hold}/lift", words, headers=ENGLISH)
        assert (answer.status_code, "Leave names and numbers" in answer.text) == (422, True)
    assert kept_reasons(busy).count("names_someone") == by_form + (0 if digits else 2)
    for hold in (1, 2):
        assert admin.post(f"/retention/holds/{hold}/lift", {"words": "case closed"}).status_code == 303
    assert named not in kept_reasons(busy)


def test_a_hold_needs_a_verification_whose_person_is_there(app: Flask) -> None:
    admin = Desk(app, ADMIN)
    for number in ("", "0", "-1", "99", "9" * 30, "1e3", "x"):
        answer = admin.post("/retention/holds", {"verification": number, "words": "case 11"}, headers=ENGLISH)
        assert (answer.status_code, "field-error" in answer.text) == (422, True), number


def test_a_call_that_is_not_settled_stays_and_the_page_says_so(busy: Flask) -> None:
    ask(busy, (ZHANG["name"], ZHANG["id_number"]), lambda *_asked: UNKNOWN)  # spends a call: no reuse is asked for

    page = send(busy, "/rights/erase", FILLED)

    assert "1 verification is not settled and stays" in words_of(page)
    assert "nowhere" not in words_of(page)
    assert left(busy)["identity"] == 2


def test_the_pages_say_what_is_recorded_of_a_look_and_what_an_erasure_does_not_reach(busy: Flask) -> None:
    assert "recorded on the person's newest verification" in words_of(send(busy, "/rights"))
    for page in (send(busy, "/rights/erase"), send(busy, "/rights/erase", FILLED)):
        for what in ("Marks of earlier searches", "Backups and other copies", "Files that were taken away"):
            assert what in words_of(page)


def test_only_admins_do_any_of_it(busy: Flask) -> None:
    for member in (OPERATOR, AUDITOR):
        for page in ("/rights", "/rights/export", "/rights/erase", "/rights/hold"):
            assert send(busy, page, FILLED, by=member).status_code == 403, page
    assert left(busy)["identity"] == 3


def test_an_erasure_is_done_in_batches_and_ends(busy: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.retention.rights.CHUNK", 1)

    assert 'data-erased="2"' in send(busy, "/rights/erase", FILLED).text
    assert len(said(busy, Action.PERSON_ERASED)) == 2
