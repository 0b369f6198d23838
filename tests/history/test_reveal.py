"""Somebody in plaintext for a minute: who may, why, how often, what is kept of it, and that a second look needs a
second reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.history.rows import store
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, NOW, OPERATOR, PASSWORD, Desk, Member
from tests.support.faults import fault_beside
from webapp.audit import subjects
from webapp.audit.trail import Action, AuditRecord
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.history import reveal_operations
from webapp.history.reveal_models import Reveal
from webapp.history.reveal_rules import MANY_IN_A_DAY, MOST_IN_AN_HOUR, SHOWN_SECONDS
from webapp.notify.notices import Notice
from webapp.verification.identities import Person
from webapp.verification.models import Identity, IdentityIndex

Open = Callable[[Member | None], Desk]
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PERSON = Person("欧阳演练", "11010519491231002X", "业务-7788", "演练省", "演练市", "演练县", "19491231", "F", "76")
SHOWN = ("欧阳演练", "110105 19491231 002X", "业务-7788", "演练市", "1949-12-31")
WHY = {"reason": "audit", "words": "case 2026-17", "password": PASSWORD}


@pytest.fixture
def row(app: Flask) -> int:
    """The operator's verification of `PERSON`."""
    with app.app_context(), transaction():
        return store(NOW, person=PERSON)[0]


def nonce(desk: Desk, row: int) -> str:
    found = re.search(r'name="nonce"[^>]*value="([^"]+)"', desk.get(f"/verifications/{row}/reveal").text)
    assert found
    return found[1]


def reveal(desk: Desk, row: int, **fields: str) -> TestResponse:
    return desk.post(f"/verifications/{row}/reveal", {"nonce": nonce(desk, row)} | WHY | fields)


def shows(page: TestResponse) -> list[str]:
    return [text for text in SHOWN if text in page.text]


def records(app: Flask, action: Action) -> list[AuditRecord]:
    with app.app_context():
        return list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


@pytest.mark.parametrize("member", [ADMIN, AUDITOR])
def test_an_admin_and_an_auditor_see_one_person_in_full_with_a_reason(
    app: Flask, desk: Open, row: int, member: Member
) -> None:
    page = reveal(desk(member), row)

    assert (page.status_code, shows(page)) == (200, list(SHOWN))
    assert f'data-readable-left="{SHOWN_SECONDS}"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    [record] = records(app, Action.PERSON_REVEALED)
    assert (record.actor_id, record.object_type, record.object_id) == (member.id, "verification", row)
    assert record.detail == {"reason": "audit", "words": "case 2026-17"}
    [meant] = records(app, Action.PERSON_MEANT)
    with app.app_context():
        assert meant.subject == subjects.fingerprint("number", PERSON.number, this_instance().keys)
    assert (record.subject, meant.object_id, meant.request_id) == (None, None, ""), "nothing holds both"


@on_one_database
def test_an_operator_reveals_nobody_not_even_their_own(app: Flask, desk: Open, row: int) -> None:
    for member in (OPERATOR, COLLEAGUE):
        assert desk(member).get(f"/verifications/{row}/reveal").status_code == 403
        page = desk(member).post(f"/verifications/{row}/reveal", WHY | {"nonce": "n" * 22})
        assert (page.status_code, shows(page)) == (403, [])
    assert "/reveal" not in desk(OPERATOR).get(f"/verifications/{row}").text
    assert records(app, Action.PERSON_REVEALED) == []


@on_one_database
def test_the_masked_result_offers_it_to_whoever_may(desk: Open, row: int) -> None:
    for member in (ADMIN, AUDITOR):
        assert f'href="/verifications/{row}/reveal"' in desk(member).get(f"/verifications/{row}").text
        assert shows(desk(member).get(f"/verifications/{row}/reveal")) == []


def test_the_page_loaded_again_shows_it_masked(app: Flask, desk: Open, row: int) -> None:
    admin = desk(ADMIN)
    sent = WHY | {"nonce": nonce(admin, row)}
    assert shows(admin.post(f"/verifications/{row}/reveal", sent)) == list(SHOWN)

    again = admin.post(f"/verifications/{row}/reveal", sent, follow_redirects=True)

    assert (again.status_code, shows(again), again.request.path) == (200, [], f"/verifications/{row}")
    assert shows(admin.get(f"/verifications/{row}/reveal")) == []
    assert len(records(app, Action.PERSON_REVEALED)) == 1


@on_one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", ""), ("reason", "curious"), ("words", ""), ("words", "abc"), ("words", "x" * 201), ("words", "a\0bcde"),
     ("nonce", ""), ("nonce", "x"), ("nonce", "x" * 33), ("nonce", "张" * 22),
     ("words", "about 欧阳演练"), ("words", "欧 阳 演 练"), ("words", "no. 110105 19491231 002x"),
     ("words", "１１０１０５１９４９１２３１００２Ｘ"), ("words", "somebody else, 440524188001010014")],
)  # fmt: skip
def test_without_a_sound_reason_nothing_is_shown_or_kept(
    app: Flask, desk: Open, row: int, field: str, value: str
) -> None:
    page = reveal(desk(ADMIN), row, **{field: value})

    assert (page.status_code, shows(page)) == (422, [])
    assert field == "nonce" or fault_beside(page.text, field)
    assert [record for record in records(app, Action.PERSON_REVEALED) if record.success] == []


