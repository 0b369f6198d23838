"""The verification desk as quick hands use it, in a real browser on a served product: no mouse, no call for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Route, StorageState, ViewportSize, expect

from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN, PASSWORD
from tests.support.serve import Served, serving
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

SitDown = Callable[..., Visitor]

LOCALES = ("zh-CN", "en")
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 860}
GROWN_UP = [person for person in PEOPLE if person.number[6:10] < "2005" and not person.number.endswith("000")]
NAME, NUMBER = "张三", "11010519491231002X"
OTHER_NAME, OTHER_NUMBER = "李四", "440524188001010014"
MISTYPED = "11010519491231002"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox product with an admin, who may verify; a question asked again is answered from memory."""
    instance = tmp_path_factory.mktemp("desk") / "instance"
    with serving(instance, ADMIN_EMAIL=ADMIN.email, ADMIN_PASSWORD=PASSWORD, LIMITS="") as running:
        yield running


@pytest.fixture(scope="module")
def badge(served: Served, browser: Browser) -> StorageState:
    """The cookies of somebody who has logged in."""
    visitor = Visitor(browser.new_context(locale="en"), served.address, "en")
    visitor.log_in(ADMIN)
    state = visitor.page.context.storage_state()
    visitor.page.context.close()
    return state


@pytest.fixture
def sit_down(served: Served, visit: Visit, badge: StorageState) -> SitDown:
    """Somebody at the desk, the cursor in the box: `sit_down("en", viewport=…)`."""

    def sit(locale: str, **options: Any) -> Visitor:
        visitor = visit(served, locale, storage_state=badge, **options)
        visitor.open("/verify")
        on(visitor.page, "scan")
        return visitor

    return sit


@pytest.fixture
def desk(sit_down: SitDown) -> Visitor:
    """The desk in Chinese."""
    return sit_down("zh-CN")


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


def consent_and_send(page: Page) -> None:
    on(page, "consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(verifications|reuses)/"))


def outcome(visitor: Visitor) -> str:
    return visitor.card().get_attribute("data-outcome") or ""


def error_of(page: Page, field: str) -> str:
    """What stands below a field as wrong, empty when nothing does."""
    line = page.locator(f"#{field}-error")
    return line.inner_text().strip() if line.is_visible() else ""


# -- no mouse


