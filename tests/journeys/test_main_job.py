"""The main job, as people do it in a real browser: from the first start to a call that is counted exactly.

Each journey runs against `yuliang serve` with its own sandbox. What the pages say is compared with the database file,
read without the product's code.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN, OPERATOR, PASSWORD, Member
from tests.support.halves import by_turns
from tests.support.serve import Served, serving

pytestmark = pytest.mark.browser

LOCALES = ("zh-CN", "en")
LOT = 1000
NAME, NUMBER, NOBODY_S = "陈小满", "100101199003080023", "100109197001010015"
MISTYPED = "100101199003080024"


@dataclass(frozen=True, slots=True)
class Case:
    """Whom to ask the sandbox about, and what its vendor will answer."""

    name: str
    number: str
    outcome: str
    billed: str
    zh: str
    en: str

    def title(self, locale: str) -> str:
        """The card's first words."""
        return self.zh if locale == "zh-CN" else self.en


CASES = (
    Case(NAME, NUMBER, "match", "yes", "信息匹配", "The details match"),
    Case("欧阳思远", "200201199509210242", "match", "yes", "信息匹配", "The details match"),
    Case("林小满", NUMBER, "mismatch", "yes", "信息不匹配", "The details do not match"),
    Case(NAME, NOBODY_S, "no_such_number", "yes", "无此号码", "No such number"),
    Case("演练未知编码五", NUMBER, "unexpected", "yes", "返回异常", "Unexpected answer"),
    Case("演练后端超时", NUMBER, "unknown", "unknown", "结果未知", "The outcome is unknown"),
    Case("演练余量用尽", NUMBER, "refused", "no", "套餐次数已用完", "The calls are used up"),
)
"""The refusal stands last: it may stop further calls."""
CHARGED = sum(case.billed == "yes" for case in CASES)
HELD = sum(case.billed == "unknown" for case in CASES)


def calm_zone() -> str:
    """A reporting zone in which no midnight is near, so that "today" stays the same day."""
    hour = datetime.now(ZoneInfo("Asia/Shanghai")).hour
    return "America/New_York" if hour in (23, 0) else "Asia/Shanghai"


ZONE = calm_zone()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Served]:
    """A product that was never started before."""
    with serving(tmp_path / "instance", TIMEZONE=ZONE) as served:
        yield served


@pytest.fixture
def staffed(tmp_path: Path) -> Iterator[Served]:
    """A product whose first admin comes from the settings."""
    with serving(tmp_path / "instance", ADMIN_EMAIL=ADMIN.email, ADMIN_PASSWORD=PASSWORD, TIMEZONE=ZONE) as served:
        yield served


@pytest.mark.parametrize("locale", LOCALES)
def test_the_main_job_from_the_first_start_to_an_exact_chart(locale: str, fresh: Served, visit: Visit) -> None:
    admin = visit(fresh, locale)
    make_the_first_admin(admin, fresh)
    record_a_lot(admin)
    hire(admin, OPERATOR)
    admin.log_out()

    operator = visit(fresh, locale, reduced_motion="reduce")  # bars stand still at once
    operator.log_in(OPERATOR)
    for case in CASES:
        operator.open("/verify")
        operator.type_person(case.name, case.number)
        operator.page.wait_for_url("**/verifications/*")
        read_the_card(operator, case, locale)
    see_a_typing_error_blocked(operator)

    find_them_in_the_history(operator)
    operator.open("/")
    assert operator.shown("data-remaining") == LOT - CHARGED - HELD
    assert operator.shown("data-total") == LOT
    assert operator.shown("data-used-today") == CHARGED
    compare_the_chart(operator, fresh)


def make_the_first_admin(visitor: Visitor, served: Served) -> None:
    """By the one-time code that the start printed; a wrong one makes nobody."""
    visitor.open("/")
    assert visitor.path == "/first-run"
    for code, leads_to in (("AAAA-AAAA-AAAA", "/first-run"), (served.code(), "/")):
        for field, text in (("code", code), ("name", ADMIN.name), ("email", ADMIN.email), ("password", PASSWORD)):
            visitor.page.fill(f"[name={field}]", text)
        with visitor.page.expect_navigation():
            visitor.page.keyboard.press("Enter")
        assert visitor.path == leads_to
    assert visitor.open("/first-run") == 404


