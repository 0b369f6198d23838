"""A reader with a browser of their own, who notices whatever no reader should meet."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, WebError

from tests.support.cast import PASSWORD, Member


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader of one language looks for."""

    log_in: str
    log_out: str
    record: str
    save: str
    show: str
    verify: str
    next_person: str
    charged: str
    not_charged: str
    charge_unknown: str


WORDS = {
    "zh-CN": Words("登录", "退出登录", "登记", "保存", "查询", "核验", "核验下一位",
                   "已计次", "未计次", "是否计次待确认"),
    "en": Words("Log in", "Log out", "Record", "Save", "Show", "Verify", "Verify the next person",
                "Charged", "Not charged", "Charge not yet known"),
}  # fmt: skip


class Visitor:
    """One browser window on one served product. `faults`: requests to other hosts, what the console said."""

    def __init__(self, context: BrowserContext, address: str, locale: str) -> None:
        self.address = address
        self.words = WORDS[locale]
        self.faults: list[str] = []
        context.on("request", self._sent)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.set_default_timeout(15_000)
        self.page: Page = context.new_page()

    def open(self, path: str) -> int:
        """Goes to a page by its address; the answer's status."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def leave(self) -> None:
        """Closes every window. Not while one is still on its way: the driver would then wait for ever."""
        for page in self.page.context.pages:
            page.goto("about:blank")
        self.page.context.close()

    @property
    def path(self) -> str:
        """Where the reader is."""
        return urlsplit(self.page.url).path

    def log_in(self, member: Member) -> None:
        """By the form, as the first page sends one there."""
        self.open("/login")
        self.page.fill("[name=email]", member.email)
        self.page.fill("[name=password]", PASSWORD)
        self.press(self.words.log_in)
        self.page.wait_for_url(f"{self.address}/")

    def log_out(self) -> None:
        """By the menu of one's own name."""
        menu = self.page.locator("details.menu:visible")
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()
        menu.get_by_role("button", name=self.words.log_out).click()
        self.page.wait_for_url("**/login")

    def press(self, name: str) -> None:
        """Presses the one button of the page's content that is called so."""
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def type_person(self, name: str, number: str, reference: str = "") -> None:
        """Fills the desk's form from its first field to its last by the keyboard alone, and sends it."""
        self.page.focus("[name=name]")
        for field, text in (("name", name), ("id_number", number), ("purpose", ""), ("reference", reference)):
            assert self.focused() == field
            self.page.keyboard.type(text)
            self.page.keyboard.press("Tab")
        assert self.focused() == "consent"
        self.page.keyboard.press("Space")
        self.page.keyboard.press("Enter")

    def focused(self) -> str:
        """The name of the control that has the keyboard."""
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.tagName"))

    def card(self) -> Locator:
        """The one result card."""
        card = self.page.locator("[data-result]")
        card.wait_for()
        assert card.count() == 1
        return card

    def shown(self, hook: str) -> int:
        """The number in the attribute that a hook of the interface promises, once on this page."""
        found = self.page.locator(f"[{hook}]")
        assert found.count() == 1
        return int(found.get_attribute(hook) or "")

    def outcomes(self) -> list[str]:
        """The outcomes of the history's rows, in order."""
        rows = self.page.locator("[data-verification]").all()
        return [row.get_attribute("data-outcome") or "" for row in rows]

    def fits(self) -> bool:
        """Whether nothing sticks out to the side of the window."""
        return bool(self.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))

    def _sent(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != urlsplit(self.address).netloc:
            self.faults.append(f"a request went to {request.url}")

    def _answered(self, response: Response) -> None:
        # The desk fetches its pages.
        is_page = response.request.is_navigation_request() or response.headers.get("content-type", "").startswith(
            "text/html"
        )
        most = 499 if is_page else 399
        if response.status > most:
            self.faults.append(f"{response.status} for {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium repeats each answer from 400 on in the console: those of pages are what a test asked for, and
        # those of anything else are faults above.
        repeated = message.text.startswith("Failed to load resource: the server responded with a status of")
        if message.type in ("error", "warning") and not repeated:
            self.faults.append(f"the console said: {message.text}")

    def _threw(self, error: WebError) -> None:
        self.faults.append(f"a script failed: {error.error}")
