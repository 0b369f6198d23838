"""A record shows from the moment it is written that the product wrote it: what is inserted, copied or changed before it
is sealed is never sealed, and said."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from flask import Flask
from sqlalchemy import select, text

from tests.audit.trails import filled, seal, sealed, sql, verify, write
from tests.support.cast import AUDITOR, NOW, Desk
from webapp import create_app
from webapp.audit import sealer
from webapp.audit.command import told as words
from webapp.audit.heads import as_found, head
from webapp.audit.standing import Standing, standings
from webapp.audit.trail import SYSTEM, Action, AuditRecord, append
from webapp.audit.verifier import NOT_OURS
from webapp.checking import trail as checking
from webapp.foundation import schema
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.notify.notices import Notice
from webapp.scheduler import JOBS, run_job
from webapp.settings import read_settings

COLUMNS = "at, actor_id, actor, action, object_type, object_id, success, address, request_id, detail, subject"
INSERT = f"INSERT INTO audit_record (id, {COLUMNS}, shown, stamp) "
FORGED = INSERT + (
    "VALUES (:id, '2026-11-02 04:00:00.000000', 3, '丙同事', 'person_revealed', 'verification', 1, :yes, '192.0.2.7', "
    "'r-1', '{}', NULL, NULL, :stamp)"
)
OTHERS = {"at": "'2026-11-02 05:00:00'", "actor_id": "3", "actor": "'丙'", "action": "'login'", "object_type": "'x'",
          "object_id": "9", "success": "NOT success", "address": "''", "request_id": "''", "detail": "'{}'",
          "subject": "NULL", "shown": "5", "stamp": "NULL"}  # fmt: skip


def written(app: Flask, *lots: int) -> list[int]:
    """Appends records, unsealed; returns their numbers."""
    with app.app_context():
        before = set(db.session.scalars(select(AuditRecord.id)))
        write(*lots)
        return sorted(set(db.session.scalars(select(AuditRecord.id))) - before)


def forge(app: Flask, number: int, stamp: bytes | None = None) -> None:
    sql(app, FORGED, id=number, yes=True, stamp=stamp)


def copy(app: Flask, of: int, number: int) -> None:
    sql(app, INSERT + f"SELECT :id, {COLUMNS}, shown, stamp FROM audit_record WHERE id = :of", id=number, of=of)  # noqa: S608


def told(app: Flask, action: Action) -> list[dict[str, Any]]:
    """The details of the records of this action."""
    with app.app_context():
        found = select(AuditRecord.detail).where(AuditRecord.action == action).order_by(AuditRecord.id)
        return list(db.session.scalars(found))


def differences(app: Flask) -> list[str]:
    """What `check` says of the trail."""
    with app.test_request_context():
        found = list(checking.differences(this_instance().keys))
        db.session.remove()
        return found


def refused(*numbers: int) -> list[str]:
    return [f"Record {number} {NOT_OURS}" for number in numbers]


@pytest.mark.parametrize("stamp", [None, b"s" * 16])
def test_an_inserted_record_is_never_sealed_and_named(app: Flask, stamp: bytes | None) -> None:
    seal(app)
    [first] = written(app, 1)
    forge(app, first + 1, stamp)
    sql(app, *(["SELECT nextval('audit_record_id_seq')"] if _is_postgresql(app) else []))
    [last] = written(app, 2)
    assert verify(app).faults == refused(first + 1), "before it was met"

    seal(app)

    assert [number for numbers in sealed(app)[1:] for number in numbers] == [first, last, last + 1]
    assert told(app, Action.RECORDS_REFUSED) == [{"first": first + 1, "last": first + 1, "records": 1}]
    assert verify(app).faults == refused(first + 1), "for as long as it stands"
    assert len(differences(app)) == 1
    sql(app, "DELETE FROM audit_record WHERE id = :id", id=first + 1)
    assert verify(app).faults == []
    assert differences(app) == []


def _is_postgresql(app: Flask) -> bool:
    with app.app_context():
        return db.engine.dialect.name == "postgresql"


def test_readers_see_which_records_are_not_ours(app: Flask) -> None:
    """On the page, in its file, under who looked, and in the record of processing; whatever stands in the detail."""
    seal(app)
    [genuine] = written(app, 1)
    seal(app)
    auditor, english = Desk(app, AUDITOR), {"Accept-Language": "en"}
    assert "not ours" not in auditor.get("/audit", headers=english).text
    forge(app, 2**40)
    sql(app, "UPDATE audit_record SET at = (SELECT max(at) FROM audit_record) WHERE id = :id", id=2**40)

    wrong = '"x"' if _is_postgresql(app) else "x"
    for detail in ("{}", wrong, "[1]"):
        sql(app, "UPDATE audit_record SET detail = :detail, shown = 1 WHERE id = :id", detail=detail, id=2**40)
        page = auditor.get("/audit?action=person_revealed", headers=english)
        assert (page.status_code, page.text.count(">not ours<")) == (200, 1)
        assert "Believe nothing of them" in page.text
        assert auditor.post("/audit/person", {"id_number": "11010519491231002X"}).status_code == 200
    lines = list(csv.reader(io.StringIO(auditor.post("/audit/file", headers=english).data.decode("utf-8-sig"))))
    proofs = {line[0]: line[-1] for line in lines}
    assert (proofs["Record"], proofs[str(genuine)], proofs[str(2**40)]) == ("Proof", "", "not ours")
    record = auditor.post("/retention/processing-record", headers=english).text
    assert "1 record does not carry our stamp" in record


def test_what_was_sealed_as_it_was_found_is_marked_so_and_what_joins_it_later_is_not_ours(app: Flask) -> None:
    with app.app_context(), transaction():
        db.session.execute(text("UPDATE audit_record SET stamp = NULL"))
        sealer.seal_as_found(this_instance().keys, NOW)
    numbers = [number for some in sealed(app) for number in some]
    [late] = written(app, 1)
    with app.app_context():
        assert standings([*numbers, late], this_instance().keys) == {
            **dict.fromkeys(numbers, Standing.AS_FOUND), late: Standing.OURS,
        }  # fmt: skip
        db.session.remove()
    sql(app, "UPDATE audit_record SET actor = 'x' WHERE id = :id", id=numbers[0])
    sql(app, "UPDATE audit_record SET stamp = NULL WHERE id = :id", id=late)
    seal(app)
    with app.app_context():
        found = standings([*numbers, late], this_instance().keys)
        assert (found[numbers[0]], found[numbers[1]], found[late]) == (
            Standing.NOT_OURS, Standing.AS_FOUND, Standing.NOT_OURS,
        )  # fmt: skip
        db.session.remove()


def test_a_copy_of_a_genuine_record_is_refused_sealed_or_not(app: Flask) -> None:
    numbers = filled(app, 1)
    [mine] = written(app, 1)
    copies = [mine + 1_000_000, mine + 1_000_001]
    for of, number in zip((numbers[-1], mine), copies, strict=True):
        copy(app, of, number)

    seal(app, 9)

    assert sealed(app)[-1] == [mine]
    assert verify(app).faults == refused(*copies)


def test_a_field_that_was_changed_before_sealing_is_found_out_whichever_it_is(app: Flask) -> None:
    seal(app)
    numbers = written(app, *range(len(OTHERS)))
    for number, (column, value) in zip(numbers, OTHERS.items(), strict=True):
        sql(app, f"UPDATE audit_record SET {column} = {value} WHERE id = :id", id=number)  # noqa: S608
    [genuine] = written(app, 99)

    seal(app)

    assert sealed(app)[1][0] == genuine
    assert verify(app).faults == refused(*numbers)


def test_many_false_records_keep_no_genuine_one_from_being_sealed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "MOST", 3)
    seal(app)
    newest = written(app, 1)[-1]
    if _is_postgresql(app):
        sql(app, "SELECT setval('audit_record_id_seq', :last)", last=newest + 8)
    for number in range(newest + 1, newest + 9):
        forge(app, number)
    [genuine] = written(app, 2)

    seal(app)

    assert {newest, genuine} <= {number for numbers in sealed(app) for number in numbers}
    assert [one["records"] for one in told(app, Action.RECORDS_REFUSED)] == [8]


def test_admins_and_auditors_are_told_once_a_day_and_the_log_says_it(app: Flask) -> None:
    [job] = [job for job in JOBS if job.name == "seal the audit trail"]
    seal(app)
    forge(app, 2**40)
    with structlog.testing.capture_logs() as logged:
        for second in range(3):
            run_job(app, job, "me", lambda second=second: NOW.replace(second=second))  # type: ignore[misc]

    with app.app_context():
        kept = db.session.scalars(select(Notice).where(Notice.kind == "records_refused")).all()
        assert {one.role for one in kept} == {"admin", "auditor"}
        assert kept[0].params == {"first": 2**40, "last": 2**40, "records": 1}
        found = head(this_instance().keys)
        assert found is not None
        assert found.waiting_since is None, "what is refused waits for nothing"
    assert [one for one in logged if one["event"] == "job failed"] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_sqlite_a_record_that_was_removed_before_sealing_is_missed(app: Flask) -> None:
    seal(app)
    numbers = written(app, 1, 2, 3)
    sql(app, "DELETE FROM audit_record WHERE id = :id", id=numbers[1])

    seal(app)

    assert told(app, Action.RECORDS_MISSING) == [{"first": numbers[1], "last": numbers[1], "records": 1}]
    [fault] = verify(app).faults
    assert fault.startswith("Records were removed before they were sealed")


def test_stamps_are_checked_under_every_audit_key(app: Flask, make_app: Callable[..., Flask]) -> None:
    old = (app.extensions["yuliang"].settings.instance / "keys" / "audit_key").read_text().strip()
    written(app, 1)
    rotated = make_app(AUDIT_KEY="k2:" + "QUFB" * 10 + "QUE=," + old)
    written(rotated, 2)

    seal(rotated)

    assert verify(rotated).faults == []
    assert told(rotated, Action.RECORDS_REFUSED) == []


def test_without_the_key_nothing_is_passed_by_and_with_it_all_is_sealed(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    """A worker that was started with a wrong key does no harm."""
    other = make_app(AUDIT_KEY="k1:" + "QUFB" * 10 + "QUE=")
    written(app, 1)
    seal(other)

    assert sealed(app) == []
    seal(app)
    assert verify(app).faults == []


def test_a_chain_that_was_made_anew_by_putting_the_schema_back_says_that_it_proves_nothing_of_before(
    tmp_path: Path,
) -> None:
    """Who has the database alone removes every record and segment, puts the schema back, and writes another history."""
    app = create_app(read_settings({"YULIANG_INSTANCE": str(tmp_path)}))
    before = INSERT.replace(", shown, stamp", "") + (
        "VALUES (:id, '2026-11-02 04:00:00.000000', 3, '丙同事', 'person_revealed', 'verification', 1, 1, '', '', "
        "'{}', NULL)"
    )
    with app.app_context():
        schema.upgrade("0023")
        with transaction():
            append(SYSTEM, Action.LOGIN, NOW)
    seal(app)
    with app.app_context():
        assert as_found(this_instance().keys) == 0
        db.session.remove()
    sql(app, "DELETE FROM audit_segment", "DELETE FROM audit_record")
    for name in ("action", "actor", "actor_action", "object"):
        sql(app, f"DROP INDEX ix_audit_record_failed_{name}")
    sql(app, "DROP INDEX ix_audit_record_shown", "ALTER TABLE audit_record DROP COLUMN shown")
    sql(app, "ALTER TABLE audit_record DROP COLUMN stamp", "UPDATE alembic_version SET version_num = '0022'")
    for number in (1, 2, 3):
        sql(app, before, id=number)
    with structlog.testing.capture_logs() as logged, app.app_context():
        schema.upgrade()
        db.session.remove()
    with app.app_context(), transaction():
        append(SYSTEM, Action.LOGIN, NOW)
    seal(app)

    said = verify(app)
    assert said.faults == [], "it is sealed under our key"
    [found] = said.verdict.as_found
    assert (found.first_id, found.last_id) == (1, 3)
    sentence = f"Records 1 to 3 were sealed as they were found at {found.until[:19]} UTC: "
    assert f"{sentence}nothing is proven of the time before." in words(said.verdict)
    warned = [(one["first"], one["last"]) for one in logged if one["event"].endswith("sealed as they were found")]
    assert warned == [(1, 3)]
    with app.app_context():
        assert as_found(this_instance().keys) == 3
        db.session.remove()
        db.engine.dispose()


def test_what_stood_unsealed_when_stamps_came_is_sealed_once_and_never_again(tmp_path: Path) -> None:
    app = create_app(read_settings({"YULIANG_INSTANCE": str(tmp_path)}))
    before = INSERT.replace(", shown, stamp", "") + (
        "VALUES (:id, '2026-11-02 04:00:00.000000', NULL, 'x', 'login', '', NULL, 1, '', '', '{}', NULL)"
    )
    with app.app_context():
        schema.upgrade("0022")
    for number in (1, 2):
        sql(app, before, id=number)
    with app.app_context():
        schema.upgrade("0023")
        db.session.remove()
    assert sealed(app) == [[1, 2]]
    with app.app_context(), transaction():
        append(SYSTEM, Action.LOGIN, NOW)
    seal(app)
    assert sealed(app) == [[1, 2], [3]]

    # Somebody puts the schema back, adds a record, and waits for the next start.
    for name in ("action", "actor", "actor_action", "object"):
        sql(app, f"DROP INDEX ix_audit_record_failed_{name}")
    sql(app, "DROP INDEX ix_audit_record_shown", "ALTER TABLE audit_record DROP COLUMN shown")
    sql(app, "ALTER TABLE audit_record DROP COLUMN stamp", "UPDATE alembic_version SET version_num = '0022'")
    sql(app, before, id=4)
    with app.app_context():
        schema.upgrade()
        db.session.remove()
    seal(app)

    assert [number for numbers in sealed(app) for number in numbers] == [1, 2, 3]
    assert f"Record 4 {NOT_OURS}" in verify(app).faults
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