@pytest.mark.parametrize("locale", LOCALES)
def test_three_people_in_a_row_by_the_keyboard_alone(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page = visitor.page
    for person in GROWN_UP[2:5] if locale == "en" else GROWN_UP[5:8]:
        page.keyboard.type(f"{person.name} {person.number}")
        page.keyboard.press("Enter")
        consent_and_send(page)
        assert outcome(visitor) == "match"
        on(page, "scan")  # the next one may be typed at once


def test_enter_goes_to_what_is_needed_and_sends_only_what_is_complete(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.press("Enter")
    on(page, "name")
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    on(page, "id_number")
    assert error_of(page, "id_number") == ""
    page.keyboard.type(MISTYPED + "1")
    page.keyboard.press("Enter")
    on(page, "id_number")
    assert outcome(desk) == "blocked"
    assert error_of(page, "id_number") != ""
    page.keyboard.press("Backspace")
    page.keyboard.type("x")
    assert error_of(page, "id_number") == ""
    page.keyboard.press("Enter")
    on(page, "consent")
    assert desk.path == "/verify"


def test_nothing_is_called_wrong_while_it_is_half_typed(desk: Visitor) -> None:
    page = desk.page
    page.focus("#id_number")
    for digit in MISTYPED:
        page.keyboard.type(digit)
        assert error_of(page, "id_number") == ""
    page.keyboard.press("Tab")
    assert error_of(page, "id_number") == "身份证号码为 18 位。"
    page.focus("#name")
    page.keyboard.press("Tab")
    assert error_of(page, "name") == ""  # left empty on the way to another field


@pytest.mark.parametrize("locale", LOCALES)
def test_the_script_says_what_the_server_says(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page = visitor.page
    for number in ("123", "3301022011022000D6", "11010519491331002X", "110105209912310027", "110105194912310021",
                   "110105194912310000", "1.10105E+17"):  # fmt: skip
        page.fill("#name", "张" * 101)
        page.fill("#id_number", number)
        page.focus("#reference")
        said = [error_of(page, field) for field in ("name", "id_number")]
        assert all(said)
        with page.expect_navigation():
            page.locator("form.desk button").click()
        assert [error_of(page, field) for field in ("name", "id_number")] == said


def test_an_input_method_at_work_is_left_alone(desk: Visitor) -> None:
    page = desk.page
    page.focus("#name")
    keys = page.context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "zhang1", "selectionStart": 6, "selectionEnd": 6})
    keys.send(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    )
    assert (desk.focused(), error_of(page, "name"), desk.path) == ("name", "", "/verify")
    keys.send("Input.insertText", {"text": NAME})
    assert page.input_value("#name") == NAME


# -- the box


@pytest.mark.parametrize(
    "typed",
    [
        [f"{NAME} {NUMBER}", "Enter"],
        [f"{NUMBER}{NAME}", "Enter"],
        [f"姓名：{NAME} 身份证号：{NUMBER}", "Enter"],
        [NAME, "Tab", NUMBER, "Enter"],
        [NAME, "Enter", NUMBER, "Enter"],
        [NUMBER.lower(), "Tab", NAME, "Enter"],
        ["１１０１０５１９４９１２３１００２Ｘ　张　三", "Enter"],
    ],
    ids=[
        "in one line",
        "number first",
        "with labels",
        "tab between",
        "enter between",
        "tab, number first",
        "full width",
    ],
)
def test_a_card_reader_that_types_like_a_keyboard_is_understood(typed: list[str], desk: Visitor) -> None:
    for keys in typed:
        if keys in ("Enter", "Tab"):
            desk.page.keyboard.press(keys)
        else:
            desk.page.keyboard.type(keys)
    on(desk.page, "consent")
    assert fields(desk.page) == (NAME, NUMBER)
    assert desk.path == "/verify"


def test_a_card_reader_may_go_on_while_a_result_is_shown(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.type(f"{NAME} {NUMBER}")
    page.keyboard.press("Enter")
    consent_and_send(page)
    on(page, "scan")
    page.keyboard.type(OTHER_NAME)
    page.keyboard.press("Tab")
    on(page, "id_number")
    page.keyboard.type(OTHER_NUMBER)
    page.keyboard.press("Enter")
    on(page, "consent")
    assert fields(page) == (OTHER_NAME, OTHER_NUMBER)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("scan", f"{NAME}\t{NUMBER}"),
        ("scan", f"3\t{NUMBER}\t{NAME}\t男"),
        ("scan", f"姓名:{NAME}\n身份证号码:{NUMBER}\n"),
        ("name", f'"{NAME}","{NUMBER}"'),
        ("id_number", f"{NUMBER}{NAME}"),
    ],
    ids=["cells", "a row", "lines of one person", "csv into the name", "one word into the number"],
)
def test_a_pasted_person_lands_in_both_fields(place: str, text: str, desk: Visitor) -> None:
    desk.page.focus(f"#{place}")
    paste(desk.page, text)
    on(desk.page, "consent")
    assert fields(desk.page) == (NAME, NUMBER)


