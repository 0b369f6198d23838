"""The commitment: the same for ever for the same receipt, another for anything else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.receipts import commitment, paper
from webapp.receipts.commitment import Facts, Secret

KEY = bytes(range(32))
FACTS = Facts("14D2PF28AN03", "某某市政务服务中心", "match", datetime(2026, 11, 2, 4, 0, 0, 123456, UTC))
SECRET = Secret("张三", "11010519491231002X", bytes(range(16)))
REUSED = replace(FACTS, reused_at=datetime(2026, 11, 2, 7, 0, tzinfo=UTC))
VECTORS = [
    (FACTS, SECRET, "b7f6b39cbd71a89fbd7dc40172e83cf422c9ab099047ac5d962a8dc9c88f6011"),
    (REUSED, SECRET, "057b7529e590d25e0e39f0a6456a4eb4dd9ef6a3f9eff8a7cfcd2779195f5894"),
    (
        replace(FACTS, unit="", outcome="no_such_number"),
        replace(SECRET, name="欧阳𠮷·买买提"),
        "7d8092dd19f85bc5597db99dafd1c1308f523f0cda2cec6f46ca82bef1994ab9",
    ),
]
texts = st.text(max_size=30)
instants = st.datetimes(timezones=st.just(UTC))
facts = st.builds(Facts, texts, texts, texts, instants, st.none() | instants)
secrets = st.builds(Secret, texts, texts, st.binary(min_size=16, max_size=16))


@pytest.mark.parametrize(("facts", "secret", "expected"), VECTORS)
def test_a_receipt_is_committed_to_as_it_always_was(facts: Facts, secret: Secret, expected: str) -> None:
    assert commitment.digest(facts, secret, KEY).hex() == expected


def test_the_commitment_is_what_the_docs_say() -> None:
    parts = [b"yuliang receipt 1", b"14D2PF28AN03", "某某市政务服务中心".encode(), b"match",
             b"2026-11-02T04:00:00.123456+00:00", b"", "张三".encode(), b"11010519491231002X", SECRET.salt]  # fmt: skip
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    assert commitment.digest(FACTS, SECRET, KEY) == hmac.new(KEY, message, hashlib.sha256).digest()


@given(facts, secrets, facts, secrets)
def test_any_changed_field_makes_another_commitment(facts: Facts, secret: Secret, others: Facts, other: Secret) -> None:
    committed = commitment.digest(facts, secret, KEY)
    assert commitment.holds(committed, facts, secret, KEY)
    for name in Facts.__slots__:
        changed = replace(facts, **{name: getattr(others, name)})
        assert commitment.holds(committed, changed, secret, KEY) is (changed == facts), name
    for name in Secret.__slots__:
        claimed = replace(secret, **{name: getattr(other, name)})
        assert commitment.holds(committed, facts, claimed, KEY) is (claimed == secret), name
    assert not commitment.holds(committed, facts, secret, bytes(32))


@given(st.text(min_size=1, max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_where_one_field_ends_and_the_next_begins_matters(text: str, one: int, other: int) -> None:
    assume(text[:one] != text[:other])
    first = Secret(text[:one], text[one:], SECRET.salt)
    second = Secret(text[:other], text[other:], SECRET.salt)

    assert commitment.digest(FACTS, first, KEY) != commitment.digest(FACTS, second, KEY)


def test_the_same_instant_in_another_zone_is_the_same() -> None:
    elsewhere = replace(FACTS, at=FACTS.at.astimezone(timezone(timedelta(hours=8))))

    assert commitment.digest(elsewhere, SECRET, KEY) == commitment.digest(FACTS, SECRET, KEY)


def test_neither_name_nor_number_nor_salt_shows_in_a_repr() -> None:
    assert repr(SECRET) == "Secret()"


@given(st.binary(min_size=16, max_size=16))
def test_a_salt_is_printed_in_groups_and_read_again(salt: bytes) -> None:
    printed = commitment.write_salt(salt)

    assert [len(group) for group in printed.split("-")] == [4, 4, 4, 4, 4, 4, 3]
    assert commitment.read_salt(printed) == salt


def test_a_code_of_more_than_a_salt_can_hold_is_a_slip() -> None:
    with pytest.raises(paper.Mistyped) as raised:
        commitment.read_salt(paper.write(2**128, commitment.SALT_SIZE))
    assert raised.value.slip == paper.Slip.CHECK
