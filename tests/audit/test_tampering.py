"""Whoever can rewrite the database but has no key is found out: any field changed, any record or segment removed,
inserted or reordered, any end cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, select, update

from tests.audit.trails import filled, heads, seal, sql, verify, write
from webapp.audit.segments import AuditCheckpoint, AuditSegment
from webapp.audit.trail import AuditRecord
from webapp.audit.verifier import NOT_OURS
from webapp.foundation.database import Base, db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ENDS = ("was changed.", "is sealed under a key that this instance does not hold: 'k2'.",
        "is sealed under a key that this instance does not hold: ''.")  # fmt: skip
OTHER: dict[str, list[object]] = {
    "at": [LONG_AGO, datetime(2026, 11, 2, 4, 0, 0, 1, tzinfo=UTC)],
    "actor_id": [3, None],
    "actor": ["丙同事", "", "乙核验 "],
    "action": ["login"],
    "object_type": ["", "user"],
    "object_id": [99, None],
    "success": [False],
    "address": ["192.0.2.8", ""],
    "request_id": ["", "r-2"],
    "detail": [{}, {"calls": 8}, {"calls": "7"}, {"calls": 7, "more": None}],
    "subject": [None, b"q" * 16, b"p" * 15],
    "shown": [1, 2**40],
    "stamp": [None, b"q" * 16, b""],
}
OTHER_OF_SEGMENT: dict[str, list[object]] = {
    "number": [77, 0],
    "first_id": [1],
    "last_id": [1, 900],
    "records": [4],
    "sealed_at": [LONG_AGO],
    "key_id": ["k2", ""],
    "previous": [bytes(32)],
    "content": [bytes(32)],
    "marks": [b"", b"no multiple"],
    "seal": [bytes(32), b""],
}


def test_what_nobody_touched_is_sound(app: Flask) -> None:
    numbers = filled(app)

    said = verify(app, heads(app)[-1])

    assert said.faults == []
    assert (said.verdict.records, said.verdict.segments, said.verdict.unsealed) == (len(numbers), 5, 0)
    assert said.verdict.head == heads(app)[-1]


def test_an_empty_trail_is_sound(app: Flask) -> None:
    sql(app, "DELETE FROM audit_record")

    said = verify(app)

    assert (said.faults, said.verdict.head, said.verdict.records) == ([], "", 0)


def test_a_changed_field_of_a_record_is_found_and_the_record_named(app: Flask) -> None:
    victim = filled(app)[-8]

    assert {*OTHER, "id"} == set(row_of(app, AuditRecord, victim)), "every field"
    for column, value in pairs(OTHER):
        with changed(app, AuditRecord, victim, column, value):
            assert verify(app).faults == [f"Record {victim} was changed."], (column, value)
    assert verify(app).faults == [], "put back as it was"


def test_a_record_under_another_number_is_missing_and_inserted(app: Flask) -> None:
    numbers = filled(app)
    victim = numbers[-8]

    for number in (-3, 0):
        with changed(app, AuditRecord, victim, "id", number):
            assert verify(app).faults == [f"Record {number} {NOT_OURS}", f"Record {victim} is missing."]
    with changed(app, AuditRecord, victim, "id", numbers[-1] + 1):
        said = verify(app)
        assert said.faults == [f"Record {victim} is missing.", f"Record {numbers[-1] + 1} {NOT_OURS}"]
        assert said.verdict.unsealed == 0
    assert verify(app).faults == []


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_changed_field_of_a_segment_is_found_and_the_segment_named(app: Flask, number: int) -> None:
    filled(app)
    before = row_of(app, AuditSegment, number)

    assert set(OTHER_OF_SEGMENT) == set(before), "every field"
    for column, value in pairs(OTHER_OF_SEGMENT):
        if value != before[column]:
            with changed(app, AuditSegment, number, column, value):
                name = f"Segment {value if column == 'number' else number}"
                assert {f"{name} {end}" for end in ENDS} & set(verify(app).faults), (column, value)
    assert verify(app).faults == [], "put back as it was"


def pairs(values: dict[str, list[object]]) -> list[tuple[str, object]]:
    return [(column, value) for column, of_it in values.items() for value in of_it]


def row_of(app: Flask, model: type[Base], key: int) -> dict[str, Any]:
    """A row's values by column."""
    table = model.metadata.tables[model.__tablename__]
    with app.app_context(), db.engine.connect() as connection:
        return dict(connection.execute(select(table).where(_key(model) == key)).mappings().one())


