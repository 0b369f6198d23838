"""The search for people in bytes finds them, so that a search that finds nobody says something."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.traces import Traces, files

SECRETS = {
    "number": "100101199003080023",
    "number that ends in X": "11010519491231002X",
    "name": "陈小满",
    "name of two rare characters": "\U00021d2d\U0002a700",
}
TRACES = Traces(SECRETS)

WAYS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in full width": lambda said: said.translate({ord(one): ord(one) + 0xFEE0 for one in "0123456789Xx"}).encode(),
    "in groups": lambda said: f"{said[:6]} {said[6:14]} {said[14:]}".encode(),
    "in groups, in full width, with wide spaces": lambda said: "\u3000".join(
        chr(ord(one) + 0xFEE0) for one in said
    ).encode(),
    "in groups with hyphens": lambda said: f"{said[:6]}-{said[6:14]}-{said[14:]}".encode(),
    "in fours": lambda said: " ".join(said[place : place + 4] for place in range(0, len(said), 4)).encode(),
    "character by character": lambda said: " ".join(said).encode(),
    "in UTF-16, little end first": lambda said: said.encode("utf-16-le"),
    "in UTF-16, big end first": lambda said: said.encode("utf-16-be"),
    "in groups in UTF-16": lambda said: f"{said[:6]} {said[6:14]} {said[14:]}".encode("utf-16-le"),
    "in GB 18030": lambda said: said.encode("gb18030"),
    **{f"in base64 behind {before} bytes": lambda said, before=before: base64.b64encode(
        b"abc"[:before] + said.encode() + b"end") for before in range(3)},  # type: ignore[misc]
    "in base64 for addresses": lambda said: base64.urlsafe_b64encode(b"x" + said.encode() + b"y"),
    "in base64 of UTF-16": lambda said: base64.b64encode(b"x" + said.encode("utf-16-le") + b"y"),
    "in base64 of groups": lambda said: base64.b64encode(f"x{said[:6]} {said[6:14]} {said[14:]}y".encode()),
    "in hex": lambda said: said.encode().hex().encode(),
    "in hex, in capitals": lambda said: said.encode().hex().upper().encode(),
    "in hex of UTF-16": lambda said: said.encode("utf-16-be").hex().encode(),
    "as mails are written": lambda said: "".join(f"={byte:02X}" for byte in said.encode()).encode(),
    "as JSON": lambda said: json.dumps(said).encode(),
}  # fmt: skip
OF_NUMBERS = ("full width", "groups", "fours")


@pytest.mark.parametrize("way", WAYS)
def test_whatever_way_a_person_is_written_in_a_file_it_is_found(way: str, tmp_path: Path) -> None:
    for name in SECRETS:
        if "number" in name or not any(word in way for word in OF_NUMBERS):
            (tmp_path / "left over").write_bytes(b"\x00\xff before " + WAYS[way](SECRETS[name]) + b" after\x80")
            assert [name in TRACES.found_in(content) for _place, content in files(tmp_path)] == [True], name


def test_who_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("100101 19900308 0024 陈小曼 １１０１０５１９４９１２３１００２１".encode())

    assert [TRACES.found_in(content) for _place, content in files(tmp_path)] == [[]]
