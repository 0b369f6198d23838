"""A desk that is left, in a real browser: locked with the form kept, unlocked where one was, handed over empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.accounts.browsing import COOKIE
from tests.journeys.at_the_desk import intercept
from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support import axe
from tests.support.cast import COLLEAGUE, OPERATOR, PASSWORD, hire
from tests.support.halves import by_turns
from tests.support.serve import Served, serving
from webapp import create_app
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import db
from webapp.settings import read_settings
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

SitDown = Callable[..., Visitor]
Elapse = Callable[[Visitor], None]

LOCALES = ("zh-CN", "en")
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 860}
GROWN_UP = [person for person in PEOPLE if person.number[6:10] < "2005" and not person.number.endswith("000")]
NAME, NUMBER = GROWN_UP[0].name, GROWN_UP[0].number
LOCKED = {"zh-CN": "已锁定 · 余量 Yuliang", "en": "Locked · 余量 Yuliang"}
ANY_LOCKED = re.compile("|".join(map(re.escape, LOCKED.values())))
HALF_AN_HOUR = "30:02"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox product with the cast."""
    instance = tmp_path_factory.mktemp("shifts") / "instance"
    instance.mkdir()
    app = create_app(read_settings({"YULIANG_INSTANCE": str(instance)}))
    with app.app_context():
        schema.migrate(utc_now())
        hire()
        db.session.remove()
        db.engine.dispose()
    with serving(instance, LIMITS="") as running:
        yield running


@pytest.fixture(scope="module")
def elapse(served: Served) -> Elapse:
    """Lets half an hour pass since the visitor's last request: the cookie says when that was, under the product's
    signature, which only its key can make."""
    app = create_app(read_settings({"YULIANG_INSTANCE": str(served.instance)}))
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None

    def pass_by(visitor: Visitor) -> None:
        [cookie] = [one for one in visitor.page.context.cookies() if one.get("name") == COOKIE]
        content = signer.loads(cookie.get("value", ""))
        content["active_at"] -= 30 * 60 + 1
        aged: Any = {**cookie, "value": str(signer.dumps(content))}
        visitor.page.context.add_cookies([aged])

    return pass_by


@pytest.fixture
def sit_down(served: Served, visit: Visit) -> SitDown:
    """An operator at the desk: `sit_down("en", viewport=…)`."""

    def sit(locale: str, **options: Any) -> Visitor:
        visitor = visit(served, locale, **options)
        visitor.page.clock.install()
        visitor.log_in(OPERATOR)
        visitor.open("/verify")
        expect(visitor.page.locator("#scan")).to_be_focused()  # before, keys are taken for a reader's first ones
        return visitor

    return sit


@pytest.fixture
def desk(sit_down: SitDown) -> Visitor:
    """The desk in Chinese."""
    return sit_down("zh-CN")


def type_person(page: Page) -> None:
    """All of a person but the last Enter."""
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    page.fill("#reference", "A-17")
    page.check("#consent")


def typed(page: Page) -> tuple[str, str, str, bool]:
    values = [page.input_value(f"#{field}") for field in ("name", "id_number", "reference")]
    return values[0], values[1], values[2], page.is_checked("#consent")


WHOLE = (NAME, NUMBER, "A-17", True)


def is_locked(page: Page) -> None:
    """Nothing is seen, reached or read but the lock."""
    expect(page.locator("dialog.lock")).to_be_visible()
    expect(page.locator("#lock-password")).to_be_focused()
    assert page.locator("body > :not(dialog), main, main *").filter(visible=True).count() == 0
    expect(page).to_have_title(ANY_LOCKED)
    assert NAME not in page.locator("body").aria_snapshot()


def is_open(page: Page) -> None:
    expect(page.locator("dialog.lock")).to_have_count(0)
    assert page.locator("main").is_visible()
    expect(page).not_to_have_title(ANY_LOCKED)


def unlock(page: Page, password: str = PASSWORD) -> None:
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def calls(visitor: Visitor) -> int:
    """How many verifications this operator has made."""
    page = visitor.page.context.new_page()
    page.goto(f"{visitor.address}/history?size=200")
    found = page.locator("[data-verification]").count()
    page.close()
    return found


