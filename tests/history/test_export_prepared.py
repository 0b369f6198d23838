"""Exports that are prepared in the background: approved by a second one in plaintext, sealed, whole though a worker
dies, fetched once, destroyed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk, Member
from tests.support.faults import fault_beside
from webapp.accounts.models import Role, User
from webapp.audit.showing import pack
from webapp.audit.trail import LISTED, Action, AuditRecord, Who, append
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.sealing import CannotOpen
from webapp.history import export_fetching, export_operations, totals
from webapp.history.export_fetching import BrokenOff, NotThere
from webapp.history.export_models import Export, ExportPiece
from webapp.history.export_operations import DESTROYED_AT_ONCE, MOST_OPEN, STILL
from webapp.history.export_order import Order
from webapp.history.filters import Filters
from webapp.notify.notices import Notice
from webapp.verification.identities import Person

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PERSON = Person("欧阳演练", "11010519491231002X", "=7788", "演练省", "演练市", "演练县", "19491231", "F", "76")
PLAIN = {"plain": "yes", "format": "csv", "reason": "authority", "words": "letter 17/2026", "password": PASSWORD}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def many(app: Flask) -> list[int]:
    """Seven verifications of the operator, the newest last."""
    with app.app_context(), transaction():
        return store(*[NOW + timedelta(minutes=n) for n in range(7)], person=PERSON)


def ask(desk: Desk, query: str = "", **fields: str) -> int:
    """Asks for an export; returns its number."""
    answer = desk.post(f"/history/export?{query}", {"format": "csv"} | fields, headers=ENGLISH)
    assert answer.status_code == 303
    found = re.fullmatch(r"/history/exports/(\d+)", answer.location or "")
    assert found, answer.location
    return int(found[1])


def approve(desk: Desk, number: int, decision: str = "approve", **fields: str) -> TestResponse:
    fields = {"confirm": "yes"} | fields
    return desk.post(f"/history/exports/{number}/decide", {"decision": decision, "password": PASSWORD} | fields,
                     follow_redirects=True, headers=ENGLISH)  # fmt: skip


def work(app: Flask, rounds: int = 100) -> int:
    """The worker's job, until there is nothing to prepare; returns how many pieces it made."""
    with app.app_context():
        made = 0
        while made < rounds and export_operations.prepare_piece(this_instance(), utc_now()):
            made += 1
        db.session.remove()
        return made


def fetch(desk: Desk, number: int) -> TestResponse:
    return desk.post(f"/history/exports/{number}/fetch")


def rows_of(answer: TestResponse) -> list[list[str]]:
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def state(app: Flask, number: int) -> str:
    with app.app_context():
        return db.session.get_one(Export, number).state


def pieces(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(ExportPiece)) or 0


def trail(app: Flask, number: int) -> list[tuple[int | None, str]]:
    with app.app_context():
        query = select(AuditRecord).where(AuditRecord.object_type == "export", AuditRecord.object_id == number)
        return [(record.actor_id, record.action) for record in db.session.scalars(query.order_by(AuditRecord.id))]


def test_plaintext_goes_to_whom_it_was_approved_once_with_its_mark(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), "outcome=match", **PLAIN)
    assert (state(app, number), work(app)) == ("asked", 0)
    approve(desk(AUDITOR), number)
    assert work(app) == 1

    mark, heading, *rows = rows_of(fetch(desk(ADMIN), number))

    for told in (f"export {number}", ADMIN.name, AUDITOR.name, "Asia/Shanghai", "Demand of an authority", "letter 17"):
        assert told in mark[0]
    assert heading[-5:] == ["Name", "ID number", "Reference", "Province", "City"]
    assert [int(row[0]) for row in rows] == many[::-1]
    assert {tuple(row[-5:]) for row in rows} == {("欧阳演练", "11010519491231002X", "'=7788", "演练省", "演练市")}
    assert trail(app, number) == [(ADMIN.id, "export_asked"), (AUDITOR.id, "export_approved"), (None, "export_rows"),
                                  (ADMIN.id, "export_fetched"), (ADMIN.id, "export_sent"),
                                  (None, "export_destroyed")]  # fmt: skip
    again = fetch(desk(ADMIN), number)
    assert (again.status_code, PERSON.name in again.text) == (303, False)