@contextmanager
def changed(app: Flask, model: type[Base], key: int, column: str, value: object) -> Iterator[None]:
    """A row with another value in one column, and as it was afterwards."""
    is_key = column == _key(model).name
    before = row_of(app, model, key)[column]
    sql(app, update(model).where(_key(model) == key).values({column: value}))
    yield
    sql(app, update(model).where(_key(model) == (value if is_key else key)).values({column: before}))


def _key(model: type[Base]) -> Column[Any]:
    [key] = model.metadata.tables[model.__tablename__].primary_key
    return key


def test_removed_records_are_named(app: Flask) -> None:
    numbers = filled(app)
    victims = [numbers[place] for place in (0, 5, 11, 12, -1)]

    for victim in victims:
        sql(app, "DELETE FROM audit_record WHERE id = :id", id=victim)

    assert verify(app).faults == [f"Record {victim} is missing." for victim in victims]


def test_an_inserted_record_is_named_wherever_it_stands(app: Flask) -> None:
    numbers = filled(app)
    copy = "INSERT INTO audit_record SELECT :id, at, actor_id, actor, action, object_type, object_id, success, " \
           "address, request_id, detail, subject, shown, stamp FROM audit_record WHERE id = :of"  # fmt: skip
    sql(app, "DELETE FROM audit_record WHERE id = :id", id=numbers[9])
    for place in (-5, 0, numbers[9]):
        sql(app, copy, id=place, of=numbers[3])

    assert verify(app).faults == [
        f"Record -5 {NOT_OURS}",
        f"Record 0 {NOT_OURS}",
        f"Record {numbers[9]} was changed.",
    ]


def test_two_records_that_changed_places_are_named(app: Flask) -> None:
    one, other = filled(app)[10:12]

    sql(app, "UPDATE audit_record SET id = -1 WHERE id = :one", one=one)
    sql(app, "UPDATE audit_record SET id = :one WHERE id = :other", one=one, other=other)
    sql(app, "UPDATE audit_record SET id = :other WHERE id = -1", other=other)

    assert verify(app).faults == [
        f"Record {one} was reordered: it holds what was record {other}.",
        f"Record {other} was reordered: it holds what was record {one}.",
    ]


def test_a_removed_segment_is_found_and_its_records_are_not_believed(app: Flask) -> None:
    numbers = filled(app)

    sql(app, "DELETE FROM audit_segment WHERE number IN (2, 3)")

    assert verify(app).faults == [
        "Segments 2 to 3 are missing.",
        f"Records {numbers[4]} to {numbers[13]} are beyond proof: the segment that sealed them is not sound.",
    ]


def test_the_first_segments_cannot_be_removed_with_their_records(app: Flask) -> None:
    numbers = filled(app)

    sql(app, "DELETE FROM audit_segment WHERE number < 3")
    sql(app, "DELETE FROM audit_record WHERE id <= :last", last=numbers[8])

    assert verify(app).faults == ["Segments 1 to 2 are missing."]


def test_segments_that_changed_places_are_found(app: Flask) -> None:
    filled(app)

    for old, new in ((2, 90), (3, 2), (90, 3)):
        sql(app, "UPDATE audit_segment SET number = :new WHERE number = :old", old=old, new=new)

    assert {"Segment 2 was changed.", "Segment 3 was changed."} <= set(verify(app).faults)


def test_an_end_that_was_cut_off_is_found_by_any_later_head(app: Flask) -> None:
    numbers, kept = filled(app), heads(app)

    sql(app, "DELETE FROM audit_segment WHERE number > 3")
    sql(app, "DELETE FROM audit_record WHERE id > :last", last=numbers[13])

    assert verify(app).faults == [], "what remains is sound by itself"
    assert verify(app, kept[2]).faults == [], "a head from before the cut"
    for lost in kept[3:]:
        assert verify(app, lost).faults == [
            f"The head {lost} is not in the chain: its end was cut off, or this is another chain."
        ]