def refused(visitor: Visitor, status: int, times: int) -> None:
    """Takes answers that a test has asked for out of the faults."""
    expected = [fault for fault in visitor.faults if fault == f"{status} for {visitor.address}/unlock"]
    assert len(expected) == times
    visitor.faults = [fault for fault in visitor.faults if fault not in expected]


# -- locked and unlocked


@pytest.mark.parametrize("locale", by_turns(*LOCALES))
def test_one_key_locks_and_the_password_brings_everything_back(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page, before = visitor.page, calls(visitor)
    type_person(page)
    page.focus("#id_number")

    page.keyboard.press("Alt+l")
    is_locked(page)
    for key in ("Escape", "Escape", "Alt+l"):
        page.keyboard.press(key)
        is_locked(page)
    unlock(page, "wrong-horse-9")
    expect(page.locator("#lock-said")).to_have_text({"zh-CN": "密码错误。", "en": "The password is wrong."}[locale])
    refused(visitor, 401, 1)
    is_locked(page)
    unlock(page)

    is_open(page)
    assert typed(page) == WHOLE
    assert visitor.focused() == "id_number"
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")
    assert not re.search(f"{NAME}|{NUMBER}|A-17|{PASSWORD}", kept)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(verifications|reuses)/"))
    assert visitor.card().get_attribute("data-outcome") in ("match", "reused")
    assert calls(visitor) <= before + 1


def test_the_keyboard_stays_within_the_lock(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.press("Alt+l")
    is_locked(page)
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('dialog.lock, main, header')?.tagName ?? ''"))
    assert reached <= {"DIALOG", ""}  # empty: the browser's own controls


def test_the_menu_locks_too_and_names_the_keys(desk: Visitor) -> None:
    page = desk.page
    type_person(page)
    for others in ("Control+Alt+l", "Alt+Shift+l", "l"):  # AltGr, an input method's switch, a letter
        page.keyboard.press(others)
        is_open(page)
    page.locator("details.menu:visible summary").click()
    assert page.locator("[data-lock-now] button:visible").inner_text().split() == ["锁定", "Alt+L"]
    assert page.locator("[data-hand-over] button:visible").inner_text().split() == ["交班", "Alt+J"]
    page.locator("[data-lock-now] button:visible").click()
    is_locked(page)
    unlock(page)
    is_open(page)
    assert typed(page) == WHOLE


def test_half_an_hour_without_activity_locks_the_page_by_itself(desk: Visitor, elapse: Elapse) -> None:
    page = desk.page
    type_person(page)
    page.clock.fast_forward("25:00")
    is_open(page)

    elapse(desk)
    page.clock.fast_forward(HALF_AN_HOUR)

    is_locked(page)
    unlock(page)
    is_open(page)
    assert typed(page) == WHOLE


def test_a_page_asks_when_it_comes_back_to_the_front(desk: Visitor, elapse: Elapse) -> None:
    page = desk.page
    type_person(page)
    elapse(desk)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    is_locked(page)
    unlock(page)
    is_open(page)
    assert typed(page) == WHOLE


def test_a_form_sent_to_a_locked_desk_is_held_back_and_spends_no_call(desk: Visitor, elapse: Elapse) -> None:
    page, before = desk.page, calls(desk)
    page.fill("#name", GROWN_UP[1].name)
    page.fill("#id_number", GROWN_UP[1].number)
    page.check("#consent")
    elapse(desk)
    page.clock.fast_forward("00:31")

    page.press("#id_number", "Enter")

    is_locked(page)
    assert desk.path == "/verify"
    unlock(page)
    is_open(page)
    assert calls(desk) == before
    assert page.input_value("#id_number") == GROWN_UP[1].number
    page.clock.fast_forward("00:31")  # the server is asked first, and lets it through
    page.press("#id_number", "Enter")
    page.wait_for_url("**/verifications/*")
    assert desk.card().get_attribute("data-outcome") == "match"
    assert calls(desk) == before + 1


def test_a_list_waits_behind_the_lock(desk: Visitor, elapse: Elapse) -> None:
    page = desk.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)",
                  "\n".join(f"{person.name} {person.number}" for person in GROWN_UP[2:5]))  # fmt: skip
    page.focus("#scan")
    page.keyboard.press("Control+v")
    expect(page.locator("#consent")).to_be_focused()
    page.locator("[data-skip]").press("Enter")
    expect(page.locator("#name")).to_have_value(GROWN_UP[3].name)
    elapse(desk)
    page.keyboard.press("Alt+l")
    is_locked(page)
    unlock(page)

    is_open(page)
    assert page.locator("[data-queue] li").count() == 3
    assert page.input_value("#name") == GROWN_UP[3].name
    page.locator("[data-clear]").press("Enter")


