"""Sealed blobs open where they were sealed and nowhere else; blind indexes find and do not tell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.foundation.keys import Key, Keys
from webapp.foundation.sealing import ALGORITHMS, Algorithm, CannotOpen, Sealer, head_of, make_head

FIRST, SECOND, THIRD = Key("k1", b"1" * 32), Key("k2", b"2" * 32), Key("k3", b"3" * 32)
some = settings(max_examples=60)
places = st.sampled_from(["identity:1", "identity:2", "identity:11", "setting:YULIANG_APPCODE", ""])


def sealer(data: tuple[Key, ...] = (FIRST,), index: tuple[Key, ...] = (FIRST,)) -> Sealer:
    return Sealer(Keys("session", data, index, (FIRST,)))


OURS = sealer()


@given(st.binary(max_size=300), places)
@some
def test_what_was_sealed_opens_at_its_place(content: bytes, place: str) -> None:
    assert OURS.open(OURS.seal(content, place), place) == content


@given(st.lists(st.tuples(places, st.binary(max_size=40)), max_size=6))
@some
def test_what_was_sealed_together_opens_each_at_its_place_and_no_nonce_is_used_twice(
    contents: list[tuple[str, bytes]],
) -> None:
    sealed = OURS.seal_all(contents)

    assert [OURS.open(blob, place) for blob, (place, _content) in zip(sealed, contents, strict=True)] == [
        content for _place, content in contents
    ]
    assert len({blob[4:16] for blob in sealed}) == len(contents), "after version, length and id of the key"


@given(st.dictionaries(st.sampled_from(["name", "number", "raw"]), st.text(st.characters(exclude_categories=["Cs"]))))
@some
def test_a_json_object_opens_as_it_was(content: dict[str, Any]) -> None:
    assert OURS.open_json(OURS.seal_json(content, "identity:7"), "identity:7") == content


@given(st.binary(max_size=50), places, places)
@some
def test_a_blob_moved_to_another_place_does_not_open(content: bytes, place: str, other: str) -> None:
    if place != other:
        with pytest.raises(CannotOpen):
            OURS.open(OURS.seal(content, place), other)


@given(st.binary(max_size=40), st.data())
@some
def test_a_blob_with_one_changed_bit_does_not_open(content: bytes, data: st.DataObject) -> None:
    blob = bytearray(OURS.seal(content, "identity:1"))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        OURS.open(bytes(blob), "identity:1")


@given(st.binary(max_size=40), st.data())
@some
def test_a_blob_that_was_cut_or_extended_does_not_open(content: bytes, data: st.DataObject) -> None:
    blob = OURS.seal(content, "identity:1")
    end = data.draw(st.integers(0, len(blob) - 1))
    for broken in (blob[:end], blob + b"\0", blob[end + 1 :]):
        with pytest.raises(CannotOpen):
            OURS.open(broken, "identity:1")


@given(st.binary(max_size=80))
@some
def test_any_bytes_are_refused_in_one_way(blob: bytes) -> None:
    with pytest.raises(CannotOpen):
        OURS.open(blob, "identity:1")


def test_under_another_key_of_the_same_name_nothing_opens() -> None:
    stranger = sealer((Key("k1", b"x" * 32),))

    with pytest.raises(CannotOpen, match="identity:1 does not open"):
        stranger.open(OURS.seal(b"content", "identity:1"), "identity:1")


def test_the_first_key_seals_and_all_open() -> None:
    before, rotated, after = sealer((FIRST,)), sealer((SECOND, FIRST)), sealer((SECOND,))
    old, new = before.seal(b"old", "p"), rotated.seal(b"new", "p")

    assert rotated.open(old, "p") == b"old"
    assert rotated.open(new, "p") == after.open(new, "p") == b"new"
    with pytest.raises(CannotOpen):
        before.open(new, "p")
    with pytest.raises(CannotOpen):
        after.open(old, "p")


def test_equal_contents_give_unequal_blobs_and_none_shows_its_content() -> None:
    blobs = {OURS.seal(b"11010519491231002X", "identity:1") for _ in range(50)}

    assert len(blobs) == 50
    assert all(b"110105" not in blob for blob in blobs)


def test_a_blob_tells_its_format_and_key_so_that_another_algorithm_can_join() -> None:
    blob = sealer((Key("2026-autumn", b"1" * 32),)).seal(b"", "p")

    assert blob[:13] == b"\x01\x0b2026-autumn"
    with pytest.raises(CannotOpen, match="algorithm 2"):
        OURS.open(b"\x02" + blob[1:], "p")


def test_another_algorithm_joins_by_one_line_and_what_either_sealed_opens_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = sealer((FIRST, SECOND))
    blobs = [ours.seal(b"%d" % n, f"person:{n}") for n in range(3)]
    monkeypatch.setitem(ALGORITHMS, 9, Algorithm("ChaCha20-Poly1305", ChaCha20Poly1305))
    newer = sealer((FIRST, SECOND))
    blobs += newer.seal_all((f"person:{n}", b"%d" % n) for n in range(3, 6))
    blobs += [ours.seal(b"6", "person:6"), newer.seal(b"7", "person:7")]

    assert [head_of(blob) for blob in blobs] == [(n, "k1") for n in (1, 1, 1, 9, 9, 9, 1, 9)]
    assert newer.head == make_head(9, "k1")
    assert list(newer.open_rows(enumerate(blobs), "person")) == [b"%d" % n for n in range(8)]
    with pytest.raises(CannotOpen):
        newer.open(make_head(1, "k1") + blobs[3][4:], "person:3")
    with pytest.raises(CannotOpen):
        sealer((SECOND,)).open(blobs[3], "person:3")


def test_an_index_finds_the_same_value_again_and_no_other() -> None:
    assert OURS.index("number", "11010519491231002X") == sealer().index("number", "11010519491231002X")
    assert OURS.index("number", "11010519491231002X") != OURS.index("number", "110105194912310029")
    assert len(OURS.index("number", "")) == 16


def test_kinds_are_kept_apart() -> None:
    kinds = ("number", "name", "beginning", "last4", "reference", "person", "login")

    assert len({OURS.index(kind, "张三") for kind in kinds}) == len(kinds)


def test_an_index_is_no_plain_hash() -> None:
    value = b"11010519491231002X"

    assert OURS.index("number", value.decode()) not in {
        make(value).digest()[:16] for make in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512)
    }  # fmt: skip


def test_a_search_tries_every_index_key_and_the_first_indexes() -> None:
    old, both, new = (sealer(index=keys) for keys in ((FIRST,), (SECOND, FIRST), (SECOND,)))

    assert both.index("name", "张三") == new.index("name", "张三")
    assert both.indexes("name", "张三") == [old.index("name", "张三"), new.index("name", "张三")]


def test_data_and_index_keys_are_independent() -> None:
    one = sealer(data=(SECOND,), index=(FIRST,))

    assert one.index("name", "张三") == OURS.index("name", "张三")
    with pytest.raises(CannotOpen):
        one.open(OURS.seal(b"", "p"), "p")


@pytest.mark.parametrize("index", [(SECOND,), (SECOND, FIRST), (Key("k1", b"9" * 32),)])
def test_the_fingerprint_changes_with_the_first_index_key_only(index: tuple[Key, ...]) -> None:
    assert sealer(index=index).fingerprint() != OURS.fingerprint()
    assert sealer(data=(THIRD,), index=(FIRST, SECOND)).fingerprint() == OURS.fingerprint()


@pytest.mark.parametrize("make", [lambda s: s.index("name", "\ud800"), lambda s: s.indexes("name", "\U00020bb7\0")])
def test_any_text_can_be_searched(make: Callable[[Sealer], object]) -> None:
    assert make(OURS)


def test_rows_open_as_each_by_itself_under_whichever_keys_they_are() -> None:
    older, both = sealer(), sealer((SECOND, FIRST))
    blobs = [(one if n % 3 else older).seal(f"{n}".encode(), f"person:{n}") for n, one in enumerate([both] * 10)]

    assert list(both.open_rows(enumerate(blobs), "person")) == [b"%d" % n for n in range(10)]


@pytest.mark.parametrize("at", [0, 1])
def test_among_rows_one_that_was_changed_moved_or_cut_does_not_open(at: int) -> None:
    ours = sealer()
    blobs = [(n, ours.seal(b"content", f"person:{n}")) for n in range(2)]
    changed = bytearray(blobs[at][1])
    changed[-1] ^= 1
    for bad in (bytes(changed), blobs[1 - at][1], blobs[at][1][:-1], blobs[at][1][:20], b"", b"\x01"):
        rows = [(n, bad if n == at else blob) for n, blob in blobs]

        with pytest.raises(CannotOpen):
            list(ours.open_rows(rows, "person"))
    with pytest.raises(CannotOpen):
        list(ours.open_rows(blobs, "another"))
    with pytest.raises(CannotOpen):
        list(sealer((SECOND,)).open_rows(blobs, "person"))