def test_records_that_are_sealed_anew_after_a_cut_do_not_bring_the_head_back(app: Flask) -> None:
    numbers, kept = filled(app), heads(app)
    sql(app, "DELETE FROM audit_segment WHERE number = 5")
    sql(app, "DELETE FROM audit_record WHERE id = :id", id=numbers[-1])

    seal(app, 99)

    assert verify(app).faults == []
    assert len(verify(app, kept[-1]).faults) == 1


def test_every_former_head_stays_in_the_chain(app: Flask) -> None:
    filled(app)
    kept = heads(app)
    with app.app_context():
        write(1, 2)
    seal(app, 50)

    assert [verify(app, head).faults for head in kept] == [[]] * 5


def test_a_made_up_checkpoint_hides_nothing(app: Flask) -> None:
    numbers = filled(app)
    checkpoint = AuditCheckpoint.__table__.insert().values(  # type: ignore[attr-defined]
        number=2, last_id=numbers[8], records=9, dropped_at=LONG_AGO, key_id="k1",
        head=bytes.fromhex(heads(app)[1]), seal=bytes(32),
    )  # fmt: skip
    sql(app, checkpoint)
    sql(app, "DELETE FROM audit_segment WHERE number < 3")
    sql(app, "DELETE FROM audit_record WHERE id <= :last", last=numbers[8])

    assert verify(app).faults == ["The checkpoint was changed.", "Segments 1 to 2 are missing."]


def test_another_key_proves_nothing(app: Flask, make_app: Any) -> None:
    filled(app)
    other = make_app(AUDIT_KEY="k1:" + "QUFB" * 10 + "QUE=")

    said = verify(other)

    assert [one for one in said.faults if one.startswith("Segment ")] == [
        f"Segment {n} was changed." for n in range(1, 6)
    ]
    assert (said.verdict.records, said.verdict.head) == (0, "")


ODD = [("object_id", "'3x'"), ("object_id", "3.5"), ("object_id", "x'33'"), ("success", "2"), ("success", "'yes'"),
       ("at", "'2026-11-02 04:00:03'"), ("at", "'never'"), ("at", "x'00'"), ("actor", "CAST(x'ff00fe' AS TEXT)"),
       ("actor", "CAST(actor AS BLOB)"), ("actor", "actor || char(0)"), ("detail", "'{\"calls\":  7}'"),
       ("detail", "'{\"calls\": 7, \"calls\": 7}'"), ("detail", "'no json'"), ("detail", "CAST(detail AS BLOB)"),
       ("subject", "'pppppppppppppppp'")]  # fmt: skip
ODD_OF_SEGMENT = [
    (column, value)
    for column in OTHER_OF_SEGMENT
    for value in ("'x'", "x'00'", "1.5", "CAST(x'ff00fe' AS TEXT)")
    if column != "number"
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whatever_sqlite_lets_stand_in_a_column_is_found(app: Flask) -> None:
    """Values of other types, text that is no text, JSON that reads the same: nothing makes the verifier fail."""
    victim = filled(app)[7]

    for column, value in ODD:
        with odd(app, "audit_record", victim, column, value):
            assert verify(app).faults == [f"Record {victim} was changed."], (column, value)
    for column, value in ODD_OF_SEGMENT:
        with odd(app, "audit_segment", 3, column, value):
            assert any(fault.startswith("Segment 3 ") for fault in verify(app).faults), (column, value)
    assert verify(app).faults == []


@contextmanager
def odd(app: Flask, table: str, key: int, column: str, value: str) -> Iterator[None]:
    """A row with this SQL in one column, and as it was afterwards."""
    name = "id" if table == "audit_record" else "number"
    one = f"{table} WHERE {name} = {key}"
    sql(app, f"CREATE TABLE kept AS SELECT * FROM {one}")  # noqa: S608
    sql(app, f"UPDATE {table} SET {column} = {value} WHERE {name} = {key}")  # noqa: S608
    yield
    sql(app, f"DELETE FROM {one}", f"INSERT INTO {table} SELECT * FROM kept", "DROP TABLE kept")  # noqa: S608
