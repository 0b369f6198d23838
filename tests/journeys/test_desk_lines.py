"""What the list says of each line: its own outcome, nobody else's, and nothing as done that is not."""

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
    consent_and_send,
    fields,
    intercept,
    lines,
    made_up,
    next_person,
    on,
    outcome,
    paste,
    rows,
)
from tests.journeys.visitor import Visitor
from tests.support.waiting import until
from webapp.vendor.sandbox.people import PEOPLE

pytestmark = pytest.mark.browser

TOO_FAST, TIMED_OUT, STRANGE = "演练限流次数", "演练后端超时", "演练未知编码五"
"""Names that the sandbox answers with a refusal, an unknown outcome, something unexpected."""
NAMESAKES = [(person.name, person.number) for person in PEOPLE if person.name == "李演"]


def walk_in(page: Page, name: str, number: str) -> None:
    """Somebody who is not on the list comes to the desk."""
    page.focus("#scan")
    page.keyboard.type(f"{name} {number}")
    page.keyboard.press("Enter")
    on(page, "consent")


def test_a_walk_in_is_not_taken_for_the_one_of_the_list(desk: Visitor) -> None:
    page, people = desk.page, made_up(3)
    paste(page, rows(people))
    walk_in(page, "林小满", NUMBER)
    expect(page.locator("[data-scan-note]")).to_contain_text(people[0][0])
    consent_and_send(page)
    assert outcome(desk) == "mismatch"
    assert lines(page) == [("now", ""), ("waiting", ""), ("waiting", "")]
    next_person(page)
    assert fields(page) == people[0]
    consent_and_send(page)
    assert lines(page) == [("done", "no_such_number"), ("waiting", ""), ("waiting", "")]


def test_a_namesake_is_somebody_else(desk: Visitor) -> None:
    page = desk.page
    paste(page, rows([NAMESAKES[0], made_up(4)[3]]))
    walk_in(page, *NAMESAKES[1])
    consent_and_send(page)
    assert outcome(desk) == "match"
    assert lines(page) == [("now", ""), ("waiting", "")]


def test_a_mistyped_line_mended_in_the_form_is_still_that_line(desk: Visitor) -> None:
    page, person = desk.page, GROWN_UP[2]
    paste(page, rows([(person.name, person.number[:-1] + ("0" if person.number[-1] != "0" else "1")), (NAME, NUMBER)]))
    on(page, "id_number")
    page.keyboard.press("Control+a")
    page.keyboard.type(person.number)
    page.keyboard.press("Enter")
    consent_and_send(page)
    assert lines(page) == [("done", "match"), ("waiting", "")]


def test_one_person_pasted_during_a_list_comes_to_the_form(desk: Visitor) -> None:
    page, people = desk.page, made_up(6)[4:]
    paste(page, rows(people))
    assert fields(page) == people[0]
    page.focus("#scan")
    paste(page, f"{OTHER_NAME}\t{OTHER_NUMBER}")
    on(page, "consent")
    assert fields(page) == (OTHER_NAME, OTHER_NUMBER)
    expect(page.locator("[data-scan-note]")).to_contain_text(people[0][0])
    assert lines(page) == [("now", ""), ("waiting", "")]


def test_whom_the_vendor_failed_is_not_called_done(desk: Visitor) -> None:
    page, numbers = desk.page, [number for _name, number in made_up(10)[6:]]
    paste(page, rows([(name, number) for name, number in
                      zip((TOO_FAST, TIMED_OUT, STRANGE, "名单"), numbers, strict=True)]))  # fmt: skip
    for expected in ("refused", "unknown", "unexpected", "no_such_number"):
        consent_and_send(page)
        assert outcome(desk) == expected
        next_person(page)
    assert lines(page) == [("now", "refused"), ("open", "unknown"), ("open", "unexpected"), ("done", "no_such_number")]
    assert fields(page) == (TOO_FAST, numbers[0])  # refused: the last to come again
    assert "1/4" in page.locator("[data-progress]").inner_text().replace(" ", "")
    page.locator("[data-skip]").press("Enter")
    assert lines(page)[0] == ("skipped", "refused")


def test_mending_a_result_reopens_its_line_and_the_last_one_too(desk: Visitor) -> None:
    page, first, last = desk.page, GROWN_UP[3], GROWN_UP[4]
    paste(page, rows([("林小满", first.number), ("林小满", last.number)]))
    consent_and_send(page)
    assert lines(page) == [("done", "mismatch"), ("waiting", "")]
    mend_name(page, first.name)
    assert lines(page) == [("done", "match"), ("waiting", "")]
    next_person(page)
    consent_and_send(page)
    assert lines(page) == [("done", "match"), ("done", "mismatch")]
    mend_name(page, last.name)
    assert lines(page) == [("done", "match"), ("done", "match")]


def mend_name(page: Page, name: str) -> None:
    page.locator("[data-edit]").press("Enter")
    on(page, "name")
    assert ("now", "") in lines(page)
    page.keyboard.press("Control+a")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    consent_and_send(page)


def test_whoever_is_done_is_masked(desk: Visitor) -> None:
    page, people = desk.page, [("欧阳名单", made_up(11)[10][1]), ("司马名单", made_up(12)[11][1])]
    paste(page, rows(people))
    consent_and_send(page)
    done, waiting = (line.inner_text() for line in page.locator("[data-queue] li").all())
    assert done.startswith("欧*** ")
    assert waiting.startswith("司马名单 ")
    next_person(page)
    assert people[0][0] not in page.content()


def test_looking_back_at_a_result_credits_nobody(desk: Visitor) -> None:
    page = desk.page
    paste(page, rows(made_up(15)[12:]))
    consent_and_send(page)
    next_person(page)
    page.go_back()
    page.wait_for_url("**/verifications/*")
    assert lines(page) == [("done", "no_such_number"), ("now", ""), ("waiting", "")]


