"""Every page in every state, as axe, a narrow window and the style sheet see it: in both languages and themes.

One walk for each way of looking; what is found on each page is kept, and the tests read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.journeys import walk
from tests.journeys.test_main_job import make_the_first_admin
from tests.journeys.visitor import Visitor
from tests.support import axe
from tests.support.serve import Served, serving

pytestmark = pytest.mark.browser

DIST = Path(__file__).parents[2] / "static" / "dist"
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
OTHER_SIZE = {1280: PHONE, 390: WIDE}
Theme = Literal["light", "dark"]
OTHER_THEME: dict[Theme, Theme] = {"light": "dark", "dark": "light"}
WAYS: dict[str, dict[str, Any]] = {
    "zh-CN, light, at a desk": {"locale": "zh-CN", "color_scheme": "light", "viewport": WIDE},
    "en, dark, on a phone": {"locale": "en", "color_scheme": "dark", "viewport": PHONE},
}
"""How each walk looks at every page. At a few, chosen for what they hold, it looks in the other theme and size too."""
A_FEW = ("/login", "/verify, refused", "verification 1, in full", "/history", walk.EVERYTHING_OPEN)
CLASSES = "[...new Set([...document.querySelectorAll('[class]')].flatMap((one) => [...one.classList]))]"
SETTLE = "document.getAnimations().filter((one) => one instanceof CSSTransition).forEach((one) => one.finish())"


@dataclass(slots=True)
class Seen:
    """What was found on the pages, by what the window showed."""

    way: dict[str, Any]
    violations: dict[str, list[str]] = field(default_factory=dict)
    too_wide: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def look(self, visitor: Visitor, steps: Iterator[str]) -> None:
        """Walks and keeps what is found."""
        theme: Theme = self.way["color_scheme"]
        size: ViewportSize = self.way["viewport"]
        for shown in steps:
            self._check(visitor.page, shown)
            self.classes |= set(visitor.page.evaluate(CLASSES))
            for window in (size, OTHER_SIZE[size["width"]]):
                visitor.page.set_viewport_size(window)
                if not visitor.fits():
                    self.too_wide.append(f"{shown} at {window['width']}")
            if shown in A_FEW:
                visitor.page.emulate_media(color_scheme=OTHER_THEME[theme])
                self._check(visitor.page, f"{shown}, in the other theme and size")
                visitor.page.emulate_media(color_scheme=theme)
            visitor.page.set_viewport_size(size)
        self.faults += visitor.faults
        visitor.leave()

    def _check(self, page: Page, shown: str) -> None:
        page.evaluate(SETTLE)  # a colour on its way from one theme to the other has no contrast yet
        self.violations[shown] = axe.faults_of(page)


@pytest.fixture(scope="module", params=[0, pytest.param(1, marks=pytest.mark.half)])
def seen(
    request: pytest.FixtureRequest, browser: Browser, filled: Served, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Seen]:
    """What each way of looking found: each sees every other page of a product in use, and all of another one."""

    def come(served: Served, way: dict[str, Any]) -> Visitor:
        return Visitor(browser.new_context(**way), served.address, way["locale"])

    found = {name: Seen(way) for name, way in WAYS.items()}
    addresses = walk.pages(filled.instance)
    for turn, kept in enumerate(found.values()):
        visitor = come(filled, kept.way)
        kept.look(visitor, walk.past_a_product_in_use(visitor, addresses, (request.param + turn) % 2))
    with serving(tmp_path_factory.mktemp("new") / "instance") as new:
        for kept in found.values():
            visitor = come(new, kept.way)
            kept.look(visitor, walk.past_the_first_run(visitor))
        make_the_first_admin(come(new, next(iter(WAYS.values()))), new)
        for kept in found.values():
            visitor = come(new, kept.way)
            kept.look(visitor, walk.past_an_empty_product(visitor))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_axe_finds_no_fault_on_any_page(way: str, seen: dict[str, Seen]) -> None:
    assert {shown: found for shown, found in seen[way].violations.items() if found} == {}


@pytest.mark.parametrize("way", WAYS)
def test_no_page_is_wider_than_the_window(way: str, seen: dict[str, Seen]) -> None:
    assert seen[way].too_wide == []


@pytest.mark.parametrize("way", WAYS)
def test_no_page_asks_another_host_or_makes_the_console_speak(way: str, seen: dict[str, Seen]) -> None:
    assert seen[way].faults == []


def test_every_class_of_a_page_has_a_rule_in_the_built_style_sheet(seen: dict[str, Seen]) -> None:
    names = json.loads((DIST / "manifest.json").read_text())
    ruled = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", (DIST / names["app.css"]).read_text(encoding="utf-8")))
    assert set().union(*(kept.classes for kept in seen.values())) - ruled == set()