def test_words_that_guess_the_person_are_recorded_and_count_as_a_look(app: Flask, desk: Open, row: int) -> None:
    """Else whoever may not look often could try names out here for nothing."""
    looked(app, ADMIN, row, MOST_IN_AN_HOUR - 1, minutes=1)
    admin = desk(ADMIN)
    assert reveal(admin, row, words=f"is it {PERSON.name}?").status_code == 422

    assert reveal(admin, row, words=f"is it {PERSON.name}?").status_code == 429
    [record] = records(app, Action.PERSON_REVEALED)
    assert (record.success, record.detail) == (False, {"reason": "audit", "words": ""})


def test_the_password_is_asked_once_in_a_quarter_of_an_hour(app: Flask, desk: Open, row: int) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        admin = desk(ADMIN)
        assert reveal(admin, row, password="").status_code == 422
        assert fault_beside(reveal(admin, row, password="wrong").text, "password")
        assert reveal(admin, row).status_code == 200
        clock.shift(timedelta(minutes=14, seconds=59))
        assert 'name="password"' not in admin.get(f"/verifications/{row}/reveal").text
        assert reveal(admin, row, password="").status_code == 200
        clock.shift(timedelta(seconds=1))
        assert 'name="password"' in admin.get(f"/verifications/{row}/reveal").text
        assert reveal(admin, row, password="").status_code == 422

    assert [record.success for record in records(app, Action.REAUTHENTICATION_FAILED)] == [False]
    assert len(records(app, Action.REAUTHENTICATED)) == 1


@on_one_database
def test_wrong_passwords_are_slowed_down_as_at_the_log_in(app: Flask, desk: Open, row: int) -> None:
    admin = desk(ADMIN)
    for _ in range(5):
        assert reveal(admin, row, password="wrong").status_code == 422

    page = reveal(admin, row)

    assert (page.status_code, shows(page)) == (422, [])
    assert len(records(app, Action.REAUTHENTICATION_FAILED)) == 5


@on_one_database
def test_another_session_of_the_same_user_gives_its_own_password(desk: Open, row: int) -> None:
    assert reveal(desk(ADMIN), row).status_code == 200

    assert reveal(desk(ADMIN), row, password="").status_code == 422


def looked(app: Flask, member: Member, row: int, times: int, **ago: int) -> None:
    """So many looks at the person, so long ago."""
    with app.app_context(), transaction() as session:
        for n in range(times):
            session.add(Reveal(nonce=f"{member.id}-{n}-{ago}"[:32], actor_id=member.id, verification_id=row,
                               at=utc_now() - timedelta(**ago)))  # fmt: skip


def test_one_reveals_so_many_in_an_hour_and_no_more(app: Flask, desk: Open, row: int) -> None:
    looked(app, ADMIN, row, MOST_IN_AN_HOUR - 1, minutes=59)
    looked(app, AUDITOR, row, MOST_IN_AN_HOUR, minutes=59)
    admin = desk(ADMIN)
    assert reveal(admin, row).status_code == 200

    page = reveal(admin, row)

    assert (page.status_code, shows(page)) == (429, [])
    assert len(records(app, Action.PERSON_REVEALED)) == 1
    assert reveal(desk(AUDITOR), row).status_code == 429


def test_auditors_are_told_once_a_day_of_one_who_reveals_very_many(app: Flask, desk: Open, row: int) -> None:
    looked(app, ADMIN, row, MANY_IN_A_DAY - 2, hours=2)
    admin = desk(ADMIN)
    reveal(admin, row)
    assert told(app) == []

    reveal(admin, row)
    reveal(admin, row)

    [notice] = told(app)
    assert (notice.role, notice.params["count"], notice.params["name"]) == ("auditor", MANY_IN_A_DAY, ADMIN.name)
    assert ADMIN.name in desk(AUDITOR).get("/").text


def told(app: Flask) -> list[Notice]:
    with app.app_context():
        return list(db.session.scalars(select(Notice).where(Notice.kind == "many_reveals")))


@on_one_database
def test_an_erased_person_cannot_be_revealed(app: Flask, desk: Open, row: int) -> None:
    with app.app_context(), transaction() as session:
        session.query(IdentityIndex).delete()
        session.query(Identity).delete()
    admin = desk(ADMIN)
    assert "/reveal" not in admin.get(f"/verifications/{row}").text

    page = admin.post(f"/verifications/{row}/reveal", WHY | {"nonce": "n" * 22})

    assert (page.status_code, page.location) == (303, f"/verifications/{row}")
    assert records(app, Action.PERSON_REVEALED) == []


@on_one_database
def test_looks_are_forgotten_when_no_limit_counts_them(app: Flask, row: int) -> None:
    looked(app, ADMIN, row, 2, hours=47)
    looked(app, ADMIN, row, 3, hours=49)

    with app.app_context():
        reveal_operations.forget_reveals(utc_now())
        assert db.session.query(Reveal).count() == 2
