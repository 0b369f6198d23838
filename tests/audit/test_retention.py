"""Retention: whole old segments go, a checkpoint stays, and what remains is proven as before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.audit.trails import SECOND, filled, heads, seal, sealed, sql, verify, write
from tests.support.cast import ADMIN, NOW
from webapp.audit import chain, gaps, proof, retention, stored
from webapp.audit.proof import NotSound
from webapp.audit.retention import Dropped, drop_before
from webapp.audit.sealer import secrets_of
from webapp.audit.stored import Record
from webapp.audit.trail import Action, AuditRecord, Who
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance

FIRST_SEALED = NOW + timedelta(hours=1)
"""Segments 1 and 2; each later one a second after the one before."""
KEEPER = Who(ADMIN.id, ADMIN.name)


def drop(app: Flask, instant: datetime) -> Dropped:
    with app.app_context(), transaction():
        return drop_before(instant, KEEPER, this_instance().keys, NOW + timedelta(days=200))


def rows_of(app: Flask) -> list[Record]:
    """All records as they lie in the database."""
    with app.app_context():
        return list(stored.records())


def test_segments_sealed_before_the_day_go_whole_and_the_rest_stays_proven(app: Flask) -> None:
    numbers, kept = filled(app), heads(app)

    assert drop(app, FIRST_SEALED + SECOND).records == 9
    assert drop(app, FIRST_SEALED + SECOND).records == 0, "nothing is left"

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
        assert record.detail == {"first": numbers[0], "last": numbers[8], "records": 9, "left": ""}
        write(1)
    seal(app, 60)
    drop(app, FIRST_SEALED + 3 * SECOND)
    seal(app, 61)

    assert [len(one) for one in sealed(app)] == [5, 2, 1]
    assert verify(app).faults == []


def test_the_newest_segment_always_stays(app: Flask) -> None:
    filled(app)

    while drop(app, FIRST_SEALED + timedelta(days=999)).records:
        pass

    assert len(sealed(app)) == 1
    assert verify(app).faults == []


def test_few_are_dropped_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 11)
    filled(app)

    assert [drop(app, FIRST_SEALED + 2 * SECOND).records for _ in range(3)] == [9, 5, 0]
    monkeypatch.setattr(retention, "MOST", 1)
    assert drop(app, FIRST_SEALED + 3 * SECOND).records == 5, "one segment at least"
    assert verify(app).faults == []


TAMPERINGS = {
    "UPDATE audit_record SET actor = 'x' WHERE id = 7": "2",
    "UPDATE audit_record SET actor = 'x' WHERE id = 2": "1",
    "DELETE FROM audit_record WHERE id = 2": "1",
    "UPDATE audit_segment SET sealed_at = '2020-01-01 00:00:00' WHERE number = 2": "2",
    "UPDATE audit_segment SET sealed_at = '2999-01-01 00:00:00' WHERE number = 2": "2",
    "UPDATE audit_segment SET key_id = 'k9' WHERE number = 1": "1",
    "DELETE FROM audit_segment WHERE number = 1": "1",
    "DELETE FROM audit_segment WHERE number IN (2, 3)": "2–3",
    "UPDATE audit_segment SET records = 6 WHERE number IN (1, 3)": "1, 3",
}
"""What somebody does who has no key, and the segments that are beyond proof then."""


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_is_not_as_it_was_sealed_stays_as_it_is_and_the_rest_goes(app: Flask, tampering: str) -> None:
    numbers = filled(app)
    bounds = {1: numbers[:4], 2: numbers[4:9], 3: numbers[9:14], 4: numbers[14:19]}
    sql(app, tampering)
    before, faults, apart = rows_of(app), verify(app).faults, TAMPERINGS[tampering]

    done = drop(app, FIRST_SEALED + 3 * SECOND)

    left = [number for number in bounds if str(number) in apart]
    there = {row.id for row in before}
    assert done.records == sum(len(bounds[number]) for number in bounds if number not in left)
    assert done.left == len(there & {one for number in left for one in bounds[number]})
    kept = {one for number in left for one in bounds[number]} | {*numbers[19:]}
    assert [row for row in rows_of(app) if row.action != Action.AUDIT_DROPPED] == [
        row for row in before if row.id in kept
    ]
    assert verify(app).faults == faults, "what was wrong is told for good"
    assert drop(app, FIRST_SEALED + 3 * SECOND) == (0, 0)
    with app.app_context():
        assert gaps.numbers(retention.left_out()) == apart
        told = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.AUDIT_DROPPED)).one()
        assert told.detail["left"] == apart


def test_who_removes_what_was_left_is_told_of_too(app: Flask) -> None:
    numbers = filled(app)
    sql(app, "UPDATE audit_record SET actor = 'x' WHERE id = 7")
    drop(app, FIRST_SEALED + 2 * SECOND)

    sql(app, "DELETE FROM audit_record WHERE id = 7")
    assert verify(app).faults == ["Record 7 is missing."]
    sql(app, "DELETE FROM audit_segment WHERE number = 2")
    assert verify(app).faults == ["Segment 2 is missing.", f"Records 5 to {numbers[8]} are beyond proof: "
                                  "the segment that sealed them is not sound."]  # fmt: skip
    sql(app, "DELETE FROM audit_record WHERE id < 10")
    assert verify(app).faults == ["Segment 2 is missing."]
    sql(app, "UPDATE audit_checkpoint SET left_out = ''")
    assert verify(app).faults[0] == "The checkpoint was changed."


def test_what_is_put_among_what_was_left_is_named(app: Flask) -> None:
    numbers = filled(app)
    sql(app, "UPDATE audit_record SET actor = 'x' WHERE id = 7")
    drop(app, FIRST_SEALED + 2 * SECOND)

    sql(app, "UPDATE audit_record SET id = 2 WHERE id = :id", id=numbers[-1])
    sql(app, "UPDATE audit_segment SET number = 1 WHERE number = 5")

    assert verify(app).faults == [
        "Record 2 was inserted: all up to 4 were dropped.",
        "Segment 1 was changed.",
        "Record 7 was changed.",
    ]


def test_what_is_mended_goes_with_the_next_purge(app: Flask) -> None:
    filled(app)
    name = "SELECT actor FROM audit_record WHERE id = 7"
    with app.app_context():
        was = db.session.scalar(text(name))
    sql(
        app,
        "UPDATE audit_record SET actor = 'x' WHERE id = 7",
        "UPDATE audit_segment SET key_id = 'k9' WHERE number = 3",
    )
    assert drop(app, FIRST_SEALED + 3 * SECOND) == (9, 10)

    sql(app, "UPDATE audit_record SET actor = :was WHERE id = 7", was=was)
    assert drop(app, FIRST_SEALED) == (0, 0), "too young"
    assert drop(app, FIRST_SEALED + 3 * SECOND) == (5, 0)
    sql(app, "UPDATE audit_segment SET key_id = 'k1' WHERE number = 3")
    assert drop(app, FIRST_SEALED + 3 * SECOND) == (5, 0)

    said = verify(app)
    assert (said.faults, said.verdict.left, len(sealed(app))) == ([], [], 1)


def test_two_that_we_sealed_but_that_do_not_follow_each_other_both_stay(app: Flask) -> None:
    """As from a copy of the database that was run for a while under the same keys."""
    filled(app)
    with app.app_context():
        segment = next(stored.segments(1, most=1))
        secret = secrets_of(this_instance().keys)[segment.key_id]
        other = segment._replace(sealed_at=segment.sealed_at[:-1] + "9")
        seal_ = chain.seal(secret, chain.STAMPED, other[:-1])
        db.session.remove()
    sql(app, f"UPDATE audit_segment SET sealed_at = '{other.sealed_at}', seal = :seal WHERE number = 2", seal=seal_)  # noqa: S608
    faults = verify(app).faults
    assert faults == ["Segment 3 does not follow segment 2: one is of another chain."]

    assert drop(app, FIRST_SEALED + 3 * SECOND) == (9, 10)

    assert verify(app).faults == faults


def test_too_many_places_stop_the_purge(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(app)
    sql(app, "UPDATE audit_segment SET records = 6 WHERE number IN (1, 3)")

    monkeypatch.setattr(retention, "MOST_GAPS", 1)
    with pytest.raises(NotSound):
        drop(app, FIRST_SEALED + 3 * SECOND)
    monkeypatch.setattr(retention, "MOST_GAPS", 2)
    monkeypatch.setattr(proof, "MOST_PASSED", 0)
    with pytest.raises(NotSound):
        drop(app, FIRST_SEALED + 3 * SECOND)


@pytest.mark.parametrize(
    "change",
    ["number = 1", "number = 3", "last_id = 8", "last_id = 14", "records = 10", "dropped_at = '2020-01-01 00:00:00'",
     "key_id = 'k2'", "head = seal", "seal = head", "left_out = '[]'"],
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