def record_a_lot(visitor: Visitor, calls: int = LOT) -> None:
    """From the empty first page, by what it offers."""
    visitor.open("/")
    visitor.page.locator("main a[href='/quota/lots/new']").click()
    visitor.page.fill("[name=calls]", str(calls))
    visitor.page.fill("[name=price]", "30")
    visitor.press(visitor.words.record)
    visitor.page.wait_for_url("**/quota")
    assert (visitor.shown("data-remaining"), visitor.shown("data-total")) == (calls, calls)


def hire(visitor: Visitor, member: Member) -> None:
    """Makes a user on the page Users."""
    visitor.open("/users/new")
    for field, text in (("name", member.name), ("email", member.email), ("department", member.department)):
        visitor.page.fill(f"[name={field}]", text)
    visitor.page.select_option("[name=role]", member.role.value)
    visitor.page.fill("[name=password]", PASSWORD)
    visitor.press(visitor.words.save)
    visitor.page.wait_for_url("**/users")


def read_the_card(visitor: Visitor, case: Case, locale: str) -> None:
    """What came of it, in words and in hooks, and whether it was charged."""
    card = visitor.card()
    assert (card.get_attribute("data-outcome"), card.get_attribute("data-billed")) == (case.outcome, case.billed)
    words = visitor.words
    said = {"yes": words.charged, "no": words.not_charged, "unknown": words.charge_unknown}[case.billed]
    text = card.inner_text()
    assert card.locator("h2").inner_text().startswith(case.title(locale))
    assert said in text.splitlines()
    assert case.name in text
    assert case.number in text.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")


def see_a_typing_error_blocked(visitor: Visitor) -> None:
    """A wrong check character is found here: nothing is sent, nothing is spent, the input stays."""
    visitor.open("/verify")
    visitor.type_person(NAME, MISTYPED)
    card = visitor.card()
    assert (card.get_attribute("data-outcome"), card.get_attribute("data-billed")) == ("blocked", "no")
    assert visitor.words.not_charged in card.inner_text()
    assert visitor.page.input_value("[name=id_number]") == MISTYPED
    assert visitor.focused() == "id_number"


def find_them_in_the_history(visitor: Visitor) -> None:
    """All of them, then by outcome, then by day."""
    made = [case.outcome for case in reversed(CASES)]
    visitor.open("/history")
    assert visitor.outcomes() == made

    visitor.page.select_option("[name=outcome]", "mismatch")
    visitor.press(visitor.words.show)
    visitor.page.wait_for_url("**outcome=mismatch**")
    assert visitor.outcomes() == ["mismatch"]
    visitor.page.locator("[data-verification] a").click()
    assert visitor.card().get_attribute("data-outcome") == "mismatch"

    today = datetime.now(ZoneInfo(ZONE)).date()
    for first, last, found in ((today, today, made), (today + timedelta(days=1), None, []),
                               (None, today - timedelta(days=1), [])):  # fmt: skip
        visitor.open("/history")
        visitor.page.fill("[name=from]", first.isoformat() if first else "")
        visitor.page.fill("[name=to]", last.isoformat() if last else "")
        with visitor.page.expect_navigation():
            visitor.press(visitor.words.show)
        assert visitor.outcomes() == found


