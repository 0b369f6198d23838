"""The desk's form by the keyboard alone: Enter that goes where it is needed, and no word about what is half typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.at_the_desk import (
    CHILD,
    GROWN_UP,
    LOCALES,
    NAME,
    NUMBER,
    OTHER_NAME,
    OTHER_NUMBER,
    RESULT,
    SitDown,
    consent_and_send,
    error_of,
    fields,
    on,
    outcome,
    press_verify,
)
from tests.journeys.visitor import Visitor
from tests.support.halves import by_turns
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

MISTYPED = "11010519491231002"
THOUSAND = next(person for person in PEOPLE if person.number.endswith("000"))


@pytest.mark.parametrize("locale", by_turns(*LOCALES))
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


@pytest.mark.parametrize("locale", by_turns(*LOCALES, kept=1))
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
        press_verify(page)
        assert [error_of(page, field) for field in ("name", "id_number")] == said


@pytest.mark.parametrize("locale", by_turns(*LOCALES))
def test_enter_on_an_empty_tick_asks_for_it_without_a_round_trip(locale: str, sit_down: SitDown) -> None:
    visitor, sent = sit_down(locale), list[str]()
    page = visitor.page
    page.on("request", lambda request: sent.append(request.method))
    asked = ((NAME, NUMBER, "consent", "consent"), (THOUSAND.name, THOUSAND.number, "confirmed", "id_number"),
             (CHILD.name, CHILD.number, "guardian_consent", "guardian_consent"))  # fmt: skip
    for name, number, tick, told in asked:
        page.fill("#name", name)
        page.fill("#id_number", number)
        page.keyboard.press("Shift")  # Enter is no longer one struck twice on what came
        page.press(f"#{tick}", "Enter")
        said = error_of(page, told)
        assert said
        on(page, tick)
        assert outcome(visitor) == "blocked"
        assert "POST" not in sent
        press_verify(page)
        assert error_of(page, told) == said
        assert sent.count("POST") == 1
        sent.clear()


def test_what_was_asked_for_is_no_longer_asked_for_when_it_is_given(desk: Visitor) -> None:
    page = desk.page
    page.evaluate("document.querySelector('#purpose').selectedOptions[0].dataset.reference = 'required'")
    page.fill("#name", THOUSAND.name)
    page.fill("#id_number", THOUSAND.number)
    for control, told, given in (("confirmed", "id_number", "Space"), ("reference", "reference", "7"),
                                 ("consent", "consent", "Space")):  # fmt: skip
        page.press(f"#{control}", "Enter")
        assert error_of(page, told)
        assert page.locator("[aria-invalid=true]").count() == 1
        page.press(f"#{control}", given)
        assert error_of(page, told) == ""
        assert page.locator("[aria-invalid=true]").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_url(RESULT)
    assert outcome(desk) in ("match", "reused")


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
    page, person = desk.page, THOUSAND
    page.keyboard.type(f"{person.name} {person.number}")
    page.keyboard.press("Enter")
    on(page, "confirmed")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    consent_and_send(page)
    assert outcome(desk) in ("match", "reused")
