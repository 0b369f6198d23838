"""A list while the vendor is under maintenance: nobody on it counts as done."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.at_the_desk import consent_and_send, fields, lines, made_up, next_person, on, outcome, paste, rows
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

MAINTENANCE = "演练系统维护"
"""The name that the sandbox answers with its maintenance, which stops all calls."""


def test_whoever_meets_the_vendor_s_maintenance_comes_again(desk: Visitor) -> None:
    page, people = desk.page, made_up(2)
    people[0] = (MAINTENANCE, people[0][1])
    paste(page, rows(people))
    consent_and_send(page)
    assert outcome(desk) == "maintenance"
    assert lines(page) == [("waiting", "maintenance"), ("waiting", "")]
    assert "0/2" in page.locator("[data-progress]").inner_text().replace(" ", "")
    next_person(page)
    assert fields(page) == people[1]
    on(page, "consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("[data-result]")).to_have_attribute("data-outcome", "blocked")
    expect(page.locator(".result-title")).to_contain_text("维护")
    assert fields(page) == people[1]  # who could not be asked about stays
    assert lines(page) == [("waiting", "maintenance"), ("now", "")]
    page.locator("[data-skip]").press("Enter")
    expect(page.locator("#name")).to_have_value(MAINTENANCE)
    assert fields(page) == people[0]
    assert lines(page) == [("now", "maintenance"), ("skipped", "")]
