"""A page that takes long: what is typed meanwhile is kept whole or refused whole, and no result is passed over."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.at_the_desk import (
    GROWN_UP,
    NAME,
    NUMBER,
    OTHER_NAME,
    OTHER_NUMBER,
    RESULT,
    SitDown,
    consent_and_send,
    fields,
    intercept,
    lines,
    made_up,
    on,
    outcome,
    paste,
    rows,
)
from tests.journeys.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

READER = [*"欧阳思远", "Tab", *OTHER_NUMBER, "Enter"]
"""The keys of a card reader, one by one."""
PERSON = ("欧阳思远", OTHER_NUMBER)


def strike(page: Page, keys: list[str]) -> None:
    for key in keys:
        if len(key) > 1:
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def send_and_wait(page: Page) -> list[Route]:
    """The form in front of one is sent; its answer waits until somebody lets it come."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    intercept(page, "**/verify", hold)
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    until(lambda: page.evaluate("true") and bool(held), "the form is sent")
    return held


def a_slow_call(visitor: Visitor) -> list[Route]:
    page = visitor.page
    page.clock.install()
    page.focus("#scan")
    page.keyboard.type(f"{NAME} {NUMBER}")
    page.keyboard.press("Enter")
    on(page, "consent")
    return send_and_wait(page)


@pytest.mark.parametrize("before", [0, 2, 4, 5, 12, 22, 23, 24])
def test_what_a_reader_types_across_the_answer_s_arrival_is_whole(before: int, desk: Visitor) -> None:
    page, [answer] = desk.page, a_slow_call(desk)
    strike(page, READER[:before])
    answer.continue_()
    page.wait_for_url(RESULT)
    on(page, "scan")
    strike(page, READER[before:])
    if before:  # begun before the result stood: it waits until that was seen
        assert outcome(desk) in ("match", "reused")
        assert page.input_value("#scan").split() == list(PERSON)
        expect(page.locator("[data-scan-note]")).not_to_be_empty()
        page.clock.fast_forward(1000)
        page.keyboard.press("Enter")
    on(page, "consent")
    assert fields(page) == PERSON


@pytest.mark.parametrize("before", [2, 12, 24])
def test_an_answer_that_is_lost_takes_neither_person_away(before: int, desk: Visitor) -> None:
    page, [answer] = desk.page, a_slow_call(desk)
    strike(page, READER[:before])
    answer.abort()
    expect(page.locator("form.desk")).not_to_have_attribute("aria-busy", "true")
    strike(page, READER[before:])
    assert page.input_value("#scan").split() == list(PERSON)
    assert fields(page) == (NAME, NUMBER)
    assert page.is_checked("#consent")
    desk.faults = [fault for fault in desk.faults if "ERR_FAILED" not in fault]  # the broken line itself


def test_who_is_refused_stays_in_the_form_while_the_next_one_waits(desk: Visitor) -> None:
    page = desk.page
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    page.evaluate("document.querySelector('[name=form_token]').value += 'x'")  # the server refuses it
    page.focus("#consent")
    [answer] = send_and_wait(page)
    strike(page, READER)
    answer.continue_()
    expect(page.locator("[data-result]")).to_have_attribute("data-outcome", "blocked")
    on(page, "scan")
    assert fields(page) == (NAME, NUMBER)
    assert page.input_value("#scan").split() == list(PERSON)


def test_only_the_box_answers_while_a_call_is_under_way(desk: Visitor) -> None:
    page, [answer] = desk.page, a_slow_call(desk)
    on(page, "scan")
    page.focus("#id_number")
    on(page, "scan")
    for key in ("Enter", "Enter"):
        page.keyboard.press(key)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    answer.continue_()
    page.wait_for_url(RESULT)
    page.keyboard.press("Enter")
    on(page, "scan")
    assert RESULT.search(desk.path), "Enter, struck once more, leaves the result where it is"
    assert [url for url in sent if url.endswith("/verify")] == []


def test_enter_struck_twice_on_mending_does_not_send_what_is_to_be_mended(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[15]
    page.clock.install()
    page.keyboard.type(f"林小满 {person.number}")
    page.keyboard.press("Enter")
    consent_and_send(page)
    page.locator("[data-edit]").press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit")
    on(page, "name")
    page.keyboard.press("Enter")
    on(page, "name")
    page.clock.fast_forward(1000)
    page.keyboard.press("Enter")
    on(page, "consent")


def test_a_list_pasted_while_a_call_is_under_way_begins_after_its_result(desk: Visitor) -> None:
    page, people = desk.page, made_up(84)[82:]
    [answer] = a_slow_call(desk)
    paste(page, rows(people))
    assert lines(page) == [("waiting", ""), ("waiting", "")]
    answer.continue_()
    page.wait_for_url(RESULT)
    assert outcome(desk) in ("match", "reused")
    page.clock.fast_forward(1000)
    page.keyboard.press("Enter")
    on(page, "consent")
    assert fields(page) == people[0]


def test_an_input_method_at_work_keeps_its_text_when_the_answer_comes(desk: Visitor) -> None:
    page, [answer] = desk.page, a_slow_call(desk)
    keys = page.context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "ouyang", "selectionStart": 6, "selectionEnd": 6})
    with page.expect_response(RESULT):
        answer.continue_()
    keys.send("Input.insertText", {"text": OTHER_NAME})
    page.wait_for_url(RESULT)
    page.keyboard.type(f" {OTHER_NUMBER}")
    assert page.input_value("#scan") == f"{OTHER_NAME} {OTHER_NUMBER}"


# -- before the desk's script stands


@pytest.mark.parametrize("before", [0, 2, 5, 12])
def test_nothing_is_taken_of_what_began_before_the_page_stood(before: int, sit_down: SitDown) -> None:
    visitor = sit_down("zh-CN")
    page, scripts = visitor.page, list[Route]()
    page.clock.install()
    page.clock.pause_at("2035-01-01")

    def hold(route: Route) -> None:
        scripts.append(route)

    page.route("**/desk-*.js", hold)
    page.goto(f"{visitor.address}/verify", wait_until="commit")
    until(lambda: page.evaluate("true") and bool(scripts), "the script is asked for")
    strike(page, READER[:before])
    scripts[0].continue_()
    expect(page.locator("[data-desk-bar]")).to_be_visible()
    strike(page, READER[before:])
    assert page.input_value("#scan") == ""
    page.clock.run_for(1000)
    on(page, "scan")
    expect(page.locator("[data-scan-note]")).not_to_be_empty()
    assert fields(page) == ("", "")
    strike(page, READER)
    on(page, "consent")
    assert fields(page) == PERSON


def test_whoever_has_gone_into_a_field_by_then_is_left_alone(desk: Visitor) -> None:
    page = desk.page
    page.clock.install()
    page.clock.pause_at("2035-01-01")
    desk.open("/verify")
    page.click("#name")
    page.keyboard.type(NAME)
    page.clock.run_for(1000)
    assert (desk.focused(), page.input_value("#name")) == ("name", NAME)