def test_who_comes_out_of_turn_is_found_on_the_list(desk: Visitor) -> None:
    page, people = desk.page, made_up(68)[65:]
    paste(page, rows(people))
    walk_in(page, *people[2])
    expect(page.locator("[data-scan-note]")).to_be_empty()
    assert lines(page) == [("waiting", ""), ("waiting", ""), ("now", "")]
    consent_and_send(page)
    assert lines(page) == [("waiting", ""), ("waiting", ""), ("done", "no_such_number")]
    next_person(page)
    assert fields(page) == people[0]


def test_who_comes_out_of_turn_by_hand_is_found_too(desk: Visitor) -> None:
    page, people = desk.page, made_up(70)[68:]
    paste(page, rows(people))
    page.fill("#name", people[1][0])
    page.fill("#id_number", people[1][1])
    page.check("#consent")
    page.press("#consent", "Enter")
    page.wait_for_url("**/verifications/*")
    assert lines(page) == [("waiting", ""), ("done", "no_such_number")]


def test_leaving_out_a_walk_in_leaves_the_list_alone(desk: Visitor) -> None:
    page, people = desk.page, made_up(72)[70:]
    paste(page, rows(people))
    walk_in(page, "林小满", NUMBER)
    page.locator("[data-skip]").press("Enter")
    expect(page.locator("#name")).to_have_value(people[0][0])
    assert fields(page) == people[0]
    assert lines(page) == [("now", ""), ("waiting", "")]
    expect(page.locator("[data-scan-note]")).to_be_empty()


def test_what_was_said_of_a_walk_in_is_not_said_of_the_next(desk: Visitor) -> None:
    page, people = desk.page, made_up(75)[72:]
    paste(page, rows(people))
    walk_in(page, "林小满", NUMBER)
    expect(page.locator("[data-scan-note]")).to_contain_text(people[0][0])
    for person in people[:2]:
        page.locator("[data-skip]").press("Enter")
        expect(page.locator("#name")).to_have_value(person[0])
        expect(page.locator("[data-scan-note]")).to_be_empty()


@pytest.mark.parametrize("by", ["its button", "its number"])
def test_whoever_was_left_out_can_be_called(by: str, desk: Visitor) -> None:
    page, people = desk.page, made_up(77)[75:]
    paste(page, rows(people))
    page.locator("[data-skip]").press("Enter")
    expect(page.locator("#name")).to_have_value(people[1][0])
    assert lines(page) == [("skipped", ""), ("now", "")]
    skipped = page.locator("[data-queue] li").first
    assert people[0][0] not in skipped.inner_text()
    if by == "its button":
        skipped.locator("button").press("Enter")
    else:
        walk_in(page, *people[0])
    expect(page.locator("#name")).to_have_value(people[0][0])
    assert lines(page) == [("now", ""), ("waiting", "")]
    consent_and_send(page)
    assert lines(page) == [("done", "no_such_number"), ("waiting", "")]


@pytest.mark.parametrize("by", ["its button", "Enter"])
def test_a_form_emptied_by_hand_gets_its_person_back(by: str, desk: Visitor) -> None:
    page, people = desk.page, made_up(79)[77:]
    paste(page, rows(people))
    on(page, "consent")
    for field in ("name", "id_number"):
        page.fill(f"#{field}", "")
    if by == "its button":
        page.locator("[data-queue] li[aria-current] button").press("Enter")
    else:
        page.press("#scan", "Enter")
    on(page, "consent")
    assert fields(page) == people[0]


def test_back_and_forward_bring_the_one_at_the_desk_into_the_form(desk: Visitor) -> None:
    page, people = desk.page, made_up(82)[79:]
    paste(page, rows(people))
    consent_and_send(page)
    next_person(page)
    page.go_back()
    expect(page.locator("[data-result]")).to_be_visible()
    page.go_forward()
    expect(page.locator("#name")).to_have_value(people[1][0])
    assert fields(page) == people[1]
    consent_and_send(page)
    assert [state for state, _outcome in lines(page)] == ["done", "done", "waiting"]


def test_back_and_forward_before_the_page_came_leave_everything_as_it_is(desk: Visitor) -> None:
    page, people = desk.page, made_up(87)[84:]
    paste(page, rows(people))
    consent_and_send(page)
    next_person(page)
    on(page, "consent")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    intercept(page, RESULT, hold)
    page.evaluate("history.back()")
    until(lambda: page.evaluate("true") and bool(held), "the result is asked for")
    page.evaluate("history.forward()")
    page.wait_for_url("**/verify")
    with page.expect_response(RESULT) as answer:
        held[0].continue_()
    answer.value.finished()
    page.evaluate("new Promise((resolve) => requestIdleCallback(resolve))")  # the script has seen it
    page.unroute_all()
    page.keyboard.press("Space")
    expect(page.locator("#consent")).to_be_checked()
    assert fields(page) == people[1]
    page.keyboard.press("Enter")
    page.wait_for_url(RESULT)
    expect(page.locator("[data-result]")).to_have_attribute("data-outcome", "no_such_number")
    assert [state for state, _outcome in lines(page)] == ["done", "done", "waiting"]


def test_a_full_list_is_worked_to_its_end(desk: Visitor) -> None:
    page, people = desk.page, made_up(65)[15:]
    paste(page, rows(people))
    for person in people:
        assert fields(page) == person
        consent_and_send(page)
        next_person(page)
    assert lines(page) == [("done", "no_such_number")] * 50
    assert "50/50" in page.locator("[data-progress]").inner_text().replace(" ", "")
    assert desk.open("/history?size=200") == 200
    assert desk.outcomes()[:50] == ["no_such_number"] * 50
