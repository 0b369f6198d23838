"""The sheet as a real browser prints it: one page of A4, every word on it, rare characters with glyphs of their own."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize
from sqlalchemy import update

from tests.journeys.visitor import Visitor
from tests.receipts.papers import issue, print_sheet
from tests.support import axe
from tests.support.cast import OPERATOR, Desk
from tests.support.over_http import served
from webapp.accounts.models import Department
from webapp.foundation.database import transaction

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]

LOCALES = ("zh-CN", "en")
PHONE: ViewportSize = {"width": 390, "height": 844}
DARK_PHONE = {"viewport": PHONE, "color_scheme": "dark"}
NAME, NUMBER = "\U00020bb7演", "11010519491231002X"
"""A name of nobody that begins outside the BMP: a mismatch."""
A4 = (595, 842)
"""Points, rounded."""
WORDS = {
    "zh-CN": ["核验凭证", "凭证号", "信息不匹配", "不等于假证", "服务商请求号", "验真码", "经办人签字", "单位盖章",
              "日期", "沿用", "原凭证号"],
    "en": ["Verification receipt", "Receipt number", "The details do not match", "does not prove", "Proof code",
           "Seal of the unit", "Date", "Original receipt"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A served product with the longest receipt that there can be, and where its sheet is."""

    address: str
    path: str
    secret: str


@pytest.fixture
def kept(make_app: Callable[..., Flask]) -> Iterator[Kept]:
    app = make_app(UNIT_NAME="某某市某某区政务服务中心" * 6, PUBLIC_URL="https://yuliang.some-district.example/desk")
    with app.app_context(), transaction() as session:
        session.execute(update(Department).values(name="部门" * 40).where(Department.name == OPERATOR.department))
    operator = Desk(app, OPERATOR)
    for _ in range(2):
        operator.verify(NAME, NUMBER)
    address = issue(operator, "/reuses/1")
    with served(app) as host:
        yield Kept(host, f"{address}/print", print_sheet(operator, address).secret)


def come(browser: Browser, kept: Kept, locale: str, **options: Any) -> Visitor:
    visitor = Visitor(browser.new_context(locale=locale, **options), kept.address, locale)
    visitor.log_in(OPERATOR)
    assert visitor.open(kept.path) == 200
    return visitor


def characters_of(pdf: bytes) -> set[str]:
    """Every character that the PDF's fonts give a meaning to, as a reader's search and copy find it."""
    found: set[str] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            # Its last byte may be a line's end that was taken for the one before `endstream`.
            text = zlib.decompressobj().decompress(stream).decode("latin-1")
        except zlib.error:
            continue
        for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
            found |= {bytes.fromhex(code).decode("utf-16-be") for _glyph, code in re.findall(r"<(\w+)> <(\w+)>", block)}
        for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.DOTALL):
            for low, high, code in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
                first = ord(bytes.fromhex(code).decode("utf-16-be"))
                found |= {chr(first + step) for step in range(int(high, 16) - int(low, 16) + 1)}
    # One glyph may stand for a character and for a radical that looks the same: the font tells the radical's name.
    return {unicodedata.normalize("NFKC", one) for one in found}


@pytest.mark.parametrize("locale", LOCALES)
def test_the_longest_receipt_is_one_page_of_a4_with_every_word(browser: Browser, kept: Kept, locale: str) -> None:
    visitor = come(browser, kept, locale)

    pdf = visitor.page.pdf(prefer_css_page_size=True)
    visitor.page.emulate_media(media="print")
    shown = visitor.page.locator("body").inner_text()

    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
    [box] = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert tuple(round(float(side)) for side in box) == A4
    for word in (*WORDS[locale], kept.secret, "https://yuliang.some-district.example/desk/receipts/verify"):
        assert word in shown, word
        assert set(word) - {" "} <= characters_of(pdf), word
    assert f"{NAME[0]}*" in shown
    assert NAME[0] in characters_of(pdf), "no box instead of a character outside the BMP"
    assert "Ctrl+P" not in shown, "what is for the screen is not printed"
    assert visitor.faults == []


@pytest.mark.parametrize(
    ("locale", "options"),
    [
        pytest.param("zh-CN", {}, id="wide-zh-CN"),
        pytest.param("en", DARK_PHONE, id="dark phone-en"),
        pytest.param("en", {}, id="wide-en", marks=pytest.mark.half),
        pytest.param("zh-CN", DARK_PHONE, id="dark phone-zh-CN", marks=pytest.mark.half),
    ],
)
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_window(
    browser: Browser, kept: Kept, locale: str, options: dict[str, Any]
) -> None:
    visitor = come(browser, kept, locale, **options)
    for path in (kept.path, kept.path.removesuffix("/print"), "/receipts/verify", "/settings"):
        visitor.open(path)

        assert axe.faults_of(visitor.page) == [], path
        assert visitor.fits(), path
    assert visitor.faults == []


def test_the_button_prints_and_a_result_opens_its_receipt_in_another_window(browser: Browser, kept: Kept) -> None:
    visitor = come(browser, kept, "en")
    visitor.page.evaluate("window.print = () => document.body.setAttribute('data-printed', 'yes')")

    visitor.page.get_by_role("button", name="Print, or save as PDF").click()

    assert visitor.page.locator("body[data-printed=yes]").count() == 1
    visitor.open("/verifications/1")
    with visitor.page.expect_popup() as opened:
        visitor.page.locator("[data-receipt-link]").click()
    opened.value.wait_for_url("**/receipts/*")
    assert visitor.path == "/verifications/1"
