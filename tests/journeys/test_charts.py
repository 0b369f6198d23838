"""Charts in a real browser: what is drawn is what is stored, the keyboard reaches it, and it can be taken away."""

from __future__ import annotations

import base64
import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.journeys.conftest import Visit
from tests.journeys.visitor import Visitor
from tests.support.cast import ADMIN, OPERATOR
from tests.support.serve import Served

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Asia/Shanghai")
PHONE: ViewportSize = {"width": 390, "height": 844}
NAMES = ("usage", "week", "success", "refusals", "latency", "cost", "departments")


def calls_in(served: Served) -> list[dict[str, Any]]:
    """Every stored verification, with its instant in the reporting zone."""
    with closing(sqlite3.connect(f"file:{served.instance / 'yuliang.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute("SELECT * FROM verification")]
    return [
        row | {"at": datetime.fromisoformat(row["created_at"]).replace(tzinfo=UTC).astimezone(ZONE)} for row in found
    ]


def drawn(visitor: Visitor, name: str) -> dict[str, Any]:
    """What the chart really holds, read back from it."""
    box = chart(visitor, name)
    values: dict[str, Any] = json.loads(box.get_attribute("data-values") or "")
    return values


def chart(visitor: Visitor, name: str) -> Locator:
    box = visitor.page.locator(f"#{name}-chart[data-drawn=true]")
    box.wait_for()
    assert box.locator("svg").count() == 1
    return box


def by_place(values: dict[str, Any], axis: str) -> Counter[tuple[str, str]]:
    return Counter({(place, key): calls for key, line in values["series"].items() if key != "before"
                    for place, calls in zip(values[axis], line, strict=True) if calls})  # fmt: skip


@pytest.mark.parametrize(("locale", "size"), [("zh-CN", None), ("en", PHONE)])
def test_what_is_drawn_is_what_is_stored(filled: Served, visit: Visit, locale: str, size: ViewportSize | None) -> None:
    visitor = visit(filled, locale, **({"viewport": size} if size else {}))
    visitor.log_in(ADMIN)
    calls = calls_in(filled)
    for stack, key in (("outcome", "outcome"), ("operator", "operator_id"), ("purpose", "purpose_id")):
        visitor.open(f"/usage?stack={stack}")
        assert by_place(drawn(visitor, "usage"), "days") == Counter(
            (call["at"].date().isoformat(), str(call[key])) for call in calls
        )
    visitor.open("/usage?step=hour&from={0}&to={0}".format(max(call["at"] for call in calls).date()))
    newest = [call for call in calls if call["at"].date() == max(one["at"] for one in calls).date()]
    assert by_place(drawn(visitor, "usage"), "hours") == Counter(
        (call["at"].strftime("%Y-%m-%d %H:00"), call["outcome"]) for call in newest
    )
    visitor.open("/usage")
    week = drawn(visitor, "week")
    assert set(by_place(week, "hours")) == {(call["at"].strftime("%H:00"), str(call["at"].weekday())) for call in calls}
    missed = Counter(
        f"{call['outcome']} {call['cause'] or ''}".strip()
        for call in calls
        if call["outcome"] not in ("match", "mismatch", "no_such_number", "sending")
    )
    assert {key: sum(line) for key, line in drawn(visitor, "refusals")["series"].items()} == missed
    priced = [call for call in calls if call["billed"] == "yes" and call["lot_id"]]
    assert len(priced) > 3
    with closing(sqlite3.connect(filled.instance / "yuliang.db")) as connection:
        prices = {lot: fen / size for lot, fen, size in connection.execute("SELECT id, price_fen, calls FROM lot")}
    cost = sum(sum(line) for line in drawn(visitor, "cost")["series"].values())
    assert cost == pytest.approx(sum(prices[call["lot_id"]] for call in priced) / 100, abs=0.01)
    assert visitor.fits()


def test_the_remaining_calls_are_drawn_with_their_forecast(filled: Served, visit: Visit) -> None:
    visitor = visit(filled, "en")
    visitor.log_in(ADMIN)
    visitor.open("/quota")
    course = drawn(visitor, "supply")

    today = datetime.now(ZONE).date().isoformat()
    place = course["days"].index(today)
    assert course["series"]["left"][place] == visitor.shown("data-remaining")
    least, likely, most = (course["series"][key][place:] for key in ("least", "likely", "most"))
    assert all(low <= middle <= high for low, middle, high in zip(least, likely, most, strict=True))
    assert sum(filter(None, course["series"]["bought"])) > 5_000_000


WORDS = """box => {
    const frame = box.getBoundingClientRect();
    const within = (shape) => {
        const { left, top, right, bottom } = shape.getBoundingClientRect();
        return [left - frame.left, top - frame.top, right - frame.left, bottom - frame.top];
    };
    const shapes = [...box.querySelectorAll("svg text, svg path[fill^='url(']")];
    return [[frame.width, frame.height], shapes.filter((one) => one.tagName === "path" || one.textContent.trim())
        .map((one) => [one.textContent || "colours", within(one)])];
}"""
"""How large a chart is, and where in it words stand and the colours of its legend."""


def meet(one: list[float], other: list[float]) -> bool:
    """Whether two boxes lie over each other by more than the air above and below letters."""
    return all(min(one[at + 2], other[at + 2]) - max(one[at], other[at]) > 4 for at in (0, 1))


@pytest.mark.parametrize(("locale", "size"), [("zh-CN", None), ("en", PHONE)])
def test_words_of_a_chart_lie_inside_it_and_not_over_each_other(
    filled: Served, visit: Visit, locale: str, size: ViewportSize | None
) -> None:
    visitor = visit(filled, locale, **({"viewport": size} if size else {}))
    visitor.log_in(ADMIN)
    for path, names in (("/usage", NAMES), ("/usage?stack=operator", ("usage",)), ("/quota", ("supply",))):
        visitor.open(path)
        for name in names:
            (wide, high), words = chart(visitor, name).evaluate(WORDS)
            assert words
            told = [(word, box) for word, box in words if name == "week" or word != "colours"]
            assert name != "week" or any(word == "colours" for word, _box in told)
            for index, (word, box) in enumerate(told):
                assert min(box[:2]) >= -1, (name, word, box)
                assert box[2] <= wide + 1, (name, word, box)
                assert box[3] <= high + 1, (name, word, box)
                assert [other for other, its in told[:index] if other != word and meet(box, its)] == [], (name, word)


def test_the_arrow_keys_walk_and_each_place_is_said(filled: Served, visit: Visit) -> None:
    visitor = visit(filled, "en")
    visitor.log_in(ADMIN)
    visitor.open("/usage")
    page = visitor.page
    values = drawn(visitor, "usage")

    chart(visitor, "usage").focus()
    page.keyboard.press("End")
    expect(page.locator("#usage-said")).to_contain_text(values["days"][-1])
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#usage-said")).to_contain_text(values["days"][-2])
    page.keyboard.press("Home")
    expect(page.locator("#usage-said")).to_contain_text(values["days"][0])
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#usage-said")).to_contain_text(values["days"][0])

    chart(visitor, "week").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#week-said")).to_contain_text("Mon 00:00")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#week-said")).to_contain_text("Tue 00:00")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#week-said")).to_contain_text("Tue 01:00")
    page.keyboard.press("End")
    expect(page.locator("#week-said")).to_contain_text("Sun 23:00")


PIXELS = """async ([picture, token]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    const hex = pen.fillStyle.slice(1);
    const [red, green, blue] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const { data } = pen.getImageData(0, 0, image.width, image.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) found += 1;
    }
    return [image.width, image.height, found];
}"""
"""How large a picture is, and how many of its pixels have the colour of a token."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_is_saved_as_a_picture(filled: Served, visit: Visit, scheme: str) -> None:
    visitor = visit(filled, "zh-CN", color_scheme=scheme)
    visitor.log_in(ADMIN)
    visitor.open("/usage")
    for name, token in (("usage", "--series-match"), ("week", "--accent")):
        box = chart(visitor, name).bounding_box()
        with visitor.page.expect_download() as coming:
            visitor.page.locator(f"[data-picture={name}-chart]").click()
        days = drawn(visitor, "usage")["days"]
        assert coming.value.suggested_filename == f"yuliang-{name}-{days[0]}-{days[-1]}.png"
        picture = base64.b64encode(coming.value.path().read_bytes()).decode()
        wide, _high, coloured = visitor.page.evaluate(PIXELS, [picture, token])
        ground = visitor.page.evaluate(PIXELS, [picture, "--surface"])[2]
        assert box is not None
        assert wide == round(box["width"]) * 2
        assert coloured > 100
        assert ground > 10_000


def test_a_chart_is_saved_as_a_table(filled: Served, visit: Visit) -> None:
    visitor = visit(filled, "en")
    visitor.log_in(ADMIN)
    visitor.open("/usage?stack=operator")
    values = drawn(visitor, "usage")

    with visitor.page.expect_download() as coming:
        visitor.page.locator(".panel:has(#usage-chart) a[download]").click()

    with coming.value.path().open(encoding="utf-8-sig", newline="") as file:
        _head, *rows = csv.reader(file)
    assert [row[0] for row in rows] == values["days"]
    assert [[int(cell) if cell else None for cell in row[1:]] for row in rows] == [
        list(figures) for figures in zip(*values["series"].values(), strict=True)
    ]
    assert coming.value.suggested_filename.endswith(f"{values['days'][-1]}.csv")


def test_the_choices_work_without_scripts_and_the_tables_are_there(filled: Served, visit: Visit) -> None:
    visitor = visit(filled, "en", java_script_enabled=False, viewport=PHONE)
    visitor.log_in(ADMIN)
    visitor.open("/usage")
    page = visitor.page
    page.select_option("[name=step]", "month")
    page.select_option("[name=stack]", "department")
    with page.expect_navigation():
        visitor.press("Show")

    assert "step=month" in page.url
    assert page.locator("table").count() >= len(NAMES)
    assert page.locator("[data-picture]:visible").count() == 0
    assert page.locator("noscript:visible").count() == len(NAMES)
    page.locator(".panel:has(#usage-chart) summary").click()
    assert page.locator(".panel:has(#usage-chart) tbody tr").count() in (1, 2)
    assert visitor.fits()


def test_an_operators_charts_hold_own_calls(filled: Served, visit: Visit) -> None:
    visitor = visit(filled, "zh-CN")
    visitor.log_in(OPERATOR)
    visitor.open("/usage")
    own = Counter((call["at"].date().isoformat(), call["outcome"]) for call in calls_in(filled)
                  if call["operator_id"] == OPERATOR.id)  # fmt: skip

    assert by_place(drawn(visitor, "usage"), "days") == own
    assert visitor.page.locator("#cost-chart, #latency-chart").count() == 0


def test_a_point_without_neighbours_is_seen_among_many_places(filled: Served, visit: Visit) -> None:
    """Where so many places stand that points are not marked, such a one would be a line of no length."""
    visitor = visit(filled, "en")
    visitor.log_in(ADMIN)
    day = max(call["at"] for call in calls_in(filled)).date()
    visitor.open(f"/usage?step=hour&from={day - timedelta(days=6)}&to={day}")
    [values] = drawn(visitor, "success")["series"].values()
    told = [value is not None for value in values]
    alone = sum(
        one and not before and not after
        for before, one, after in zip([False, *told], told, [*told[1:], False], strict=False)
    )
    assert len(values) > 60
    assert alone > 0
    marks = chart(visitor, "success").evaluate(
        "box => [...box.querySelectorAll('svg path')].map(path => path.getBoundingClientRect())"
        ".filter(({ width, height, top }) => width > 4 && width < 9 && Math.abs(width - height) < 1"
        " && top < box.getBoundingClientRect().bottom - 50).length"
    )
    assert marks == alone