def compare_the_chart(visitor: Visitor, served: Served) -> None:
    """The bars that were drawn, the table behind them and the database file say the same."""
    chart = visitor.page.locator("#usage-chart[data-drawn=true]")
    chart.wait_for()
    drawn: dict[str, Any] = json.loads(chart.get_attribute("data-values") or "")
    counted = calls_in(served.instance / "yuliang.db")
    bars = Counter(
        {
            (date.fromisoformat(day), outcome): calls
            for outcome, values in drawn["series"].items()
            for day, calls in zip(drawn["days"], values, strict=True)
        }
    )
    assert +bars == counted
    assert sum(counted.values()) == len(CASES)
    assert table_behind(visitor) == [
        [day, *(values[place] for values in drawn["series"].values())] for place, day in enumerate(drawn["days"])
    ]
    for outcome, values in drawn["series"].items():
        assert heights_of_bars(visitor, outcome) == values, outcome


def table_behind(visitor: Visitor) -> list[list[Any]]:
    """The table's rows, oldest first: the day, then the calls of each outcome."""
    behind = visitor.page.locator("details:has(table)")
    behind.locator("summary").click()
    rows = [row.split("\t") for row in behind.locator("tbody tr").all_inner_texts()]
    return [[cells[0], *map(int, cells[1:])] for cells in reversed(rows)]


HEIGHTS = r"""outcome => {
    const drawing = document.querySelector("#usage-chart svg");
    const color = getComputedStyle(document.documentElement).getPropertyValue(`--series-${outcome}`).trim();
    const [bottom, next] = [...drawing.querySelectorAll("text[text-anchor=end]")].map((text) => (
        {calls: Number(text.textContent), y: Number(/[ ,]([\d.]+)\)/.exec(text.getAttribute("transform"))[1])}));
    const pixels = (bottom.y - next.y) / (next.calls - bottom.calls);
    return [...drawing.querySelectorAll("path:not([transform])")].filter((path) => path.getAttribute("fill") === color)
        .map((path) => path.getBBox())
        .sort((one, other) => one.x - other.x)
        .map((box) => box.height / pixels);
}"""
"""Bars have their outcome's colour, one each day, if without height; the legend has it too, but is moved into place."""


def heights_of_bars(visitor: Visitor, outcome: str) -> list[int]:
    """How many calls high the drawing shows each piece of bar of an outcome, by the scale beside it."""
    return [round(calls) for calls in visitor.page.evaluate(HEIGHTS, outcome.replace("_", "-"))]


def calls_in(database: Path) -> Counter[tuple[date, str]]:
    """How many verifications the file holds of each day of the reporting zone and outcome."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT created_at, outcome FROM verification").fetchall()
    zone = ZoneInfo(ZONE)
    return Counter(
        (datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(zone).date(), outcome) for at, outcome in rows
    )


def test_the_next_person_is_one_key_away_but_not_for_a_key_struck_twice(staffed: Served, visit: Visit) -> None:
    admin = visit(staffed, "zh-CN")
    admin.page.clock.install()
    admin.log_in(ADMIN)
    admin.open("/verify")
    admin.type_person(NAME, NUMBER)
    admin.page.wait_for_url("**/verifications/1")
    admin.card()

    admin.page.keyboard.press("Enter")
    assert admin.path == "/verifications/1"
    admin.page.clock.fast_forward(1000)
    admin.page.keyboard.press("Enter")
    admin.page.wait_for_url("**/verify")

    assert admin.page.evaluate("document.activeElement.id") == "scan"


@pytest.mark.parametrize("locale", by_turns(*LOCALES, kept=1))
def test_everything_needed_works_without_javascript(locale: str, staffed: Served, visit: Visit) -> None:
    admin = visit(staffed, locale, java_script_enabled=False)
    admin.log_in(ADMIN)
    record_a_lot(admin)

    case = CASES[0]
    admin.open("/verify")
    admin.page.fill("[name=name]", case.name)
    admin.page.fill("[name=id_number]", case.number)
    admin.page.check("[name=consent]")
    admin.press(admin.words.verify)
    admin.page.wait_for_url("**/verifications/*")
    read_the_card(admin, case, locale)

    admin.open("/history")
    assert admin.outcomes() == ["match"]
    admin.open("/")
    assert admin.shown("data-remaining") == LOT - 1
    assert [row[1:] for row in table_behind(admin) if any(row[1:])] == [[1]]
    admin.log_out()
