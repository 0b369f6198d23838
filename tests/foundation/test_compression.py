"""Pages travel compressed to who takes it, and say the same."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import brotli
import pytest

from tests.support.cast import ADMIN, Desk, Member

Open = Callable[[Member | None], Desk]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize(("takes", "coding", "unpack"), [
    ("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress),
    ("br;q=0, gzip", "gzip", gzip.decompress), ("identity", None, bytes), ("", None, bytes),
])  # fmt: skip
def test_a_page_is_the_same_however_it_travels(
    desk: Open, takes: str, coding: str | None, unpack: Callable[[bytes], bytes]
) -> None:
    browser = desk(None)
    plain = browser.get("/login")
    packed = browser.get("/login", headers={"Accept-Encoding": takes})
    assert _without_tokens(unpack(packed.data)) == _without_tokens(plain.data)
    assert packed.headers.get("Content-Encoding") == coding
    assert packed.headers["Content-Length"] == str(len(packed.data))
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert coding is None or len(packed.data) * 2 < len(plain.data)


def _without_tokens(page: bytes) -> bytes:
    """The page but for the tokens of its forms, which hold the second."""
    return re.sub(rb'name="csrf_token"[^>]*value="[^"]+"', b"", page)


def test_a_page_that_repeats_a_refused_text_is_not_compressed(desk: Open) -> None:
    answer = desk(ADMIN).get("/history?from=whatever-a-link-holds", headers={"Accept-Encoding": "br"})
    assert answer.status_code == 422
    assert "Content-Encoding" not in answer.headers


def test_a_file_that_is_streamed_is_left_alone(desk: Open) -> None:
    answer = desk(ADMIN).post("/quota/ledger/file", headers={"Accept-Encoding": "br"})
    assert answer.mimetype == "text/csv"
    assert "Content-Encoding" not in answer.headers
