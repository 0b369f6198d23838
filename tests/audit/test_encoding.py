"""The canonical encoding: no two different rows, and no two different sequences of rows, are sealed alike."""

from __future__ import annotations

import hmac
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from webapp.audit import chain
from webapp.audit.segments import AuditCheckpoint, AuditSegment
from webapp.audit.stored import Checkpoint, Record, Segment
from webapp.audit.trail import AuditRecord

SECRET = bytes(range(32))
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=8)
"""Halves of surrogate pairs among them: they stand for bytes that are no UTF-8."""
VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS | st.binary(max_size=8)
LIKELY = VALUES | st.sampled_from(["", b"", "0", 0, "n0:", b"n0:", "i1:1", "s0:", None, "r3:n0:", "1", 1, 1.0, b"1"])
"""Values that other values would look like if the encoding were careless."""
ROWS = st.lists(LIKELY, max_size=4)


def told_apart(one: object, other: object) -> bool:
    """Whether two things are different; 1 is not 1.0, nor -0.0 0.0: a column with another type was changed."""
    return repr(one) != repr(other)


@given(ROWS, ROWS)
def test_different_rows_are_encoded_differently(one: list[chain.Value], other: list[chain.Value]) -> None:
    assert (chain.encode(one) != chain.encode(other)) == told_apart(one, other)


@given(st.lists(ROWS, max_size=4), st.lists(ROWS, max_size=4))
def test_different_sequences_are_encoded_differently(one: list[chain.Row], other: list[chain.Row]) -> None:
    joined = (b"".join(map(chain.encode, rows)) for rows in (one, other))

    assert (next(joined) != next(joined)) == told_apart(one, other)
    assert (chain.content(SECRET, one) != chain.content(SECRET, other)) == told_apart(one, other)


@given(ROWS, st.data())
def test_where_a_value_ends_cannot_be_shifted(row: list[chain.Value], data: st.DataObject) -> None:
    """The same characters, cut into other values."""
    text = "".join(value for value in row if isinstance(value, str)) + "ab"
    first, second = (data.draw(st.integers(0, len(text))) for _ in range(2))

    alike = chain.encode([text[:first], text[first:]]) == chain.encode([text[:second], text[second:]])
    assert alike == (first == second)


@given(st.lists(st.tuples(st.integers(1, 2**40), ROWS), max_size=4), st.integers(0, 4))
def test_records_that_were_encoded_in_parts_are_sealed_alike(rows: list[tuple[int, chain.Row]], cut: int) -> None:
    whole = [(number, *rest) for number, rest in rows]
    parts = [(number, chain.values(rest[:cut]) + chain.values(rest[cut:])) for number, rest in rows]

    content, marks = chain.seals_encoded(SECRET, parts)

    assert (content, marks) == chain.seals(SECRET, whole)
    assert content == chain.content(SECRET, whole)
    assert list(chain.unpack_marks(marks)) == [(record[0], chain.mark(SECRET, record)) for record in whole]


def test_the_encoding_is_the_documented_one() -> None:
    """A change here would leave all that was sealed before beyond proof."""
    row = [7, None, "张", b"\xff\x00", True, 0.5, ""]

    half = b"0x1.0000000000000p-1"
    body = b"i1:7n0:s3:\xe5\xbc\xa0b2:\xff\x00i1:1f20:" + half + b"s0:"

    assert chain.encode(row) == b"r%d:" % len(body) + body
    expected = hmac.digest(SECRET, chain.encode(["yuliang audit content 1"]) + chain.encode(row), sha256)
    assert chain.content(SECRET, [row]) == expected


def test_a_seal_of_one_kind_never_stands_for_another() -> None:
    row = (1, 2, b"x")
    seals = {chain.seal(SECRET, kind, row) for kind in (*chain.SEGMENT, *chain.CHECKPOINT, chain.STAMP)}
    seals.add(chain.content(SECRET, [row]))

    assert len(seals) == 5
    assert {sealed[:4] for sealed in seals}.isdisjoint({chain.mark(SECRET, row), chain.mark(SECRET, (0, *row))})


def test_every_column_is_sealed() -> None:
    for model, row in ((AuditRecord, Record), (AuditSegment, Segment), (AuditCheckpoint, Checkpoint)):
        assert tuple(column.name for column in model.__table__.columns) == row._fields
