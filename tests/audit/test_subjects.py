"""Fingerprints of people: the same person gives the same one, and nothing else can be learnt from it."""

from __future__ import annotations

from webapp.audit.subjects import fingerprint, fingerprints
from webapp.foundation.keys import Key, Keys
from webapp.foundation.sealing import Sealer

OLD, NEW = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
NUMBER = "11010519491231002X"


def keys(*audit: Key) -> Keys:
    """Keys whose audit keys alone differ from the others."""
    return Keys("session", (OLD,), (OLD,), audit)


def test_the_same_kind_and_value_give_the_same_fingerprint_and_others_another() -> None:
    pairs = [
        ("number", NUMBER),
        ("number", "440524188001010014"),
        ("name", NUMBER),
        ("last4", "002X"),
        ("na", "me" + NUMBER),
    ]

    assert len({fingerprint(kind, value, keys(OLD)) for kind, value in pairs}) == len(pairs)
    assert fingerprint("number", NUMBER, keys(OLD)) == fingerprint("number", NUMBER, keys(OLD))
    assert len(fingerprint("name", "\udc80", keys(OLD))) == 16


def test_a_fingerprint_is_no_blind_index_even_under_the_same_key() -> None:
    same = keys(OLD)

    assert fingerprint("number", NUMBER, same) != Sealer(same).index("number", NUMBER)


def test_records_are_searched_under_every_audit_key_and_made_under_the_first() -> None:
    rotated = keys(NEW, OLD)

    assert fingerprint("number", NUMBER, rotated) == fingerprint("number", NUMBER, keys(NEW))
    assert set(fingerprints("number", NUMBER, rotated)) == {
        fingerprint("number", NUMBER, keys(OLD)), fingerprint("number", NUMBER, keys(NEW)),
    }  # fmt: skip
