"""Both mails in a real browser: on a phone and a screen, light and dark, in both languages."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.reminders.mailing import mail_of, scene_expiry, scene_low
from tests.reminders.story import add_confirmed
from tests.support import axe
from webapp.reminders.picture import WIDTH

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.browser]

SCENES: dict[str, Callable[[], None]] = {
    "low": lambda: scene_low(remaining=1842, total=10000, calls_a_day=300),
    "expiry": lambda: scene_expiry(left=2140, elsewhere=500, calls_a_day=120, order="202511290001234567890-A"),
}


def page_of(mail: EmailMessage) -> str:
    """The HTML as a mail program shows it: the picture in its place."""
    body = mail.get_body(("html",))
    assert body is not None
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    data = base64.b64encode(picture.get_content()).decode()
    return str(body.get_content()).replace("cid:usage", f"data:image/png;base64,{data}")


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mail_fits_and_can_be_read(scene: str, browser: Browser) -> None:
    add_confirmed("boss@outside.test")
    SCENES[scene]()
    for locale in ("zh_CN", "en"):
        html = page_of(mail_of(locale))
        for dark in (False, True):
            for width in (390, 800):
                with browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
                ) as view:
                    look(view.new_page(), html, width)


def look(page: Page, html: str, width: int) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  # a built-in takes no mark of Playwright
    page.set_content(html, wait_until="load")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.images[0].naturalWidth") == WIDTH
    assert [one.url for one in asked if not one.url.startswith("data:")] == []
    assert axe.faults_of(page, "wcag2a", "wcag2aa") == []