def test_the_request_the_decision_and_the_fetching_are_recorded_with_reason_and_count(
    app: Flask, desk: Open, many: list[int]
) -> None:
    number = ask(desk(ADMIN), "outcome=match&from=2026-11-02", **PLAIN)
    approve(desk(AUDITOR), number)
    work(app)
    rows_of(fetch(desk(ADMIN), number))

    with app.app_context():
        details = [one.detail for one in db.session.scalars(
            select(AuditRecord).where(AuditRecord.object_type == "export").order_by(AuditRecord.id))]  # fmt: skip
    assert details == [
        {"format": "csv", "plain": True, "filters": "outcome=match from=2026-11-02", "reason": "authority",
         "words": "letter 17/2026"}, {"rows": 7, "more": False}, {"rows": 7, LISTED: pack(many)},
        {"rows": 7, "plain": True}, {"rows": 7}, {},
    ]  # fmt: skip


def test_who_asks_and_who_approves_are_told_how_many_it_holds(app: Flask, desk: Open, many: list[int]) -> None:
    admin, auditor = desk(ADMIN), desk(AUDITOR)
    assert 'data-size="7"' in admin.get("/history/export?outcome=match").text

    number = ask(admin, "outcome=match", **PLAIN)

    assert (
        f"Export {number} in plaintext waits for a second approver: 7 verifications."
        in auditor.get("/", headers=ENGLISH).text
    )
    page = auditor.get(f"/history/exports/{number}").text
    assert "<dd data-size>7</dd>" in page
    assert 'name="confirm"' not in page
    approve(auditor, number, confirm="")
    assert state(app, number) == "preparing"


def test_very_many_are_looked_at_up_to_a_bound_and_take_a_tick(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.history.export_size.MANY", 5)
    admin, auditor = desk(ADMIN), desk(AUDITOR)
    handle = (admin.post("/history", {"q": PERSON.name}).location or "").partition("?")[2]
    number = ask(admin, handle, **PLAIN)
    page = auditor.get(f"/history/exports/{number}").text
    assert "<dd data-size>≥ 6</dd>" in page
    assert 'name="confirm"' in page
    assert "≥ 6 verifications." in auditor.get("/", headers=ENGLISH).text

    refused = approve(auditor, number, confirm="")

    assert (refused.status_code, state(app, number), bool(fault_beside(refused.text, "confirm"))) == (
        422,
        "asked",
        True,
    )
    approve(auditor, number)
    assert state(app, number) == "preparing"
    with app.app_context():
        [told] = db.session.scalars(select(AuditRecord.detail).where(AuditRecord.action == Action.EXPORT_APPROVED))
    assert told == {"rows": 6, "more": True}


@on_one_database
def test_a_file_of_everything_takes_a_tick_to_approve_and_none_to_decline(
    app: Flask, desk: Open, many: list[int]
) -> None:
    first, second = ask(desk(ADMIN), **PLAIN), ask(desk(ADMIN), **PLAIN)
    auditor = desk(AUDITOR)

    assert approve(auditor, first, confirm="").status_code == 422
    assert approve(auditor, second, "decline", confirm="").status_code == 200

    assert (state(app, first), state(app, second)) == ("asked", "declined")


def test_an_approver_whose_account_the_asker_made_lately_is_told_and_it_is_recorded(
    app: Flask, desk: Open, many: list[int]
) -> None:
    admin = desk(ADMIN)
    with app.app_context(), transaction():
        append(Who(ADMIN.id, ADMIN.name), Action.USER_CREATED, utc_now(), on=("user", AUDITOR.id))
        append(Who(AUDITOR.id, AUDITOR.name), Action.USER_CHANGED, utc_now(), on=("user", ADMIN.id), success=False)
        append(Who(AUDITOR.id, AUDITOR.name), Action.USER_CREATED, utc_now() - timedelta(days=2), on=("user", ADMIN.id))
    numbers = ask(admin, "outcome=match", **PLAIN), ask(desk(AUDITOR), "outcome=match", **PLAIN)
    told = "made or changed your account"

    pages = [desk(member).get(f"/history/exports/{number}", headers=ENGLISH).text
             for member, number in ((AUDITOR, numbers[0]), (ADMIN, numbers[1]), (ADMIN, numbers[0]))]  # fmt: skip
    approve(desk(AUDITOR), numbers[0])
    approve(admin, numbers[1])

    assert [told in page for page in pages] == [True, False, False]
    with app.app_context():
        approved = select(AuditRecord.detail).where(AuditRecord.action == Action.EXPORT_APPROVED)
        details = db.session.scalars(approved.order_by(AuditRecord.id)).all()
    assert [one.get("account_by_asker") for one in details] == [True, None]


@on_one_database
def test_nobody_approves_their_own(app: Flask, desk: Open, many: list[int]) -> None:
    admin = desk(ADMIN)
    number = ask(admin, **PLAIN)
    assert 'name="decision"' not in admin.get(f"/history/exports/{number}").text

    page = approve(admin, number)

    assert "Nobody approves what they asked for themselves" in page.text
    assert (state(app, number), work(app)) == ("asked", 0)


@on_one_database
def test_an_operator_neither_asks_for_plaintext_nor_approves_it_nor_sees_it(
    app: Flask, desk: Open, many: list[int]
) -> None:
    assert desk(OPERATOR).post("/history/export", PLAIN).status_code == 403
    number = ask(desk(AUDITOR), **PLAIN)

    for member in (OPERATOR, COLLEAGUE):
        assert desk(member).get(f"/history/exports/{number}").status_code == 404
        assert approve(desk(member), number).status_code == 403
        assert f'data-export="{number}"' not in desk(member).get("/history/exports").text
    assert state(app, number) == "asked"


@on_one_database
def test_a_second_approver_proves_who_they_are(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), **PLAIN)
    auditor = desk(AUDITOR)

    for fields in ({"decision": "approve"}, {"decision": "approve", "password": "wrong"}, {"password": PASSWORD},
                   {"decision": "maybe", "password": PASSWORD}):  # fmt: skip
        assert auditor.post(f"/history/exports/{number}/decide", fields).status_code == 422, fields
    assert state(app, number) == "asked"