def test_what_could_be_two_people_is_not_guessed(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.type(f"{NAME} {OTHER_NAME} {NUMBER}")
    page.keyboard.press("Enter")
    on(page, "scan")
    expect(page.locator("[data-scan-note]")).not_to_be_empty()
    assert fields(page) == ("", "")


def test_another_person_in_the_box_takes_back_what_was_ticked(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.type(f"{NAME} {NUMBER}")
    page.keyboard.press("Enter")
    on(page, "consent")
    page.keyboard.press("Space")
    page.focus("#scan")
    page.keyboard.type(OTHER_NAME)
    page.keyboard.press("Tab")
    on(page, "id_number")
    assert fields(page) == (OTHER_NAME, "")
    assert not page.is_checked("#consent")


# -- what the number says


def test_the_number_tells_place_birthday_age_and_sex(desk: Visitor) -> None:
    page = desk.page
    said = page.locator("[data-reading]")
    expect(said).to_be_hidden()
    page.keyboard.type(f"{OTHER_NAME} {OTHER_NUMBER}")
    page.keyboard.press("Enter")
    expect(said.locator("[data-said=region]")).to_have_text("广东省 汕头市 潮阳县（代码用至 1992 年）")
    told = {one.get_attribute("data-said"): one.inner_text() for one in said.locator("dd").all()}
    assert (told["number"], told["born"], told["sex"]) == ("440524 18800101 0014", "1880-01-01", "男")
    assert int(told["age"] or 0) > 140


def test_no_digit_of_a_number_is_sent_before_the_form_is(desk: Visitor) -> None:
    page, sent = desk.page, list[str]()
    page.on("request", lambda request: sent.append(request.url))
    page.keyboard.type(f"{OTHER_NAME} {OTHER_NUMBER}")
    page.keyboard.press("Enter")
    expect(page.locator("[data-said=region]")).not_to_be_empty()
    assert len(sent) == 1
    assert OTHER_NUMBER[:6] not in sent[0]


def test_a_strange_name_and_a_permit_are_asked_about_but_not_stopped(desk: Visitor) -> None:
    page = desk.page
    page.fill("#name", "Zhang 3")
    page.fill("#id_number", "810000199408230021")
    page.keyboard.press("Enter")
    on(page, "consent")
    assert "数字" in page.locator("#name-caution").inner_text()
    assert "居住证" in page.locator("#id_number-caution").inner_text()


def test_a_number_of_the_old_card_is_converted_for_comparison(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.type(f"{NAME} 110105491231002")
    page.keyboard.press("Enter")
    on(page, "id_number")
    assert fields(page) == (NAME, NUMBER)
    assert "15" in page.locator("#id_number-caution").inner_text()
    page.keyboard.press("Enter")
    on(page, "consent")


def test_a_number_that_ends_in_000_is_confirmed_before_a_call_is_spent(desk: Visitor) -> None:
    page, person = desk.page, next(person for person in PEOPLE if person.number.endswith("000"))
    page.keyboard.type(f"{person.name} {person.number}")
    page.keyboard.press("Enter")
    on(page, "confirmed")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    consent_and_send(page)
    assert outcome(desk) == "match"


# -- the list


def test_five_pasted_people_are_worked_one_by_one(desk: Visitor) -> None:
    page, people, asked = desk.page, GROWN_UP[8:12], list[str]()
    page.on("request", lambda request: asked.append(request.url))
    rows = [f"{person.name}\t{person.number}" for person in people]
    paste(page, "\n".join(["姓名\t身份证号", *rows[:2], "王五 号码不全", *rows[2:]]))
    for done in range(2):
        assert fields(page) == (people[done].name, people[done].number)
        consent_and_send(page)
        on(page, "scan")
        page.locator("[data-next-person]").press("Enter")
        page.wait_for_url("**/verify")
    on(page, "scan")  # the third was not read: it is mended here
    assert page.input_value("#scan") == "王五 号码不全"
    page.keyboard.type(f"林小满 {NUMBER}")
    page.keyboard.press("Enter")
    for person in (None, *people[2:]):
        assert person is None or fields(page) == (person.name, person.number)
        consent_and_send(page)
        on(page, "scan")
        page.locator("[data-next-person]").press("Enter")
        page.wait_for_url("**/verify")
    assert not any(re.search(r"\d{15}|%E", url) for url in asked)
    assert desk.open("/history") == 200
    assert desk.outcomes()[:5] == ["match", "match", "mismatch", "match", "match"]


def test_the_list_lives_in_the_page_and_nowhere_else(served: Served, visit: Visit) -> None:
    desk = visit(served, "zh-CN")
    page = desk.page
    desk.log_in(ADMIN)
    desk.open("/verify")
    on(page, "scan")
    paste(page, "\n".join(f"{person.name} {person.number}" for person in GROWN_UP[:5]))
    expect(page.locator("[data-queue] li")).to_have_count(5)
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])") == "[{},{},null]"
    desk.log_out()
    desk.log_in(ADMIN)
    desk.open("/verify")
    expect(page.locator("[data-queue]")).to_be_hidden()


def test_somebody_may_be_left_out_and_the_list_cleared_by_the_keyboard(desk: Visitor) -> None:
    page = desk.page
    paste(page, "\n".join(f"{person.name} {person.number}" for person in GROWN_UP[:3]))
    assert fields(page)[0] == GROWN_UP[0].name
    page.locator("[data-skip]").press("Enter")
    assert fields(page)[0] == GROWN_UP[1].name
    assert [item.get_attribute("data-state") for item in page.locator("[data-queue] li").all()] == [
        "skipped", "now", "waiting"]  # fmt: skip
    page.locator("[data-clear]").press("Enter")
    expect(page.locator("[data-queue]")).to_be_hidden()


def test_a_list_takes_fifty_and_says_what_it_left_out(desk: Visitor) -> None:
    paste(desk.page, "\n".join(f"{NAME} {NUMBER}" for _line in range(53)))
    expect(desk.page.locator("[data-queue] li")).to_have_count(50)
    expect(desk.page.locator("[data-scan-note]")).to_contain_text("3")


def test_leaving_the_page_with_people_waiting_asks_first(desk: Visitor) -> None:
    page, asked = desk.page, list[str]()

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    paste(page, "\n".join(f"{person.name} {person.number}" for person in GROWN_UP[:2]))
    on(page, "consent")
    desk.open("/history")
    assert asked == ["beforeunload"]


def test_an_answer_that_is_lost_is_called_so_and_the_same_form_spends_nothing_twice(sit_down: SitDown) -> None:
    def lose(route: Route) -> None:
        """The form arrives and is worked, what came of it does not."""
        route.fetch(max_redirects=0)
        route.abort()

    visitor = sit_down("zh-CN")
    page = visitor.page
    visitor.open("/history?size=200")
    before = len(visitor.outcomes())
    visitor.open("/verify")
    on(page, "scan")
    paste(page, "\n".join(f"{person.name} {person.number}" for person in GROWN_UP[12:14]))
    page.route("**/verify", lambda route: lose(route) if route.request.method == "POST" else route.continue_())
    on(page, "consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("[data-scan-note]")).to_contain_text("可能已经提交")
    expect(page.locator("form.desk")).not_to_have_attribute("aria-busy", "true")
    page.unroute("**/verify")
    page.keyboard.press("Enter")
    page.wait_for_url("**/verifications/*")
    assert outcome(visitor) == "match"
    page.locator("[data-clear]").press("Enter")
    visitor.open("/history?size=200")
    assert len(visitor.outcomes()) == before + 1
    visitor.faults = [fault for fault in visitor.faults if "ERR_FAILED" not in fault]  # the broken line itself


# -- mending, training, comforts


def test_a_mismatch_is_mended_and_verified_again(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[14]
    page.keyboard.type(f"林小满 {person.number}")
    page.keyboard.press("Enter")
    consent_and_send(page)
    assert outcome(desk) == "mismatch"
    page.locator("[data-edit]").press("Enter")
    on(page, "name")
    assert fields(page) == ("林小满", person.number)
    assert not page.is_checked("#consent")
    page.keyboard.press("Control+a")
    page.keyboard.type(person.name)
    page.keyboard.press("Enter")
    consent_and_send(page)
    assert outcome(desk) == "match"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_tour_fills_the_form_and_ticks_off_what_was_seen(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page = visitor.page
    step = page.locator("[data-step=no_such_number]")
    step.locator("button").press("Enter")
    consent_and_send(page)
    assert outcome(visitor) in ("no_such_number", "reused")
    met = outcome(visitor)
    visitor.open("/verify")
    expect(page.locator(f"[data-step={met}] [data-seen]")).to_be_visible()
    page.locator("[data-tour] summary").press("Enter")
    visitor.open("/verify")
    expect(step).to_be_hidden()


def test_sounds_are_off_until_they_are_asked_for(desk: Visitor) -> None:
    page = desk.page
    assert not page.is_checked("[data-sounds]")
    page.locator("[data-sounds]").press("Space")
    desk.open("/verify")
    assert page.is_checked("[data-sounds]")


@pytest.mark.parametrize(
    "way",
    [{"locale": "zh-CN", "viewport": PHONE, "color_scheme": "dark"},
     {"locale": "en", "viewport": WIDE, "color_scheme": "light"}],
    ids=["phone, zh, dark", "wide, en, light"],
)  # fmt: skip
def test_the_desk_at_work_is_fit_for_everyone(way: dict[str, Any], sit_down: SitDown) -> None:
    visitor = sit_down(**way)
    page = visitor.page
    people = [f"{person.name} {person.number}" for person in (max(PEOPLE, key=lambda one: len(one.name)), *PEOPLE[:6])]
    paste(page, "\n".join([*people, "A" * 60 + " 1"]))
    on(page, "consent")
    faults_of(visitor, "a list at work")
    page.fill("#name", "Zhang 3")
    page.fill("#id_number", "110105194912310000")
    page.focus("#reference")
    faults_of(visitor, "wrong and strange")


def faults_of(visitor: Visitor, shown: str) -> None:
    found = Axe().run(visitor.page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found] == [], shown
    assert visitor.fits(), shown


# -- without script


def test_without_script_the_form_is_all_there_is_and_it_is_enough(
    served: Served, visit: Visit, badge: StorageState
) -> None:
    visitor = visit(served, "zh-CN", storage_state=badge, java_script_enabled=False)
    visitor.open("/verify")
    page = visitor.page
    assert page.locator("[data-desk-bar], [data-tour] button").filter(visible=True).count() == 0
    assert page.locator("[data-step]").count() > 8

    page.fill("#name", NAME)
    page.fill("#id_number", "110105491231002")
    page.check("#consent")
    page.press("#id_number", "Enter")
    assert (outcome(visitor), fields(page)) == ("blocked", (NAME, NUMBER))
    assert "15" in error_of(page, "id_number")
    assert page.inner_text("[data-said=region]") == "北京市 朝阳区"

    person = next(person for person in PEOPLE if person.number.endswith("000"))
    page.fill("#name", person.name)
    page.fill("#id_number", person.number)
    page.press("#id_number", "Enter")
    assert outcome(visitor) == "blocked"
    assert not page.is_checked("#confirmed")
    page.check("#confirmed")
    page.press("#id_number", "Enter")
    page.wait_for_url(re.compile("/(verifications|reuses)/"))
