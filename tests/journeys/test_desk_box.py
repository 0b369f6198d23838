"""The box that takes a whole person: typed, pasted, from a card reader or an input method."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.at_the_desk import (
    NAME,
    NUMBER,
    OTHER_NAME,
    OTHER_NUMBER,
    consent_and_send,
    fields,
    intercept,
    on,
    paste,
)
from tests.journeys.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


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


def test_an_input_method_in_the_box_is_left_alone(desk: Visitor) -> None:
    page = desk.page
    keys = page.context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "zhang1san", "selectionStart": 9, "selectionEnd": 9})
    for key in ("Enter", "Tab"):
        keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": 229})
    on(page, "scan")
    assert (fields(page), page.locator("[data-scan-note]").inner_text()) == (("", ""), "")
    keys.send("Input.insertText", {"text": NAME})
    page.keyboard.type(f" {NUMBER}")
    page.keyboard.press("Enter")
    on(page, "consent")
    assert fields(page) == (NAME, NUMBER)


# -- a page that takes longer than the reader


def test_a_card_reader_need_not_wait_for_the_page(desk: Visitor) -> None:
    page, held = desk.page, a_result_and_then_no_page(desk)
    page.keyboard.type(OTHER_NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(OTHER_NUMBER)
    page.keyboard.press("Enter")
    assert desk.path != "/verify"
    let_come(page, held)
    on(page, "consent")
    assert fields(page) == (OTHER_NAME, OTHER_NUMBER)
    assert len(held) == 1


def test_a_page_that_comes_in_the_middle_of_a_number_takes_none_of_it_away(desk: Visitor) -> None:
    page, held = desk.page, a_result_and_then_no_page(desk)
    page.keyboard.type(OTHER_NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(OTHER_NUMBER[:9])
    let_come(page, held)
    expect(page.locator("#name")).to_have_value(OTHER_NAME)
    page.keyboard.type(OTHER_NUMBER[9:])
    page.keyboard.press("Enter")
    on(page, "consent")
    assert fields(page) == (OTHER_NAME, OTHER_NUMBER)


def test_a_reader_with_an_enter_too_many_loses_nothing_either(desk: Visitor) -> None:
    page, held = desk.page, a_result_and_then_no_page(desk)
    for part in (OTHER_NUMBER, OTHER_NAME):
        page.keyboard.type(part)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    let_come(page, held)
    on(page, "consent")
    assert fields(page) == (OTHER_NAME, OTHER_NUMBER)


def test_a_page_that_does_not_come_leaves_the_person_in_the_box(desk: Visitor) -> None:
    page, held = desk.page, a_result_and_then_no_page(desk)
    page.keyboard.type(f"{OTHER_NAME} {OTHER_NUMBER}")
    page.keyboard.press("Enter")
    asked_for(page, held)
    held[0].abort()
    expect(page.locator("#scan")).to_have_value(f"{OTHER_NAME} {OTHER_NUMBER}")
    expect(page.locator("[data-scan-note]")).not_to_be_empty()
    desk.faults = [fault for fault in desk.faults if "ERR_FAILED" not in fault]  # the broken line itself


def a_result_and_then_no_page(visitor: Visitor) -> list[Route]:
    """A result is shown, and whoever asks for the form waits in the list until somebody lets the page come."""
    page, held = visitor.page, list[Route]()
    page.keyboard.type(f"{NAME} {NUMBER}")
    page.keyboard.press("Enter")
    consent_and_send(page)
    on(page, "scan")

    def hold(route: Route) -> None:
        held.append(route)

    intercept(page, "**/verify", hold)
    return held


def asked_for(page: Page, held: list[Route]) -> None:
    """Waits in the browser's own loop: a route is only handed over while the browser is talked to."""
    until(lambda: page.evaluate("true") and bool(held), "the page is asked for")


def let_come(page: Page, held: list[Route]) -> None:
    asked_for(page, held)
    for route in held:
        route.continue_()