@on_one_database
def test_asking_for_plaintext_needs_a_sound_reason_and_the_password(app: Flask, desk: Open, many: list[int]) -> None:
    for name, value in (("reason", ""), ("words", ""), ("words", "110105194912310021 please"), ("password", "wrong"),
                        ("password", ""), ("format", "pdf")):  # fmt: skip
        answer = desk(ADMIN).post("/history/export", PLAIN | {name: value})
        assert (answer.status_code, bool(fault_beside(answer.text, name))) == (422, True), name
    assert desk(ADMIN).post("/history/export?outcome=nothing", PLAIN).status_code == 422
    with app.app_context():
        assert db.session.query(Export).count() == 0


@on_one_database
def test_what_was_declined_or_decided_before_stays_so(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), **PLAIN)
    approve(desk(AUDITOR), number, "decline")

    page = approve(desk(AUDITOR), number)

    assert "does not wait for a decision any more" in page.text
    assert (state(app, number), work(app)) == ("declined", 0)
    assert trail(app, number)[1:] == [(AUDITOR.id, "export_declined")]


@on_one_database
def test_approvers_are_told_until_it_is_decided(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), **PLAIN)
    told = f"Export {number} in plaintext waits"
    assert told in desk(AUDITOR).get("/", headers=ENGLISH).text
    assert told not in desk(OPERATOR).get("/", headers=ENGLISH).text
    assert told not in desk(ADMIN).get("/", headers=ENGLISH).text, "nobody is asked to approve their own"

    approve(desk(AUDITOR), number)

    with app.app_context():
        assert db.session.query(Notice).where(Notice.kind == "export_asked").count() == 0


def test_an_operator_has_a_masked_file_of_their_own_prepared(app: Flask, desk: Open, many: list[int]) -> None:
    with app.app_context(), transaction():
        store(NOW, person=PERSON, operator_id=COLLEAGUE.id)
    operator = desk(OPERATOR)
    number = ask(operator)
    assert (state(app, number), work(app), state(app, number)) == ("preparing", 1, "ready")

    _heading, *rows = rows_of(fetch(operator, number))

    assert [int(row[0]) for row in rows] == many[::-1]
    assert {row[-2] for row in rows} == {"欧***"}