def test_a_reload_while_locked_shows_nothing_and_the_password_leads_back(desk: Visitor) -> None:
    page = desk.page
    type_person(page)
    page.focus("#name")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(verifications|reuses)/"))
    place = desk.path
    page.keyboard.press("Alt+l")
    is_locked(page)

    page.reload()

    expect(page).to_have_title(LOCKED["zh-CN"])
    assert NAME not in page.content()
    assert NUMBER not in page.content().replace(" ", "")
    assert page.input_value("[name=email]") == OPERATOR.email
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{place}")
    is_open(page)


def test_without_an_answer_of_the_server_the_page_stays_covered(desk: Visitor) -> None:
    page = desk.page
    type_person(page)
    intercept(page, re.compile("/lock"), lambda route: route.abort())
    page.keyboard.press("Alt+l")
    expect(page.locator("#lock-said")).to_have_text("服务器没有响应。页面保持遮盖，稍后自动重试。")
    is_locked(page)
    page.unroute_all()
    with page.expect_response("**/lock/state"):
        page.clock.fast_forward("00:06")
    expect(page.locator("#lock-said")).to_have_text("")
    is_locked(page)
    desk.faults = [fault for fault in desk.faults if "ERR_FAILED" not in fault]  # the broken line itself
    unlock(page)
    is_open(page)
    assert typed(page) == WHOLE


# -- several windows


def test_what_one_window_locks_is_locked_in_all_and_one_password_opens_all(desk: Visitor) -> None:
    first, second = desk.page, desk.page.context.new_page()
    second.goto(f"{desk.address}/verify")
    type_person(first)
    second.fill("#name", "另一窗口")

    second.keyboard.press("Alt+l")
    is_locked(second)
    is_locked(first)
    first.bring_to_front()
    unlock(first)

    is_open(first)
    is_open(second)
    assert typed(first) == WHOLE
    assert second.input_value("#name") == "另一窗口"
    second.check("#consent")
    second.press("#name", "Enter")  # the window that did not unlock still speaks to the server
    expect(second.locator("#id_number")).to_be_focused()
    second.locator("form.desk button").click()
    expect(second.locator("[data-result]")).to_have_attribute("data-outcome", "blocked")


def test_a_question_on_its_way_while_another_window_unlocks_costs_no_form(desk: Visitor) -> None:
    """The session has another token by then: under the former one the server knows of none."""
    first, second = desk.page, desk.page.context.new_page()
    second.goto(f"{desk.address}/verify")
    second.fill("#name", "另一窗口")
    told: list[str] = []

    def under_the_former_token(route: Route) -> None:
        told.append("open" if told else "out")
        if told == ["out"]:
            route.fulfill(json={"state": "out"})
        else:
            route.continue_()

    intercept(second, re.compile("/lock/state"), under_the_former_token)
    first.bring_to_front()
    first.keyboard.press("Alt+l")
    is_locked(first)
    unlock(first)
    is_open(first)
    is_open(second)
    assert second.input_value("#name") == "另一窗口"
    assert told[:2] == ["out", "open"]


def test_a_reloaded_window_goes_on_when_another_is_unlocked(desk: Visitor) -> None:
    first, second = desk.page, desk.page.context.new_page()
    second.goto(f"{desk.address}/quota")
    first.keyboard.press("Alt+l")
    is_locked(first)
    second.reload()
    expect(second).to_have_title(LOCKED["zh-CN"])
    first.bring_to_front()
    unlock(first)
    is_open(first)
    expect(second.locator("main table").first).to_be_visible()
    expect(second).not_to_have_title(ANY_LOCKED)


