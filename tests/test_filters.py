"""What stands in an address can be typed by anyone: no filter of any page may fail on it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support.cast import ADMIN, Desk, Member

Open = Callable[[Member | None], Desk]
PAGES = {"/history": "/history", "/history/export": "/history", "/audit": "/audit", "/quota/ledger": "/quota/ledger",
         "/usage": "/usage", "/quota": "/quota"}  # fmt: skip
"""Pages that read their address, and where the form stands that fills it."""
ODD = (" ", "\u3000", "\0", "-1", "9" * 30, "٣", "x" * 5_000)
_FORM = re.compile(r'<form [^>]*method="get".*?</form>', re.DOTALL)
_LIST = re.compile(r'<select [^>]*name="([^"]+)"|<select name="([^"]+)"')
_FIELD = re.compile(r'<(?:input|select)\b[^>]*?\bname="([^"]+)"')


@pytest.mark.parametrize("page", PAGES)
def test_no_filter_fails_on_what_stands_in_its_address(desk: Open, page: str) -> None:
    admin = desk(ADMIN)
    admin.record_lot()
    forms = "".join(_FORM.findall(admin.get(PAGES[page]).text))
    lists = {name for names in _LIST.findall(forms) for name in names if name}
    fields = {*_FIELD.findall(forms)} - {"csrf_token"}
    assert fields
    for name in sorted(fields):
        for odd in ODD:
            answer = admin.client.get(page, query_string={name: odd})
            assert answer.status_code < 500, (name, odd[:40])
            assert name not in lists or answer.status_code in (400, 422), (name, odd[:40])


@pytest.mark.parametrize(("page", "more"), [
    ("/audit/file", {}), ("/quota/ledger/file", {}), ("/history/export", {"format": "csv"}),
    ("/history/views", {"name": "mine"}), ("/history", {"q": "0014"}),
])  # fmt: skip
def test_no_form_that_takes_filters_up_fails_on_blanks(desk: Open, page: str, more: dict[str, str]) -> None:
    admin = desk(ADMIN)
    for name in ("operator", "department", "purpose", "actor", "lot", "person", "kind", "outcome"):
        assert admin.post(page, {**more, name: " "}).status_code < 500
        assert admin.post(f"{page}?{name}=%20", more).status_code < 500