@on_one_database
def test_a_file_is_only_its_owners(app: Flask, desk: Open, many: list[int]) -> None:
    masked, plain = ask(desk(OPERATOR)), ask(desk(ADMIN), **PLAIN)
    approve(desk(AUDITOR), plain)
    work(app)

    for member, number in ((COLLEAGUE, masked), (ADMIN, masked), (AUDITOR, plain), (OPERATOR, plain)):
        answer = fetch(desk(member), number)
        assert (answer.status_code, "Content-Disposition" in answer.headers) == (303, False), member.email
    assert desk(ADMIN).get(f"/history/exports/{masked}").status_code == 404
    assert (state(app, masked), state(app, plain)) == ("ready", "ready")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_whoever_prepares_may_be_killed_after_any_piece(
    app: Flask, desk: Open, many: list[int], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_operations, "PIECE_ROWS", 2)
    operator = desk(OPERATOR)
    number = ask(operator, format=kind)
    made = 0
    while work(app, rounds=1):  # each round another worker, which knows nothing but the database
        made += 1
        if state(app, number) == "preparing":
            assert fetch(operator, number).status_code == 303, "no half file"

    assert made == 4
    answer = fetch(operator, number)
    if kind == "csv":
        rows = rows_of(answer)
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0)
        rows = [[*map(str, row)] for row in sheet.to_python()]
    assert [row[0] for row in rows[1:]] == [str(row) for row in many[::-1]]


@on_one_database
def test_of_two_who_prepare_the_same_piece_one_stores_it(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_operations, "PIECE_ROWS", 3)
    number = ask(desk(OPERATOR))
    next_piece = export_operations._next_piece

    def overtaken(*given: object) -> object:
        prepared = next_piece(*given)  # type: ignore[arg-type]
        monkeypatch.setattr(export_operations, "_next_piece", next_piece)
        work(app, rounds=1)
        return prepared

    monkeypatch.setattr(export_operations, "_next_piece", overtaken)
    work(app)

    assert [int(row[0]) for row in rows_of(fetch(desk(OPERATOR), number))[1:]] == many[::-1]


@on_one_database
@pytest.mark.parametrize(
    ("counted", "shown"),
    [(7, '3 of 7 <progress value="3" max="7"'), (2, "3 so far<"), (None, "3 so far<")],
    ids=["counted", "the counters lag behind", "the counters do not know"],
)
def test_progress_is_shown_while_it_is_prepared(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch, counted: int | None, shown: str
) -> None:
    monkeypatch.setattr(totals, "total", lambda *_: counted)
    monkeypatch.setattr(export_operations, "PIECE_ROWS", 3)
    operator = desk(OPERATOR)
    number = ask(operator)
    work(app, rounds=1)

    page = operator.get(f"/history/exports/{number}", headers=ENGLISH).text

    assert 'data-refresh="2"' in page
    assert f"data-progress>{shown}" in page


def test_what_is_verified_after_it_was_asked_for_is_not_in_the_file(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(OPERATOR))
    with app.app_context(), transaction():
        store(utc_now() + timedelta(seconds=5), person=PERSON)
    work(app)

    assert [int(row[0]) for row in rows_of(fetch(desk(OPERATOR), number))[1:]] == many[::-1]


@on_one_database
def test_nothing_of_it_lies_in_the_database_in_the_clear(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), **PLAIN)
    approve(desk(AUDITOR), number)
    work(app)

    with app.app_context():
        files = list(this_instance().settings.instance.rglob("*"))
    whole = b"".join(path.read_bytes() for path in files if path.is_file())
    assert len(whole) > 100_000
    for secret in (PERSON.name, PERSON.number, PERSON.city):
        assert secret.encode() not in whole


@on_one_database
def test_a_piece_opens_only_where_it_belongs(app: Flask, desk: Open, many: list[int]) -> None:
    one, other = ask(desk(OPERATOR)), ask(desk(COLLEAGUE))
    work(app)
    with app.app_context():
        instance = this_instance()
        assert export_fetching.piece(one, 0, instance)
        with transaction() as session:
            moved = select(ExportPiece.sealed).where(ExportPiece.export_id == one).scalar_subquery()
            session.execute(update(ExportPiece).where(ExportPiece.export_id == other).values(sealed=moved))
        for export_id, number in ((other, 0), (one, 1)):
            with pytest.raises(CannotOpen):
                export_fetching.piece(export_id, number, instance)