def test_a_hand_over_in_one_window_clears_all(desk: Visitor) -> None:
    first, second = desk.page, desk.page.context.new_page()
    second.goto(f"{desk.address}/verify")
    type_person(first)

    second.keyboard.press("Alt+j")
    second.wait_for_url("**/login?next=/verify")

    first.wait_for_url("**/login?next=*")
    for page in (first, second):
        assert not re.search(f"{NAME}|{NUMBER}|{OPERATOR.name}", page.content())


# -- handed over


@pytest.mark.parametrize("locale", by_turns(*LOCALES, kept=1))
def test_one_key_hands_over_to_the_next_operator_s_empty_form(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page = visitor.page
    type_person(page)
    page.focus("#reference")

    page.keyboard.press("Alt+j")
    page.wait_for_url("**/login?next=/verify")
    assert not re.search(f"{NAME}|{NUMBER}|{OPERATOR.email}", page.content())
    page.keyboard.type(COLLEAGUE.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{visitor.address}/verify")
    assert typed(page) == ("", "", "", False)
    assert COLLEAGUE.name in page.content()
    for _ in range(2):
        page.go_back()
        assert not re.search(f"{NAME}|{NUMBER}|{OPERATOR.name}", page.content())


def test_whoever_finds_a_locked_desk_takes_it_over(desk: Visitor) -> None:
    page = desk.page
    type_person(page)
    page.keyboard.press("Alt+l")
    is_locked(page)
    page.get_by_role("button", name="不是本人？交班").press("Enter")
    page.wait_for_url("**/login?next=/verify")
    page.fill("[name=email]", COLLEAGUE.email)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.address}/verify")
    assert typed(page) == ("", "", "", False)


# -- without script


def test_without_script_the_log_in_page_unlocks_and_says_that_nothing_was_sent(
    served: Served, visit: Visit, elapse: Elapse
) -> None:
    visitor = visit(served, "zh-CN", java_script_enabled=False)
    visitor.log_in(OPERATOR)
    visitor.open("/verify")
    page, before = visitor.page, calls(visitor)
    page.fill("#name", GROWN_UP[6].name)
    page.fill("#id_number", GROWN_UP[6].number)
    page.check("#consent")
    elapse(visitor)

    page.press("#id_number", "Enter")
    page.wait_for_url("**/login?next=/verify")
    expect(page).to_have_title(LOCKED["zh-CN"])
    assert "没有发出调用" in page.inner_text("main .messages")
    assert not page.locator("[name=email]").is_editable()
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{visitor.address}/verify")
    assert page.input_value("#name") == ""
    assert calls(visitor) == before
    page.locator("details.menu:visible summary").click()
    page.locator("[data-lock-now] button:visible").click()
    page.wait_for_url("**/login?next=/verify")
    page.locator(".lock-other button").click()
    page.wait_for_url("**/login?next=/verify")
    assert page.input_value("[name=email]") == ""


# -- fit for everyone


@pytest.mark.parametrize(
    "way",
    [pytest.param({"locale": locale, "viewport": viewport, "color_scheme": theme}, marks=marks)
     for locale, viewport, theme, marks in (("zh-CN", PHONE, "dark", ()), ("en", WIDE, "light", ()),
                                            ("en", PHONE, "light", pytest.mark.half),
                                            ("zh-CN", WIDE, "dark", pytest.mark.half))],
    ids=["phone, zh, dark", "wide, en, light", "phone, en, light", "wide, zh, dark"],
)  # fmt: skip
def test_the_lock_is_fit_for_everyone(way: dict[str, Any], sit_down: SitDown) -> None:
    visitor = sit_down(**way)
    page = visitor.page
    page.keyboard.press("Alt+l")
    is_locked(page)
    unlock(page, "wrong-horse-9")
    expect(page.locator("#lock-said")).not_to_be_empty()
    refused(visitor, 401, 1)
    faults_of(visitor, "covered")
    page.reload()
    faults_of(visitor, "the log-in page of a locked desk")


def faults_of(visitor: Visitor, shown: str) -> None:
    assert axe.faults_of(visitor.page) == [], shown
    assert visitor.fits(), shown
