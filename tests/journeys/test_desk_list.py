"""Pasted people, worked one by one: a list that lives in the page and credits nobody with another's outcome."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.journeys.at_the_desk import (
    GROWN_UP,
    NAME,
    NUMBER,
    SitDown,
    consent_and_send,
    fields,
    intercept,
    next_person,
    on,
    outcome,
    paste,
    rows,
)
from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN
from tests.support.serve import Served

pytestmark = pytest.mark.browser


def test_five_pasted_people_are_worked_one_by_one(desk: Visitor) -> None:
    page, people, asked = desk.page, GROWN_UP[8:12], list[str]()
    page.on("request", lambda request: asked.append(request.url))
    listed = rows([(person.name, person.number) for person in people]).split("\n")
    paste(page, "\n".join(["姓名\t身份证号", *listed[:2], "王五 号码不全", *listed[2:]]))
    for done in range(2):
        assert fields(page) == (people[done].name, people[done].number)
        consent_and_send(page)
        next_person(page)
    on(page, "scan")  # the third was not read: it is mended here
    assert page.input_value("#scan") == "王五 号码不全"
    page.keyboard.type(f"王五 {NUMBER}")
    page.keyboard.press("Enter")
    for person in (None, *people[2:]):
        assert person is None or fields(page) == (person.name, person.number)
        consent_and_send(page)
        next_person(page)
    assert not any(re.search(r"\d{15}|%E", url) for url in asked)
    assert desk.open("/history") == 200
    assert desk.outcomes()[:5] == ["match", "match", "mismatch", "match", "match"]


def test_the_list_lives_in_the_page_and_nowhere_else(sandbox_product: Served, visit: Visit) -> None:
    desk = visit(sandbox_product, "zh-CN")
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
    intercept(page, "**/verify", lambda route: lose(route) if route.request.method == "POST" else route.continue_())
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