def age(app: Flask, number: int, **by: int) -> None:
    """Lets time pass for an export."""
    with app.app_context(), transaction() as session:
        row = session.get_one(Export, number)
        row.ends_at -= timedelta(**by)


def destroy(app: Flask) -> int:
    """The job, until nothing is left to do; returns how often it did something."""
    with app.app_context():
        done = 0
        while done < 20 and export_operations.destroy_expired(utc_now()):
            done += 1
        db.session.remove()
        return done


def test_a_file_that_nobody_fetches_within_a_day_is_destroyed(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(OPERATOR))
    work(app)
    age(app, number, hours=23)
    assert (destroy(app), pieces(app)) == (0, 1)
    age(app, number, hours=1)

    assert fetch(desk(OPERATOR), number).status_code == 303
    assert (destroy(app), pieces(app), state(app, number)) == (1, 0, "expired")
    assert trail(app, number)[-1] == (None, "export_destroyed")


def begin_to_fetch(desk: Desk, number: int) -> TestResponse:
    """The answer, of which nothing was read yet."""
    answer = desk.client.post(f"/history/exports/{number}/fetch", data={"csrf_token": desk.token()}, buffered=False)
    assert answer.status_code == 200
    return answer


def in_pieces(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> int:
    """A prepared file of four pieces."""
    monkeypatch.setattr(export_operations, "PIECE_ROWS", 2)
    number = ask(desk)
    assert work(app) == 4
    return number


def ends(app: Flask) -> list[bool]:
    """How the downloads ended."""
    with app.app_context():
        query = select(AuditRecord.success).where(AuditRecord.action == Action.EXPORT_SENT)
        return list(db.session.scalars(query.order_by(AuditRecord.id)))


def test_a_file_that_was_sent_whole_is_gone_at_once(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_operations, "DESTROYED_AT_ONCE", 3)
    number = in_pieces(app, desk(OPERATOR), monkeypatch)

    assert len(rows_of(fetch(desk(OPERATOR), number))) == 8

    assert (pieces(app), state(app, number), ends(app)) == (0, "fetched", [True])
    assert trail(app, number)[-1] == (None, "export_destroyed")
    assert (fetch(desk(OPERATOR), number).status_code, destroy(app)) == (303, 0)


def test_a_download_that_breaks_off_leaves_the_file_to_be_fetched_again(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = desk(OPERATOR)
    number = in_pieces(app, operator, monkeypatch)
    answer = begin_to_fetch(operator, number)
    next(iter(answer.response))
    assert state(app, number) == "sending"
    answer.close()

    assert (pieces(app), state(app, number), ends(app)) == (4, "ready", [False])
    page = operator.get(f"/history/exports/{number}", headers=ENGLISH).text
    assert ("The last download broke off" in page, f"/{number}/fetch" in page) == (True, True)
    assert [int(row[0]) for row in rows_of(fetch(operator, number))[1:]] == many[::-1]
    assert (pieces(app), state(app, number), ends(app)) == (0, "fetched", [False, True])


@on_one_database
def test_who_fetches_again_ends_the_download_that_is_under_way(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = desk(OPERATOR)
    number = in_pieces(app, operator, monkeypatch)
    with app.app_context():
        first, second = download(number), download(number)
        next(first)
        page = operator.get(f"/history/exports/{number}", headers=ENGLISH).text
        assert ("A download is under way" in page, f"/{number}/fetch" in page) == (True, True)
        next(second)
        with pytest.raises(BrokenOff):
            list(first)
        assert (pieces(app), state(app, number)) == (4, "sending"), "the second goes on"
        assert len(list(second)) == 3
    assert (pieces(app), state(app, number), ends(app)) == (0, "fetched", [False, True])


def download(number: int) -> Iterator[bytes]:
    """A download of the operator's, begun with its first piece."""
    owner = Who(OPERATOR.id, OPERATOR.name)
    yield from export_fetching.sent(
        export_fetching.fetch(number, owner, this_instance(), utc_now()), owner, this_instance()
    )


@on_one_database
def test_a_file_whose_sender_was_killed_is_fetched_again_or_destroyed_after_its_day(
    app: Flask, desk: Open, many: list[int]
) -> None:
    operator = desk(OPERATOR)
    one, other = ask(operator), ask(operator)
    work(app)
    with app.app_context(), transaction() as session:  # what a process leaves that ends in the middle
        session.execute(update(Export).values(state="sending", fetched_at=utc_now()))

    assert len(rows_of(fetch(operator, one))) == 8
    age(app, other, days=1)
    assert (fetch(operator, other).status_code, destroy(app), pieces(app)) == (303, 0, 1), "it may be on its way"
    with app.app_context(), transaction() as session:
        session.get_one(Export, other).fetched_at = utc_now() - STILL
    assert (destroy(app), pieces(app), state(app, other)) == (1, 0, "expired")


def test_a_file_that_is_fetched_slowly_stays_until_its_end(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = desk(OPERATOR)
    number = in_pieces(app, operator, monkeypatch)
    answer, file = begin_to_fetch(operator, number), b""
    age(app, number, days=1)
    for quarters, got in enumerate(answer.iter_encoded()):
        file += got
        now = utc_now() + (quarters + 1) * STILL * 0.9
        monkeypatch.setattr(export_fetching, "utc_now", lambda now=now: now)
        with app.app_context():
            export_operations.destroy_expired(now)

    assert [row[0] for row in csv.reader(io.StringIO(file.decode("utf-8-sig")))][1:] == [str(n) for n in many[::-1]]
    assert (pieces(app), ends(app)) == (0, [True])


@pytest.mark.parametrize("destroyed", [False, True])
def test_no_reader_is_so_slow_that_a_file_stays_for_more_than_another_day(
    app: Flask, desk: Open, many: list[int], monkeypatch: pytest.MonkeyPatch, destroyed: bool
) -> None:
    operator = desk(OPERATOR)
    number = in_pieces(app, operator, monkeypatch)
    pieces_of = iter(begin_to_fetch(operator, number).iter_encoded())
    next(pieces_of)
    age(app, number, days=2)
    if destroyed:
        destroy(app)
        assert (state(app, number), pieces(app)) == ("expired", 0)

    with pytest.raises(export_fetching.BrokenOff):
        list(pieces_of)
    destroy(app)
    assert (state(app, number), pieces(app)) == ("expired", 0)


@on_one_database
def test_a_request_nobody_decides_about_expires_in_a_day(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(ADMIN), **PLAIN)
    age(app, number, days=1)

    assert "does not wait" in approve(desk(AUDITOR), number).text
    assert (destroy(app), state(app, number), work(app)) == (1, "expired", 0)
    with app.app_context():
        assert db.session.query(Notice).where(Notice.kind == "export_asked").count() == 0


@on_one_database
def test_a_large_file_is_destroyed_by_and_by(app: Flask, desk: Open, many: list[int]) -> None:
    number = ask(desk(OPERATOR))
    work(app)
    with app.app_context(), transaction() as session:
        session.add_all([ExportPiece(export_id=number, number=n, sealed=b"x") for n in range(1, 2 * DESTROYED_AT_ONCE)])
    age(app, number, days=1)

    assert (destroy(app), pieces(app)) == (2, 0)
    assert trail(app, number).count((None, "export_destroyed")) == 1


@on_one_database
def test_one_has_only_so_many_open_at_once(app: Flask, desk: Open, many: list[int]) -> None:
    operator = desk(OPERATOR)
    numbers = [ask(operator) for _ in range(MOST_OPEN)]

    refused = operator.post("/history/export", {"format": "csv"}, follow_redirects=True, headers=ENGLISH)

    assert "as many exports open as one may" in refused.text
    work(app)
    rows_of(fetch(operator, numbers[0]))
    assert ask(operator) > numbers[-1]


@on_one_database
def test_who_was_switched_off_or_demoted_gets_no_plaintext(app: Flask, desk: Open, many: list[int]) -> None:
    prepared, waiting = ask(desk(AUDITOR), **PLAIN), ask(desk(AUDITOR), **PLAIN)
    approve(desk(ADMIN), prepared)
    work(app)
    approve(desk(ADMIN), waiting)
    with app.app_context(), transaction() as session:
        session.get_one(User, AUDITOR.id).role = Role.OPERATOR

    work(app)

    assert (state(app, prepared), state(app, waiting)) == ("ready", "failed")
    with app.app_context(), pytest.raises(NotThere):
        export_fetching.fetch(prepared, Who(AUDITOR.id, AUDITOR.name), this_instance(), utc_now())


@on_one_database
def test_an_order_comes_back_as_it_was_asked(app: Flask) -> None:
    day = NOW.date()
    order = Order(Filters("match", 2, 1, "desk", 1, day, day, search="欧阳"), "en", "audit", "words")

    assert Order.unpacked(order.packed()) == order
    assert Order.unpacked(Order(Filters(), "zh_CN").packed()) == Order(Filters(), "zh_CN")
    assert "欧阳" not in order.described()


def search(desk: Desk, text: str) -> str:
    """The query of a page that shows what was searched for."""
    return (desk.post("/history", {"q": text}).location or "").partition("?")[2]


def kept(app: Flask) -> str:
    """All that stands sealed about exports, opened, and all that stands there beside it."""
    with app.app_context():
        sealer, found = this_instance().sealer, db.session.scalars(select(Export)).all()
        opened = [sealer.open(one.sealed_order, f"export:{one.id}").decode() for one in found if one.sealed_order]
        return " ".join(opened) + str([{name: getattr(one, name) for name in Export.__table__.columns.keys()}  # noqa: SIM118
                                       for one in found])  # fmt: skip


@pytest.mark.parametrize("end", ["fetched", "declined", "expired", "failed"])
def test_when_an_export_ends_nobody_can_read_from_it_who_was_searched_for(
    app: Flask, desk: Open, many: list[int], end: str
) -> None:
    admin = desk(ADMIN)
    number = ask(admin, search(admin, PERSON.name), **PLAIN)
    assert PERSON.name in kept(app)
    assert "letter 17" in kept(app)
    if end == "declined":
        approve(desk(AUDITOR), number, "decline")
    elif end == "expired":
        age(app, number, days=1)
        destroy(app)
    else:
        approve(desk(AUDITOR), number)
        if end == "failed":
            demote(app, ADMIN)
        work(app)
        if end == "fetched":
            assert len(rows_of(fetch(admin, number))) == 9

    assert state(app, number) == end
    found = kept(app)
    for secret in (PERSON.name, "letter 17", "search"):
        assert secret not in found
    reader = desk(AUDITOR)
    page = reader.get(f"/history/exports/{number}", headers=ENGLISH)
    assert (page.status_code, "kept no longer" in page.text) == (200, True)


def demote(app: Flask, member: Member) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(User, member.id).role = Role.OPERATOR


def test_who_was_demoted_gets_no_masked_file_of_everybody(app: Flask, desk: Open, many: list[int]) -> None:
    with app.app_context(), transaction():
        store(NOW, person=PERSON, operator_id=COLLEAGUE.id)
    auditor = desk(AUDITOR)
    prepared = ask(auditor)
    work(app)
    waiting = ask(auditor)
    demote(app, AUDITOR)
    work(app)

    assert (state(app, prepared), state(app, waiting)) == ("ready", "failed")
    assert fetch(auditor, prepared).status_code == 303
    page = auditor.get(f"/history/exports/{prepared}", headers=ENGLISH).text
    assert ("another role now" in page, f"/{prepared}/fetch" in page) == (True, False)
    assert state(app, prepared) == "ready", "it is destroyed within the day"


@pytest.mark.parametrize(
    ("searched", "words"),
    [("欧阳演练", "case of 欧 阳 演 练"), ("欧阳", "wanted: 欧阳"),
     ("11010519491231002x", "it is 110105194912 31002X"),
     ("110105491231002", "no. 110105 491231 002"), ("CASE-7788", "letter for case 7788")],
)  # fmt: skip
@on_one_database
def test_the_reason_of_an_export_may_not_tell_whom_was_searched_for(
    app: Flask, desk: Open, many: list[int], searched: str, words: str
) -> None:
    admin = desk(ADMIN)
    query = search(admin, searched)

    refused = admin.post(f"/history/export?{query}", PLAIN | {"words": words}, headers=ENGLISH)

    assert (refused.status_code, bool(fault_beside(refused.text, "words"))) == (422, True)
    ask(admin, query, **PLAIN)
