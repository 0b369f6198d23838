"""Who consents, and a tick that looks like one: never carried over from one person to the next."""

from __future__ import annotations

import pytest
from playwright.sync_api import Request, expect

from tests.journeys.at_the_desk import CHILD, NAME, NUMBER, OTHER_NAME, OTHER_NUMBER, SitDown, on, outcome, press_verify
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("path", "tick"), [("/verify", "consent"), ("/settings/purposes/1", "reference_required")])
def test_a_tick_looks_like_one_and_shows_that_it_is_set(path: str, tick: str, scheme: str, sit_down: SitDown) -> None:
    visitor = sit_down("zh-CN", color_scheme=scheme)
    visitor.open(path)
    control = visitor.page.locator(f"#{tick}")
    size = control.bounding_box()
    assert size is not None
    assert 18 <= size["width"] == size["height"] <= 28
    empty = control.screenshot(animations="disabled")
    looks = "tick => { const look = getComputedStyle(tick); return [look.backgroundColor, look.backgroundImage] }"
    before = control.evaluate(looks)
    control.check()
    after = control.evaluate(looks)
    assert before[0] != after[0]
    assert (before[1], "url" in after[1]) == ("none", True)
    assert control.screenshot(animations="disabled") != empty


def test_overtyping_both_fields_takes_back_what_was_ticked(desk: Visitor) -> None:
    page = desk.page
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    page.check("#consent")
    page.fill("#name", OTHER_NAME)
    page.focus("#id_number")
    page.keyboard.press("Control+a")
    page.keyboard.type(OTHER_NUMBER)
    assert not page.is_checked("#consent")


def test_mending_a_slip_in_the_same_number_leaves_the_tick(desk: Visitor) -> None:
    page = desk.page
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    page.check("#consent")
    page.focus("#id_number")
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("X")
    page.fill("#name", "张三丰")
    assert page.is_checked("#consent")


def test_for_a_child_the_guardian_is_asked_at_once_and_nothing_is_sent_in_vain(desk: Visitor) -> None:
    page, sent = desk.page, list[str]()

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/verify"):
            sent.append(request.post_data or "")

    page.on("request", note)
    page.keyboard.type(f"{CHILD.name} {CHILD.number}")
    page.keyboard.press("Enter")
    on(page, "guardian_consent")
    expect(page.locator("#consent")).to_be_hidden()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/verifications/*")
    assert outcome(desk) == "match"
    assert len(sent) == 1
    assert "guardian_consent=yes" in sent[0]
    assert "&consent=" not in sent[0]


def test_after_a_child_the_next_adult_is_asked_in_person(desk: Visitor) -> None:
    page = desk.page
    page.keyboard.type(f"{CHILD.name} {CHILD.number}")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.locator("form.desk button").focus()
    page.fill("#name", OTHER_NAME)
    page.fill("#id_number", OTHER_NUMBER)
    expect(page.locator("#guardian_consent")).to_be_hidden()
    assert page.is_disabled("#guardian_consent")
    expect(page.locator("#consent")).to_be_visible()
    assert not page.is_checked("#consent")


def test_what_was_said_of_one_person_goes_when_another_comes(desk: Visitor) -> None:
    page = desk.page
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    press_verify(page)  # without consent: the server refuses
    assert outcome(desk) == "blocked"
    page.fill("#id_number", OTHER_NUMBER)
    expect(page.locator("[data-result]")).to_have_count(0)
