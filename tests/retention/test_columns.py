"""Every sealed or keyed column has an end, and it is the one that the table tells."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, LargeBinary, select

from tests.receipts.papers import paper_of
from tests.support.cast import ADMIN, COLLEAGUE, OPERATOR, PASSWORD, Desk
from tests.verification.calls import somebody
from tests.verification.test_tokens import token
from webapp.audit import subjects
from webapp.foundation import sealing
from webapp.foundation.clock import utc_now
from webapp.foundation.database import Base, db, end_read, transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.sealed_columns import blind, fleeting, keyed, sealed
from webapp.history import export_operations
from webapp.notify.notices import Notice
from webapp.retention.columns import COLUMNS
from webapp.retention.rules import Kind
from webapp.scheduler import JOBS, run_job
from webapp.vendor.sandbox.server import Sandbox
from webapp.verification import privacy
from webapp.verification.models import Verification

ZHANG = {"name": "张三", "id_number": "11010519491231002X"}
ASKED = {"filled": "yes", "words": "request 2026-17", "password": PASSWORD, "confirm": "yes"}
ALL = {f"{table.name}.{column.name}": column for table in Base.metadata.sorted_tables for column in table.columns}
WORDS = {word for info in (sealed(""), blind(""), fleeting(""), keyed("")) for word in info}
Contents = dict[str, set[str]]


def test_every_sealed_or_keyed_column_stands_in_the_table_and_no_other() -> None:
    says_so = {name for name, column in ALL.items() if WORDS & column.info.keys()}
    binary = {name for name, column in ALL.items() if isinstance(column.type, LargeBinary)}

    assert says_so | binary == set(COLUMNS), "say in webapp/retention/columns.py when and why it goes"
    assert all(end.why for end in COLUMNS.values())


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Every blind index and fingerprint that is made while the test runs."""
    made: set[bytes] = set()
    digest, fingerprints = sealing._digest, subjects.fingerprints

    def digested(*given: Any) -> bytes:
        found = digest(*given)
        made.add(found)
        return found

    def printed(*given: Any) -> list[bytes]:
        found = fingerprints(*given)
        made.update(found)
        return found

    monkeypatch.setattr(sealing, "_digest", digested)
    monkeypatch.setattr(subjects, "fingerprints", printed)
    return made


@pytest.fixture
def filled(make_app: Callable[..., Flask], sandbox: Sandbox, marks: set[bytes]) -> Flask:
    """A person of whom something stands in every column; a hold, which is of somebody else."""
    app = make_app(KEEP_IDENTITY="30", KEEP_OUTBOX="30", KEEP_AUDIT="184", LIMITS="name=2/day")
    admin, operator = Desk(app, ADMIN), Desk(app, OPERATOR)
    admin.record_lot()
    Desk(app, None).post("/login", {"email": OPERATOR.email, "password": "not-this-one"})
    for reference in ("CASE-7", "CASE-8"):  # the second is shown again
        operator.verify(**ZHANG, reference=reference, form_token=token(operator))
    for n in range(2):  # more numbers under one name than the limit allows
        Desk(app, COLLEAGUE).verify(ZHANG["name"], somebody(n)[1])
    paper_of(app)
    handle = (admin.post("/history", {"q": ZHANG["id_number"]}).location or "").rpartition("=")[2]
    assert admin.post("/history/views", {"name": "a view", "s": handle, "shared_with": ""}).status_code == 303
    assert admin.post(f"/history/export?s={handle}", {"format": "csv"}).status_code == 303
    with app.app_context():
        while export_operations.prepare_piece(this_instance(), utc_now()):
            pass
        db.session.remove()
    other = dict(zip(("name", "id_number"), somebody(9), strict=True))
    assert admin.post("/rights/hold", other | ASKED).status_code == 303
    seal(app, utc_now() + timedelta(hours=1))
    return app


def seal(app: Flask, now: datetime) -> None:
    job = next(one for one in JOBS if one.name == "seal the audit trail")
    assert run_job(app, job, "test", clock=lambda: now)


def contents(app: Flask) -> Contents:
    """What stands in each of the columns, but for nothing."""
    with app.app_context():
        found = {name: {repr(value) for value in _values(ALL[name]) if value} for name in COLUMNS}
        end_read()
    return found


