"""What a test does at the desk: its people, and hands that type, paste, tick and send."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.journeys.visitor import Visitor
from tests.support import axe
from webapp.vendor.sandbox.people import PEOPLE, check_character

SitDown = Callable[..., Visitor]

LOCALES = ("zh-CN", "en")
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 860}
GROWN_UP = [person for person in PEOPLE if person.number[6:10] < "2005" and not person.number.endswith("000")]
CHILD = next(person for person in PEOPLE if person.name == "吴童童")
NAME, NUMBER = "张三", "11010519491231002X"
OTHER_NAME, OTHER_NUMBER = "李四", "440524188001010014"
RESULT = re.compile(r"/(verifications|reuses)/\d+$")
"""The address of what came of it."""


def on(page: Page, control: str) -> None:
    """Waits until the control with this id has the keyboard."""
    expect(page.locator(f"#{control}")).to_be_focused()


def fields(page: Page) -> tuple[str, str]:
    return page.input_value("#name"), page.input_value("#id_number")


def paste(page: Page, text: str) -> None:
    """By way of the real clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+v")


def intercept(page: Page, pattern: str | re.Pattern[str], handler: Callable[[Route], None]) -> None:
    """`page.route` for a page that stands already: when this returns, its next request is caught.

    The browser says that it intercepts before the page's own process does: a request of that moment goes out, and is
    reported to nobody. So the page asks for something until it is caught.
    """
    page.route(pattern, handler)
    page.route(re.compile(r"\?caught$"), lambda route: route.fulfill(status=204))
    page.evaluate(
        "async () => { while ((await fetch('/static/favicon.svg?caught', { cache: 'no-store' })).status !== 204); }"
    )


def consent_and_send(page: Page) -> None:
    on(page, "consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(RESULT)


def press_verify(page: Page) -> None:
    """By its button, which always sends; until another page stands in the place of this one."""
    form = page.locator("form.desk").element_handle()
    form.query_selector("button:not([type=button])").click()  # type: ignore[union-attr]
    form.wait_for_element_state("hidden")


def outcome(visitor: Visitor) -> str:
    return visitor.card().get_attribute("data-outcome") or ""


def error_of(page: Page, field: str) -> str:
    """What stands below a field as wrong, empty when nothing does."""
    line = page.locator(f"#{field}-error")
    return line.inner_text().strip() if line.is_visible() else ""


def next_person(page: Page) -> None:
    """From a result on to the next person's form."""
    on(page, "scan")
    page.locator("[data-next-person]").press("Enter")
    page.wait_for_url("**/verify")


def rows(people: Sequence[tuple[str, str]]) -> str:
    """People as lines that can be pasted."""
    return "\n".join(f"{name}\t{number}" for name, number in people)


def lines(page: Page) -> list[tuple[str, str]]:
    """The list as it stands: state and outcome of each line."""
    found = page.locator("[data-queue] li").all()
    return [(one.get_attribute("data-state") or "", one.get_attribute("data-outcome") or "") for one in found]


def made_up(count: int) -> list[tuple[str, str]]:
    """People whose sound numbers nobody has, in the sandbox's register neither."""
    firsts = [f"10010119{80 + one // 28}03{one % 28 + 1:02}{one % 9 + 1}11" for one in range(count)]
    return [(f"名单{chr(0x4E00 + one)}", first + check_character(first)) for one, first in enumerate(firsts)]


def faults_of(visitor: Visitor, shown: str) -> None:
    """Nothing of what is shown is out of reach for anybody, or sticks out."""
    assert axe.faults_of(visitor.page) == [], shown
    assert visitor.fits(), shown
