"""After a result: mended, masked when its time is over, heard; and the tour of a sandbox."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.journeys.at_the_desk import (
    GROWN_UP,
    LOCALES,
    RESULT,
    SitDown,
    consent_and_send,
    fields,
    on,
    outcome,
)
from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support.halves import by_turns
from tests.support.serve import Served

pytestmark = pytest.mark.browser

LISTEN = """
window.heard = [];
const Real = window.OscillatorNode;
window.OscillatorNode = class extends Real {
  constructor(context, options) {
    super(context, options);
    window.heard.push([options.frequency, context.state]);
  }
};
"""
"""Notes every tone that the page plays; it is played all the same."""
MATCH, MISMATCH, NO_SUCH_NUMBER, BLOCKED = [660, 990], [440, 262], [440, 440, 330], [220]


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


def mend(page: Page, name: str, number: str) -> None:
    """A mismatch is on its way back into the form."""
    page.keyboard.type(f"{name} {number}")
    page.keyboard.press("Enter")
    consent_and_send(page)
    page.locator("[data-edit]").press("Enter")
    page.wait_for_url("**/edit")
    on(page, "name")


def test_back_from_what_came_of_mending_leads_to_the_form_that_was_mended(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[16]
    mend(page, "林小满", person.number)
    page.keyboard.press("Control+a")
    page.keyboard.type(person.name)
    page.keyboard.press("Enter")
    consent_and_send(page)
    page.go_back()
    page.wait_for_url("**/edit")
    on(page, "name")
    assert fields(page) == ("林小满", person.number)
    page.go_back()
    page.wait_for_url(RESULT)
    assert outcome(desk) in ("mismatch", "reused")
    page.reload()
    assert outcome(desk) in ("mismatch", "reused")


def test_another_language_keeps_the_form_that_is_being_mended(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[17]
    mend(page, "林小满", person.number)
    page.locator(".preferences:visible button[value=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    on(page, "name")
    assert fields(page) == ("林小满", person.number)


def test_without_script_back_from_what_came_of_mending_needs_no_form_sent_again(
    sandbox_product: Served, visit: Visit, badge: StorageState
) -> None:
    visitor = visit(sandbox_product, "zh-CN", storage_state=badge, java_script_enabled=False)
    page, person = visitor.page, GROWN_UP[18]
    visitor.open("/verify")
    for name in ("林小满", person.name):
        page.fill("#name", name)
        page.fill("#id_number", person.number)
        page.check("#consent")
        page.press("#id_number", "Enter")
        page.wait_for_url(RESULT)
        if name != person.name:
            page.locator("[data-edit]").click()
            page.wait_for_url("**/edit")
    answer = page.go_back()
    assert answer is not None
    assert answer.status == 200
    assert fields(page) == ("林小满", person.number)


# -- ten minutes


@pytest.mark.parametrize("again", [False, True], ids=["a call", "a recent result"])
def test_a_page_left_open_masks_the_person_after_ten_minutes(again: bool, desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[5]
    page.clock.install()
    for _time in range(2 if again else 1):
        desk.open("/verify")
        ask(page, "林小满", person.number)
    assert outcome(desk) == ("reused" if again else "mismatch")
    page.clock.fast_forward("09:30")
    assert page.locator("[data-personal=number]").inner_text() == " ".join(
        (person.number[:6], person.number[6:14], person.number[14:])
    )
    page.clock.fast_forward("00:31")
    expect(page.locator("[data-personal=name]")).to_have_text("林**")
    expect(page.locator("[data-edit]")).to_have_count(0)
    shown = page.content()
    for secret in ("林小满", person.number, person.number[6:14], f"{person.number[6:10]}-{person.number[10:12]}"):
        assert secret not in shown


def ask(page: Page, name: str, number: str) -> None:
    on(page, "scan")
    page.keyboard.type(f"{name} {number}")
    page.keyboard.press("Enter")
    consent_and_send(page)


# -- sounds


def heard(page: Page) -> list[int]:
    """The tones of this page, in Hz; all were let out."""
    tones: list[tuple[int, str]] = page.evaluate("window.heard")
    assert {state for _tone, state in tones} <= {"running"}
    return [tone for tone, _state in tones]


def test_each_outcome_has_its_tune_and_a_recent_one_that_of_what_it_was(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[6]
    page.add_init_script(LISTEN)
    desk.open("/verify")
    page.locator("[data-sounds]").press("Space")
    assert heard(page) == MATCH
    played: Sequence[tuple[str, str, list[int]]] = (
        ("林小满", person.number, MISMATCH),
        (person.name, person.number, MATCH),
        (person.name, "100109197001010015", NO_SUCH_NUMBER),
    )
    before: list[int] = []
    for _time in range(2):
        for name, number, tune in played:
            desk.open("/verify")
            ask(page, name, number)
            assert heard(page) == before + tune
        before = [523, 523]
    desk.open("/verify")
    on(page, "scan")
    page.keyboard.type(f"{person.name} {person.number[:-1]}")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert heard(page)[-1:] == BLOCKED
    desk.open("/history")
    page.go_back()


def test_sounds_are_off_until_they_are_asked_for(desk: Visitor) -> None:
    page = desk.page
    assert not page.is_checked("[data-sounds]")
    page.locator("[data-sounds]").press("Space")
    desk.open("/verify")
    assert page.is_checked("[data-sounds]")


# -- the tour


@pytest.mark.parametrize("locale", by_turns(*LOCALES, kept=1))
def test_the_tour_shows_the_step_to_take_and_the_next(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale)
    page = visitor.page
    steps = page.locator("[data-step]")
    shown = steps.filter(visible=True)
    assert steps.count() > 8
    assert shown.count() == 1
    first = shown.get_attribute("data-step")
    second = steps.nth(1).locator("[data-label]").inner_text()
    assert second in page.locator("[data-tour-next]").inner_text()
    shown.locator("button").press("Enter")
    consent_and_send(page)
    assert outcome(visitor) == first
    visitor.open("/verify")
    on(page, "scan")
    assert shown.count() == 1
    assert shown.locator("[data-label]").inner_text() == second
    page.locator("[data-tour-skip]").press("Enter")
    assert shown.get_attribute("data-step") == steps.nth(2).get_attribute("data-step")
    page.locator("[data-tour-all]").press("Enter")
    assert shown.count() == steps.count()
    expect(steps.nth(0).locator("[data-seen]")).to_be_visible()
    page.locator("[data-tour] summary").press("Enter")
    visitor.open("/verify")
    assert shown.count() == 0


def test_a_tour_that_is_over_can_be_started_again(desk: Visitor) -> None:
    page = desk.page
    words = page.locator("[data-step]").evaluate_all("steps => steps.map((step) => step.dataset.step)")
    page.evaluate("seen => localStorage.setItem('yuliang.tour.seen', seen)", " ".join(words))
    desk.open("/verify")
    on(page, "scan")
    shown = page.locator("[data-step]").filter(visible=True)
    assert shown.count() == 0
    page.locator("[data-tour-again]").press("Enter")
    assert shown.get_attribute("data-step") == words[0]