def _values(column: Column[Any]) -> list[Any]:
    there = select(column).where(column.is_not(None))
    if column.table is Notice.__table__:  # others name nobody
        there = there.where(Notice.kind.in_(privacy.KINDS))
    return list(db.session.scalars(there))


def left_of(before: Contents, after: Contents) -> Contents:
    return {name: same for name in before if (same := before[name] & after[name])}


def erase(app: Flask) -> None:
    assert 'data-erased="' in Desk(app, ADMIN).post("/rights/erase", ZHANG | ASKED).text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the columns are those of both
def test_no_blind_index_or_fingerprint_stands_in_a_column_that_does_not_say_so(
    filled: Flask, marks: set[bytes]
) -> None:
    written = {form: mark for mark in marks for form in (mark.hex(), base64.b64encode(mark).decode())}
    looked_for = re.compile("|".join(map(re.escape, written)))
    found = set()
    with filled.app_context():
        for name, column in ALL.items():
            for value in _values(column):
                if (value in marks) if isinstance(value, bytes) else looked_for.search(str(value)):
                    found.add(name)
        end_read()

    assert {"identity_index.blind", "notice.key", "audit_record.subject", "spent_form.content"} <= found
    assert found <= set(COLUMNS)
    assert not [name for name in found if "sealed" in ALL[name].info]


def test_an_erasure_leaves_nothing_where_the_table_says_so(filled: Flask) -> None:
    before = contents(filled)
    gone = {name for name, end in COLUMNS.items() if end.erased}
    assert {name for name in gone if not before[name]} == set(), "of each there was something"

    erase(filled)

    stays = others(filled)
    assert {name: len(same - stays) for name, same in left_of(before, contents(filled)).items()
            if name in gone and same - stays} == {}  # fmt: skip


def others(app: Flask) -> set[str]:
    """What stands of those who were not erased."""
    with app.app_context():
        columns = ALL["identity.sealed"], ALL["identity_index.blind"]
        theirs = {repr(value) for column in columns for value in _values(column)}
        end_read()
    return theirs


def test_what_has_an_end_is_gone_when_it_is_over(filled: Flask) -> None:
    with filled.app_context(), transaction() as session:  # a call whose process died
        row = session.get_one(Verification, 1)
        session.add(Verification(
            created_at=row.created_at, deadline_at=row.deadline_at, outcome="sending", billed="unknown", source="desk",
            operator_id=OPERATOR.id, purpose_id=1, legal_basis="consent", consent=True, sending_person=b"p" * 16,
        ))  # fmt: skip
    before, began = contents(filled), utc_now()
    assert {name for name, end in COLUMNS.items() if end.after and not before[name]} == set(), "of each there was some"
    passing = sorted({end.after for end in COLUMNS.values() if isinstance(end.after, timedelta)})

    for passed in passing:
        run_all(filled, began + passed)
        due = {name for name, end in COLUMNS.items() if isinstance(end.after, timedelta) and end.after <= passed}
        assert {name for name in left_of(before, contents(filled)) if name in due} == set(), str(passed)
    stands = left_of(before, contents(filled))
    assert {name for name, end in COLUMNS.items() if isinstance(end.after, Kind)} <= stands.keys()
    run_all(
        filled, (began + timedelta(days=400)).replace(hour=4)
    )  # noon in the reporting zone: the night's purge is due

    stands = left_of(before, contents(filled))
    assert {name for name in stands if COLUMNS[name].after} == set()
    assert {"receipt.commitment", "legal_hold.sealed"} <= stands.keys()


def run_all(app: Flask, now: datetime) -> None:
    """Every job, as a worker runs it then; the trail is sealed once more after them."""
    for job in JOBS:
        run_job(app, job, "test", clock=lambda: now)
    seal(app, now + timedelta(hours=1))


def test_a_form_that_is_sent_again_after_an_erasure_spends_nothing(app: Flask, sandbox: Sandbox) -> None:
    operator = Desk(app, OPERATOR)
    sent = token(operator)
    operator.verify(**ZHANG, form_token=sent)
    erase(app)

    again = operator.verify(**ZHANG, form_token=sent)

    assert again.status_code == 409
    with app.app_context():
        assert len(db.session.scalars(select(Verification)).all()) == 1
