"""The course of the remaining calls: what was left at the end of each day, what moved it, and what is foretold."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select

from tests.dashboard.charting import Open, chart, lines, rows_of
from tests.support.cast import ADMIN, OPERATOR
from tests.verification.calls import MATCH, REFUSED, UNKNOWN, ask, differences, somebody, who
from webapp.dashboard.supply_chart import supply
from webapp.foundation.clock import day_of, end_of, start_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.quota import drawing, ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.usage.supply_forms import MOST, PAST

ZONES = [ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")]


def buy(app: Flask, calls: int, bought_on: date, expires_on: date, at: datetime, order: str = "") -> int:
    with app.app_context(), transaction():
        return ledger.record_purchase(Purchase(calls, bought_on, expires_on, None, order), who(), at).id


def call(app: Flask, number: int, reply: object, at: datetime) -> None:
    ask(app, somebody(number), lambda *_: reply, clock=lambda: at)  # type: ignore[arg-type]


def lapse(app: Flask, today: date, at: datetime) -> None:
    with app.app_context():
        while True:
            with transaction():
                if not ledger.lapse_expired(today, at):
                    return


def left_on(app: Flask, today: date) -> int:
    """What is left of the lots valid then, after their last calls of the day."""
    with app.app_context():
        valid = select(func.sum(Lot.available)).where(*drawing.valid_on(today), Lot.expires_on > today)
        return db.session.scalar(valid) or 0


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_the_past_is_what_was_left_at_the_end_of_each_day(make_app: object, zone: ZoneInfo) -> None:
    """Twenty days are lived through: purchases, one ahead, corrections, calls of all kinds, lapses in the night."""
    app: Flask = make_app(TIMEZONE=str(zone))  # type: ignore[operator]
    dice, today = random.Random(5), date(2026, 11, 10)
    first = today - timedelta(days=19)
    ends: dict[str, int] = {}
    number = 0
    for index in range(20):
        day = first + timedelta(days=index)
        begins = start_of(day, zone)
        lapse(app, day, begins + timedelta(seconds=40))
        if index == 0:
            lot = buy(app, 60, day, day + timedelta(days=6), begins + timedelta(hours=1))
            buy(app, 80, day, day + timedelta(days=100), begins + timedelta(hours=1))
        if index == 3:
            buy(app, 50, day + timedelta(days=5), day + timedelta(days=12), begins + timedelta(hours=1))
        if index == 4:
            with app.app_context(), transaction():
                ledger.correct(lot, -3, "miscounted", who(), begins + timedelta(hours=2))
        for _call in range(dice.randrange(6)):
            number += 1
            call(
                app,
                number,
                dice.choice([MATCH, MATCH, UNKNOWN, REFUSED]),
                begins + timedelta(hours=3 + dice.random() * 18),
            )
        ends[day.isoformat()] = left_on(app, day)
    now = end_of(today, zone) - timedelta(seconds=1)
    with app.test_request_context(), force_locale("en"):
        found = supply(day_of(now, zone), zone, today - timedelta(days=PAST - 1))
        assert found is not None
        data = found.chart.data

    left = dict(zip(data["places"], data["lines"][0]["values"], strict=True))
    assert {day: left[day] for day in ends} == ends
    assert left[(first - timedelta(days=1)).isoformat()] is None, "nobody counted then"
    assert data["notes"][str(data["places"].index(first.isoformat()))].startswith("The books begin on this day; ")
    assert differences(app) == []
    told = lines(data)
    assert sum(told["bought"].values()) == 60 + 80 + 50
    assert (first + timedelta(days=8)).isoformat() in told["bought"], "what was bought ahead came on its first day"
    assert set(told["ended"]) >= {(first + timedelta(days=offset)).isoformat() for offset in (4, 6, 15)}


def test_from_today_on_the_forecast_goes_on_inside_its_range(app: Flask, desk: Open) -> None:
    now = utc_now()
    today = day_of(now, ZONES[0])
    long_ago = now - timedelta(days=40)
    buy(app, 400, today - timedelta(days=40), today + timedelta(days=300), long_ago)
    buy(app, 30, today - timedelta(days=40), today + timedelta(days=1), long_ago + timedelta(hours=1), "MK7")
    buy(app, 100, today + timedelta(days=9), today + timedelta(days=400), now)
    for number in range(14):
        call(app, number, MATCH, now - timedelta(days=14 - number))
    page = desk(OPERATOR).get("/quota", headers={"Accept-Language": "en"}).text

    data = chart(page, "supply")
    values = {line["key"]: dict(zip(data["places"], line["values"], strict=True)) for line in data["lines"]}
    past, future = data["places"][: PAST - 1], data["places"][PAST - 1 :]
    assert future[0] == today.isoformat()
    assert all(values["likely"][day] is None for day in past)
    assert all(values["left"][day] is None for day in future[1:])
    assert all(values["least"][day] <= values["likely"][day] <= values["most"][day] for day in future)
    ahead = (today + timedelta(days=9)).isoformat()
    assert values["bought"][ahead] == 100
    assert values["likely"][ahead] > values["likely"][(today + timedelta(days=8)).isoformat()]
    tomorrow = (today + timedelta(days=1)).isoformat()
    lapses = values["ended"][tomorrow]
    assert 0 < lapses < 30
    assert f"{lapses} calls of lot MK7 will likely lapse unused on" in page
    assert data["notes"][str(data["places"].index(tomorrow))] == f"Lapse, lot MK7: -{lapses}"
    remaining = re.search(r'data-remaining="(\d+)"', page)
    assert remaining is not None
    assert values["left"][today.isoformat()] == int(remaining[1])


def test_the_run_out_day_and_its_range_are_said_in_words(app: Flask, desk: Open) -> None:
    now = utc_now()
    today = day_of(now, ZONES[0])
    buy(app, 60, today - timedelta(days=40), today + timedelta(days=300), now - timedelta(days=40))
    for number in range(28):
        call(app, number, MATCH, now - timedelta(days=14 - number // 2))

    page = desk(ADMIN).get("/quota", headers={"Accept-Language": "en"}).text

    assert re.search(r"Please buy by \w+ \d+, \d+; the AppCode stays the same\.", page)
    assert "Please buy" not in desk(OPERATOR).get("/quota", headers={"Accept-Language": "en"}).text
    run_out = re.search(r'data-run-out="(\d{4}-\d\d-\d\d)"', page)
    assert run_out is not None
    assert today + timedelta(days=8) < date.fromisoformat(run_out[1]) < today + timedelta(days=30)
    assert re.search(
        r"Likely used up on \w+ \d+, \d+; four times out of five between \w+ \d+, \d+ and \w+ \d+, \d+\.", page
    )


def test_without_a_whole_day_of_calls_nothing_is_foretold_and_without_a_lot_nothing_is_drawn(
    app: Flask, desk: Open
) -> None:
    admin = desk(ADMIN)
    assert "supply-chart" not in admin.get("/quota").text
    assert admin.get("/quota/supply.csv").status_code == 404
    admin.record_lot(1000)

    page = admin.get("/quota", headers={"Accept-Language": "en"}).text

    assert "Nothing can be foretold yet" in page
    data = chart(page, "supply")
    assert [line["key"] for line in data["lines"]] == ["left", "bought", "ended"]
    assert len(data["places"]) == PAST
    assert data["lines"][0]["values"][-1] == 1000


def test_the_file_holds_the_course(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    admin.record_lot(1000)
    data = chart(admin.get("/quota").text, "supply")

    head, *body = rows_of(admin.get("/quota/supply.csv", headers={"Accept-Language": "en"}))

    assert head[0] == "End of the day (Asia/Shanghai)"
    assert [row[0] for row in body] == data["places"]
    assert body[-1][1:] == ["1000", "1000", "", "The books begin on this day; Purchase, lot #1: +1,000"]
    assert body[0][1:] == ["", "", "", ""]


def test_calls_used_before_the_books_began_are_neither_bought_nor_lost_with_them(app: Flask, desk: Open) -> None:
    today = day_of(utc_now(), ZONES[0])
    with app.app_context(), transaction():
        lot = Purchase(9115, today - timedelta(days=9), today + timedelta(days=90), None, used_before=2415)
        ledger.record_purchase(lot, who(), utc_now())

    data = chart(desk(ADMIN).get("/quota", headers={"Accept-Language": "en"}).text, "supply")
    left, bought, ended = (line["values"] for line in data["lines"])
    assert (left[-2:], bought[-1], ended[-1]) == ([None, 6700], 6700, None)
    assert data["notes"][str(PAST - 1)].endswith("lot #1: +9,115; Used before, lot #1: -2,415")


def test_the_course_of_any_days_is_shown_as_far_back_as_lots_go(app: Flask, desk: Open) -> None:
    """The same figures, whichever days are asked for; the past without a forecast, days ahead as far as asked."""
    now = utc_now()
    today = day_of(now, ZONES[0])
    buy(app, 50, today - timedelta(days=300), today - timedelta(days=200), now - timedelta(days=300), "OLD")
    buy(app, 400, today - timedelta(days=40), today + timedelta(days=300), now - timedelta(days=40))
    lapse(app, today, now - timedelta(days=199))
    for number in range(14):
        call(app, number, MATCH, now - timedelta(days=14 - number))
    admin = desk(ADMIN)

    def places(first: int, last: int | None) -> dict[str, dict[str, Any]]:
        asked = {"from": (today + timedelta(days=first)).isoformat()}
        asked |= {} if last is None else {"to": (today + timedelta(days=last)).isoformat()}
        data = chart(admin.get("/quota", query_string=asked).text, "supply")
        body = rows_of(admin.get("/quota/supply.csv", query_string=asked))[1:]
        assert [row[0] for row in body] == data["places"]
        assert data["places"][0] == asked["from"]
        assert data["places"][-1] == asked.get("to", data["places"][-1])
        return {line["key"]: dict(zip(data["places"], line["values"], strict=True)) for line in data["lines"]}

    year, spring, ahead = places(-364, None), places(-310, -190), places(-5, 5)
    left = year["left"]
    assert left[(today - timedelta(days=299)).isoformat()] == 50
    assert year["bought"][(today - timedelta(days=300)).isoformat()] == 50
    assert year["ended"][(today - timedelta(days=200)).isoformat()] == 50
    assert spring["left"] == {day: left[day] for day in spring["left"]}
    assert all(value is None for line in ("likely", "least", "most") for value in spring[line].values())
    assert sum(value is not None for value in ahead["likely"].values()) == 6


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": "2026-02-30"}, "Not a valid date value"),
        ({"from": "1999-12-31"}, "between 2000 and 2100"),
        ({"from": "2099-01-01"}, "This day has not come yet."),
        ({"from": "2024-01-02", "to": "2024-01-01"}, "This day lies before the first one."),
        ({"from": "2010-01-01", "to": "2026-01-01"}, f"At most {MOST:,} days are shown."),
        ({"to": "9999-99-99"}, "Not a valid date value"),
    ],
)
def test_days_that_cannot_be_shown_are_said_beside_the_usual_ones(
    app: Flask, desk: Open, asked: dict[str, str], said: str
) -> None:
    admin = desk(ADMIN)
    admin.record_lot(1000)
    answer = admin.get("/quota", query_string=asked, headers={"Accept-Language": "en"})

    assert (answer.status_code, admin.get("/quota/supply.csv", query_string=asked).status_code) == (422, 400)
    assert said.replace(",", "") in answer.text
    assert len(chart(answer.text, "supply")["places"]) == PAST


def test_the_first_page_says_when_calls_run_out_and_what_of_their_price_lapses(app: Flask, desk: Open) -> None:
    now = utc_now()
    today = day_of(now, ZONES[0])
    with app.app_context(), transaction():
        ledger.record_purchase(
            Purchase(300, today - timedelta(days=40), today + timedelta(days=4), 900, "MK9"), who(), now
        )
    buy(app, 500, today - timedelta(days=40), today + timedelta(days=300), now - timedelta(days=40))
    for number in range(14):
        call(app, number, MATCH, now - timedelta(days=14 - number))

    page = desk(ADMIN).get("/", headers={"Accept-Language": "en"}).text
    lots = desk(ADMIN).get("/quota", headers={"Accept-Language": "en"}).text

    said = re.search(r"(\d+) calls of lot MK9, which cost ¥([\d.]+), will likely lapse unused on", page)
    assert said is not None
    assert said[2] == f"{int(said[1]) * 3 / 100:.2f}"
    assert said[0] in lots
    run_out = re.search(r'data-run-out="[^"]*"', page)
    assert run_out is not None
    assert run_out[0] in lots
    assert "At the recent rate" in page


def test_where_no_call_is_left_that_is_said_instead_of_a_day(app: Flask, desk: Open) -> None:
    now = utc_now()
    day = day_of(now, ZONES[0])
    buy(app, 5, day - timedelta(days=40), day + timedelta(days=300), now - timedelta(days=40))
    for number in range(5):
        call(app, number, MATCH, now - timedelta(days=5 - number))
    assert "No call is left." in desk(OPERATOR).get("/", headers={"Accept-Language": "en"}).text


def test_calls_with_an_unknown_result_are_shown_apart_from_what_is_left(app: Flask, desk: Open) -> None:
    now = datetime.now(UTC)
    buy(app, 10, now.date() - timedelta(days=3), now.date() + timedelta(days=90), now - timedelta(days=2))
    call(app, 1, MATCH, now)
    call(app, 2, UNKNOWN, now)
    for path in ("/", "/quota"):
        page = desk(ADMIN).get(path, headers={"Accept-Language": "en"}).text
        assert 'x="80.0%" width="10.0%" height="20" fill="url(#hatching)"' in page
        assert "80% of all valid calls remain, 10% are held" in page
        assert "1 with unknown result" in page
