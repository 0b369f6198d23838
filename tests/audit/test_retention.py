"""Retention: whole old segments go, a checkpoint stays, and what remains is proven as before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.audit.trails import SECOND, filled, heads, seal, sealed, sql, verify, write
from tests.support.cast import ADMIN, NOW
from webapp.audit import retention
from webapp.audit.retention import NotSound, drop_before
from webapp.audit.trail import Action, AuditRecord, Who
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

FIRST_SEALED = NOW + timedelta(hours=1)
"""Segments 1 and 2; each later one a second after the one before."""
KEEPER = Who(ADMIN.id, ADMIN.name)


def drop(app: Flask, instant: datetime) -> int:
    with app.app_context(), transaction():
        return drop_before(instant, KEEPER, this_instance().keys, NOW + timedelta(days=200))


def test_segments_sealed_before_the_day_go_whole_and_the_rest_stays_proven(app: Flask) -> None:
    numbers, kept = filled(app), heads(app)

    assert drop(app, FIRST_SEALED + SECOND) == 9
    assert drop(app, FIRST_SEALED + SECOND) == 0, "nothing is left"

    assert sealed(app) == [numbers[9:14], numbers[14:19], numbers[19:24]]
    said = verify(app, kept[-1])
    assert (said.faults, said.verdict.records, said.verdict.unsealed) == ([], 15, 1)
    assert verify(app, kept[1]).faults == [], "the last seal that was dropped stands in the checkpoint"
    assert len(verify(app, kept[0]).faults) == 1, "older heads are gone with their segments"


def test_dropping_is_recorded_and_the_chain_goes_on(app: Flask) -> None:
    numbers = filled(app)
    drop(app, FIRST_SEALED + SECOND)
    with app.app_context():
        record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
        assert record is not None
        assert (record.action, record.actor_id) == (Action.AUDIT_DROPPED, ADMIN.id)
        assert record.detail == {"first": numbers[0], "last": numbers[8], "records": 9}
        write(1)
    seal(app, 60)
    drop(app, FIRST_SEALED + 3 * SECOND)
    seal(app, 61)

    assert [len(one) for one in sealed(app)] == [5, 2, 1]
    assert verify(app).faults == []


def test_the_newest_segment_always_stays(app: Flask) -> None:
    filled(app)

    while drop(app, FIRST_SEALED + timedelta(days=999)):
        pass

    assert len(sealed(app)) == 1
    assert verify(app).faults == []


def test_few_are_dropped_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 11)
    filled(app)

    assert [drop(app, FIRST_SEALED + 2 * SECOND) for _ in range(3)] == [9, 5, 0]
    monkeypatch.setattr(retention, "MOST", 1)
    assert drop(app, FIRST_SEALED + 3 * SECOND) == 5, "one segment at least"
    assert verify(app).faults == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_record SET actor = 'x' WHERE id = 7",
        "DELETE FROM audit_record WHERE id = 2",
        "UPDATE audit_segment SET sealed_at = '2020-01-01 00:00:00' WHERE number = 2",
        "UPDATE audit_segment SET key_id = 'k9' WHERE number = 1",
        "DELETE FROM audit_segment WHERE number = 1",
    ],
)
def test_what_is_not_as_it_was_sealed_is_kept_as_evidence(app: Flask, tampering: str) -> None:
    filled(app)
    sql(app, tampering)
    before = sealed(app), verify(app)

    with pytest.raises(NotSound):
        drop(app, FIRST_SEALED + 2 * SECOND)

    assert (sealed(app), verify(app)) == before


@pytest.mark.parametrize(
    "change",
    ["number = 1", "number = 3", "last_id = 8", "last_id = 14", "records = 10", "dropped_at = '2020-01-01 00:00:00'",
     "key_id = 'k2'", "head = seal", "seal = head"],
)  # fmt: skip
def test_a_changed_checkpoint_is_found_and_nothing_more_is_dropped(app: Flask, change: str) -> None:
    filled(app)
    drop(app, FIRST_SEALED + SECOND)

    sql(app, f"UPDATE audit_checkpoint SET {change}")  # noqa: S608

    assert verify(app).faults[0].startswith("The checkpoint ")
    with pytest.raises(NotSound):
        drop(app, FIRST_SEALED + 3 * SECOND)


def test_a_removed_checkpoint_is_missed(app: Flask) -> None:
    filled(app)
    drop(app, FIRST_SEALED + SECOND)

    sql(app, "DELETE FROM audit_checkpoint")

    assert verify(app).faults == ["Segments 1 to 2 are missing."]


def test_what_is_removed_behind_the_checkpoint_is_missed(app: Flask) -> None:
    numbers = filled(app)
    drop(app, FIRST_SEALED + SECOND)

    sql(app, "DELETE FROM audit_segment WHERE number = 3")
    sql(app, "DELETE FROM audit_record WHERE id <= :last", last=numbers[13])

    assert verify(app).faults == ["Segment 3 is missing."]


def test_a_record_put_back_below_the_checkpoint_is_named(app: Flask) -> None:
    numbers = filled(app)
    drop(app, FIRST_SEALED + SECOND)

    sql(app, "UPDATE audit_record SET id = 3 WHERE id = :id", id=numbers[-1])

    assert verify(app).faults == [
        f"Record 3 was inserted: all up to {numbers[8]} were dropped.", f"Record {numbers[-1]} is missing.",
    ]  # fmt: skip
