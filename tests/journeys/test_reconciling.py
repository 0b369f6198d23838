"""The reconciliation in a real browser: read, settle, rebase; by keyboard, in both languages, and without scripts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support import axe
from tests.support.cast import ADMIN, PASSWORD
from tests.support.halves import by_turns
from tests.support.serve import ROOT, Served, serving
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

PAGE = "/quota/reconcile"
GROWN_UP = [person for person in PEOPLE if person.number[6:10] < "2005" and not person.number.endswith("000")]
CHARGED_UNANSWERED = "演练重置已计次"
WORDS = {
    "zh-CN": {"ask": "立即读取服务商计数", "settle": "将这 2 次认定为已计次", "rebase": "更正并重新起算",
              "elsewhere": "有 17 次不是本系统调用的", "agreed": "一致"},
    "en": {"ask": "Ask the vendor now", "settle": "Settle these 2 as charged", "rebase": "Correct and compare anew",
           "elsewhere": "17 calls this product did not make", "agreed": "agree"},
}  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A product of one's own, whose vendor has charged nothing yet."""
    with serving(tmp_path / "instance", ADMIN_EMAIL=ADMIN.email, ADMIN_PASSWORD=PASSWORD, LIMITS="",
                 VENDOR_READ_TIMEOUT="2") as running:  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A product in which only readings matter."""
    instance = tmp_path_factory.mktemp("shared") / "instance"
    with serving(instance, ADMIN_EMAIL=ADMIN.email, ADMIN_PASSWORD=PASSWORD) as running:
        yield running


def tell_vendor(served: Served, **settings: Any) -> None:
    """Changes what the built-in vendor is like."""
    address = (served.instance / "sandbox.url").read_text(encoding="ascii")
    body = json.dumps(settings).encode()
    with urllib.request.urlopen(f"{address}/_sandbox/settings", body, timeout=10):  # noqa: S310  # our own address
        pass


def command(served: Served, name: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "YULIANG_INSTANCE": str(served.instance)}
    return subprocess.run([sys.executable, "-m", "webapp", name], cwd=ROOT, env=environ, capture_output=True,
                          text=True, check=False)  # fmt: skip


def verify(visitor: Visitor, name: str, number: str) -> None:
    visitor.open("/verify")
    visitor.page.fill("[name=name]", name)
    visitor.page.fill("[name=id_number]", number)
    visitor.page.check("[name=consent]")
    visitor.press(visitor.words.verify)
    visitor.page.wait_for_url(re.compile("/verifications/"))


def press(visitor: Visitor, name: str) -> None:
    with visitor.page.expect_navigation():
        visitor.press(name)


def verdict(visitor: Visitor) -> tuple[str, int]:
    shown = visitor.page.locator("[data-verdict]")
    return shown.get_attribute("data-verdict") or "", int(shown.get_attribute("data-drift") or "")


def faultless(visitor: Visitor) -> None:
    assert axe.faults_of(visitor.page) == []
    assert visitor.fits()


@pytest.mark.parametrize("locale", by_turns(*WORDS))
def test_from_a_lot_to_books_that_agree_again(served: Served, visit: Visit, locale: str) -> None:
    words = WORDS[locale]
    visitor = visit(served, locale)
    page = visitor.page
    visitor.log_in(ADMIN)
    visitor.open("/quota/lots/new")
    page.fill("[name=calls]", "1000")
    press(visitor, visitor.words.record)
    visitor.open("/quota")
    page.locator(f'a[href="{PAGE}"]').click()
    page.wait_for_url(f"**{PAGE}")
    press(visitor, words["ask"])

    for person in GROWN_UP[:2]:
        verify(visitor, person.name, person.number)
    for person in GROWN_UP[2:4]:
        verify(visitor, CHARGED_UNANSWERED, person.number)
    visitor.open(PAGE)
    press(visitor, words["ask"])
    assert verdict(visitor) == ("open", 0)
    assert page.locator("[data-unknown-verification]").count() == 2
    faultless(visitor)

    page.fill("#settle-reason", "请求号在账单第 3 行")
    press(visitor, words["settle"])
    assert verdict(visitor) == ("agreed", 0)
    assert words["agreed"] in page.locator("[data-verdict]").inner_text()

    tell_vendor(served, elsewhere=17)
    press(visitor, words["ask"])
    assert verdict(visitor) == ("more", 17)
    assert words["elsewhere"] in page.locator("[data-verdict]").inner_text()
    told = command(served, "reconcile")
    assert (told.returncode, told.stdout) == (1, "")
    assert "17 calls this product did not make" in told.stderr
    visitor.open(PAGE)
    faultless(visitor)

    page.fill("#rebase-reason", "测试脚本用了同一个 AppCode")
    press(visitor, words["rebase"])
    assert verdict(visitor) == ("agreed", 0)
    press(visitor, words["ask"])
    assert verdict(visitor) == ("agreed", 0)
    visitor.open("/quota")
    assert visitor.shown("data-remaining") == 1000 - 4 - 17
    for name in ("reconcile", "check"):
        done = command(served, name)
        assert (done.returncode, done.stderr) == (0, ""), name


@pytest.mark.parametrize("locale", by_turns(*WORDS, kept=1))
def test_the_chart_is_drawn_from_the_readings_and_walked_by_the_arrow_keys(
    shared: Served, visit: Visit, locale: str
) -> None:
    visitor = visit(shared, locale)
    page = visitor.page
    visitor.log_in(ADMIN)
    visitor.open(PAGE)
    for elsewhere in (0, 3, 8):
        tell_vendor(shared, elsewhere=elsewhere)
        press(visitor, WORDS[locale]["ask"])
    box = page.locator("#drift-chart[data-drawn=true]")
    box.wait_for()

    drawn = json.loads(box.get_attribute("data-values") or "")
    assert drawn["series"]["drift"][-3:] == [0, 3, 8]
    page.locator(".panel:has(#drift-chart) summary").click()
    cells = page.locator(".panel:has(#drift-chart) tbody tr td:nth-child(2)").all_inner_texts()
    assert cells[:2] == ["8", "3"]
    times = page.locator(".panel:has(#drift-chart) tbody tr th").all_inner_texts()
    assert times == drawn["times"][::-1]
    faultless(visitor)

    box.focus()
    page.keyboard.press("End")
    expect(page.locator("#drift-said")).to_contain_text("8")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#drift-said")).to_contain_text("3")
    expect(page.locator("#drift-said")).to_contain_text(drawn["times"][-2])


@pytest.mark.parametrize("locale", by_turns(*WORDS))
def test_the_form_of_the_access_key_and_a_refused_reading_have_no_fault(
    shared: Served, visit: Visit, locale: str
) -> None:
    visitor = visit(shared, locale, color_scheme="dark", viewport={"width": 390, "height": 844})
    visitor.log_in(ADMIN)
    visitor.open(f"{PAGE}/access-key")
    faultless(visitor)
    visitor.open(PAGE)
    visitor.page.fill("#used", "9")
    visitor.page.fill("#total", "1")
    press(visitor, {"zh-CN": "对照", "en": "Compare"}[locale])
    assert visitor.page.locator("#used[aria-invalid=true]").count() == 1
    faultless(visitor)


def test_without_scripts_readings_are_entered_refused_and_compared(shared: Served, visit: Visit) -> None:
    visitor = visit(shared, "en", java_script_enabled=False)
    page = visitor.page
    visitor.log_in(ADMIN)
    visitor.open(PAGE)
    page.fill("#used", "900000")
    page.fill("#total", "9115")
    press(visitor, "Compare")
    assert "used" in (page.locator("[aria-invalid=true]").get_attribute("id") or "")

    page.fill("#total", "1000000")
    press(visitor, "Compare")
    page.fill("#used", "900020")
    page.fill("#total", "1000000")
    press(visitor, "Compare")
    shown = page.locator("#drift-chart noscript, .panel:has(#drift-chart) details").count()
    assert verdict(visitor)[0] == "more"
    assert shown
    assert visitor.fits()
