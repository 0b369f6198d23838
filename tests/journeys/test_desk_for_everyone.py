"""The desk for everyone: on a phone, with assistive technology, in both languages, and without a script."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import StorageState

from tests.journeys.at_the_desk import (
    CHILD,
    GROWN_UP,
    LOCALES,
    NAME,
    NUMBER,
    PHONE,
    RESULT,
    WIDE,
    SitDown,
    consent_and_send,
    error_of,
    faults_of,
    fields,
    made_up,
    on,
    outcome,
    paste,
    rows,
)
from tests.journeys.conftest import Visit
from tests.support.halves import by_turns, chessboard
from tests.support.serve import Served
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

WAYS = chessboard({"phone": PHONE, "wide": WIDE}, LOCALES, ("light", "dark"))


@pytest.mark.parametrize("locale", by_turns(*LOCALES))
def test_somebody_verifies_with_a_thumb(locale: str, sit_down: SitDown) -> None:
    visitor = sit_down(locale, viewport=PHONE, has_touch=True, is_mobile=True)
    page, person = visitor.page, GROWN_UP[2 if locale == "en" else 3]
    for field, text in (("name", person.name), ("id_number", person.number)):
        page.tap(f"#{field}")
        page.keyboard.type(text)
    assert visitor.fits()
    page.tap("#consent")
    page.tap("form.desk button")
    page.wait_for_url("**/verifications/*")
    assert outcome(visitor) == "match"
    assert visitor.fits()
    title = page.locator(".result-title").bounding_box()
    assert title is not None
    assert title["y"] + title["height"] < PHONE["height"]  # seen without scrolling
    page.tap("[data-next-person]")
    page.wait_for_url("**/verify")
    assert fields(page) == ("", "")


def test_a_thumb_that_forgot_the_tick_is_told_where_it_is(sit_down: SitDown) -> None:
    visitor = sit_down("zh-CN", viewport=PHONE, has_touch=True, is_mobile=True)
    page = visitor.page
    page.fill("#name", NAME)
    page.fill("#id_number", NUMBER)
    page.tap("form.desk button")
    on(page, "consent")
    assert outcome(visitor) == "blocked"
    assert error_of(page, "consent")
    assert visitor.fits()


@pytest.mark.parametrize("way", WAYS)
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
    page.fill("#id_number", CHILD.number)
    page.locator("[data-tour-all]").click()
    faults_of(visitor, "a child, and the whole tour")


@pytest.mark.parametrize("way", WAYS)
def test_results_and_what_a_list_keeps_of_them_are_fit_for_everyone(way: dict[str, Any], sit_down: SitDown) -> None:
    visitor = sit_down(**way)
    page = visitor.page
    unknown, unused = made_up(2)
    paste(page, rows([("演练限流次数", unused[1]), ("演练未知编码五", unused[1]), unknown, (NAME, NUMBER)]))
    for shown in ("refused", "unexpected or reused", "nobody's or reused", "match or reused"):
        consent_and_send(page)
        faults_of(visitor, shown)
        page.locator("[data-next-person]").press("Enter")
        page.wait_for_url("**/verify")
    faults_of(visitor, "a list with lines in every state")


# -- without script


def test_without_script_the_form_is_all_there_is_and_it_is_enough(
    sandbox_product: Served, visit: Visit, badge: StorageState
) -> None:
    visitor = visit(sandbox_product, "zh-CN", storage_state=badge, java_script_enabled=False)
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
    page.wait_for_url(RESULT)
