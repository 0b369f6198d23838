"""The page Usage: its charts hold what the stored verifications make, for whoever may see it, and as files too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, select

from tests.dashboard.charting import Open, busy_days, chart, lines, rows_of, stored
from tests.support.cast import ADMIN, AUDITOR, COLLEAGUE, OPERATOR, Desk, attribute
from tests.verification.calls import MATCH, ask, somebody, who
from webapp.accounts.models import Department
from webapp.dashboard import usage_charts
from webapp.foundation.clock import day_of, start_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.quota import covering, ledger
from webapp.quota.ledger import Purchase
from webapp.quota.models import Lot
from webapp.usage.latency import BUCKETS, bucket_of
from webapp.verification.models import Verification

MakeApp = Callable[..., Flask]
SHANGHAI = ZoneInfo("Asia/Shanghai")
CONCLUSIVE = ("match", "mismatch", "no_such_number")


def look(desk: Desk, **asked: str) -> str:
    """The page for these choices."""
    answer = desk.get("/usage", query_string=asked, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.text


def day(row: Verification, zone: ZoneInfo = SHANGHAI) -> str:
    return row.created_at.astimezone(zone).date().isoformat()


def by(rows: list[Verification], key: Callable[[Verification], object], zone: ZoneInfo = SHANGHAI) -> Any:
    """Calls by key and day, counted by hand."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(str(key(row)), Counter())[day(row, zone)] += 1
    return found


STACKS: dict[str, Callable[[Verification], object]] = {
    "outcome": lambda row: row.outcome,
    "source": lambda row: row.source,
    "operator": lambda row: row.operator_id,
    "department": lambda row: row.department_id or 0,
    "purpose": lambda row: row.purpose_id,
}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_calls_told_apart_by_anything_are_those_stored(make_app: MakeApp, zone: str) -> None:
    app = make_app(TIMEZONE=zone)
    busy_days(app)
    auditor, rows = Desk(app, AUDITOR), stored(app)

    for name, key in STACKS.items():
        found = lines(chart(look(auditor, stack=name), "usage"))
        assert found.pop("before") == {}
        assert found == by(rows, key, ZoneInfo(zone)), name


def test_hours_weeks_and_months_add_up_the_same_calls(app: Flask, desk: Open) -> None:
    now = busy_days(app)
    rows, today = stored(app), day_of(now, SHANGHAI)
    first = today - timedelta(days=20)

    def found(step: str) -> Counter[str]:
        page = look(desk(ADMIN), step=step, **{"from": first.isoformat(), "to": today.isoformat()})
        return sum(map(Counter, lines(chart(page, "usage")).values()), Counter())

    local = [row.created_at.astimezone(SHANGHAI) for row in rows]
    assert found("hour") == Counter(at.strftime("%Y-%m-%d %H:00") for at in local)
    assert found("week") == Counter(max(first, at.date() - timedelta(days=at.weekday())).isoformat() for at in local)
    assert Counter({month[:7]: calls for month, calls in found("month").items()}) == Counter(
        at.strftime("%Y-%m") for at in local
    )


def test_the_time_before_lies_beside_and_is_told_in_words(app: Flask, desk: Open) -> None:
    """The same weekdays of the week before."""
    now = busy_days(app, days=9)
    rows, today = stored(app), day_of(now, SHANGHAI)
    first = today - timedelta(days=1)

    page = look(desk(ADMIN), **{"from": first.isoformat(), "to": today.isoformat()})

    days = [(row.created_at.astimezone(SHANGHAI).date() - first).days for row in rows]
    data = chart(page, "usage")
    assert data["lines"][-1]["values"] == [days.count(-7), days.count(-6)]
    told = re.search(r'data-calls="(\d+)" data-calls-before="(\d+)"', page)
    assert told is not None
    assert [int(one) for one in told.groups()] == [days.count(0) + days.count(1), days.count(-7) + days.count(-6)]


def test_a_share_is_told_only_where_all_the_time_before_was_counted(app: Flask, desk: Open) -> None:
    now = busy_days(app, days=9)
    first, today = day_of(stored_first(app), SHANGHAI), day_of(now, SHANGHAI)

    def told(days: int) -> str:
        return look(desk(ADMIN), **{"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()})

    early = told(7)
    assert f'data-counted-since="{first.isoformat()}"' in early
    assert re.search(r"in the time before: \d+ \([+-]", early) is None
    values = chart(early, "usage")["lines"][-1]["values"]
    begin = today - timedelta(days=13)
    assert [value is None for value in values] == [begin + timedelta(days=n) < first for n in range(7)]
    later = told(1)
    assert "counted since" not in later
    assert "these days are not over yet" in later
    assert re.search(r"in the time before: \d+ ?;", later), "nothing of today is over"


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_share_compares_what_is_over_only(app: Flask, desk: Open, ahead: int) -> None:
    now = utc_now()
    today = day_of(now, SHANGHAI)
    for back, calls in ((8, 2), (7, 4), (1, 3), (0, 1)):
        for number in range(calls):
            at = now - timedelta(days=back)
            ask(app, somebody(back * 10 + number), lambda *_: MATCH, clock=lambda at=at: at)  # type: ignore[misc]
    asked = {"from": (today - timedelta(days=1)).isoformat(), "to": (today + timedelta(days=ahead)).isoformat()}

    page = look(desk(ADMIN), **asked)
    assert "4 calls; in the time before: 6 (+50% in the part that is over); these days are not over yet" in page
    over = look(desk(ADMIN), **{"from": asked["from"], "to": asked["from"]})
    assert "3 calls; in the time before: 2 (+50%)" in over
    assert "not over yet" not in over
    to_come = look(
        desk(ADMIN), **{"from": (today + timedelta(days=1)).isoformat(), "to": (today + timedelta(days=3)).isoformat()}
    )
    assert "; these days are not over yet" in to_come


def test_a_file_without_a_line_keeps_a_column(app: Flask, desk: Open) -> None:
    head, *rows = rows_of(desk(ADMIN).get("/usage/refusals.csv", headers={"Accept-Language": "en"}))
    assert head[1:] == ["calls"]
    assert {len(row) for row in rows} == {2}


def test_an_answer_that_came_later_than_any_bucket_tells_is_said_to(app: Flask, desk: Open) -> None:
    slow = replace(MATCH, latency_ms=90_000)
    ask(app, somebody(1), lambda *_: slow)
    data = chart(look(desk(ADMIN)), "latency")
    assert data["notes"] == {str(len(data["places"]) - 1): "Perhaps over 60 s: slower answers are not told apart"}


def test_zone_and_unit_stand_above_the_columns_of_the_table(app: Flask, desk: Open) -> None:
    busy_days(app)
    table = look(desk(ADMIN)).split('id="cost-chart-data"')[1].split("</thead>")[0]
    assert re.findall(r"<th[^>]*>(.*?)</th>", table) == ["Month (Asia/Shanghai)", "Cost (¥)", "Note"]


def stored_first(app: Flask) -> datetime:
    return min(row.created_at for row in stored(app))


def test_the_average_week_success_and_causes_are_those_stored(
    app: Flask, desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = busy_days(app, days=9)
    monkeypatch.setattr(usage_charts, "utc_now", lambda: now)
    page, rows = look(desk(ADMIN), to=day_of(now, SHANGHAI).isoformat()), stored(app)

    week = chart(page, "week")
    local = [row.created_at.astimezone(SHANGHAI) for row in rows]
    hour, been = start_of(min(local).date(), SHANGHAI).astimezone(SHANGHAI), Counter[tuple[int, int]]()
    while hour <= now:
        been[hour.weekday(), hour.hour] += 1
        hour += timedelta(hours=1)
    made = Counter((at.weekday(), at.hour) for at in local)
    assert [line["values"] for line in week["lines"]] == [
        [made[weekday, hour] / been[weekday, hour] if been[weekday, hour] else None for hour in range(24)]
        for weekday in range(7)
    ]
    for place, share in lines(chart(page, "success"))["answered"].items():
        there = [row for row in rows if day(row) == place]
        assert share == round(100 * sum(row.outcome in CONCLUSIVE for row in there) / len(there), 1)
    missed = [row for row in rows if row.outcome not in CONCLUSIVE]
    assert lines(chart(page, "refusals")) == by(missed, lambda row: f"{row.outcome} {row.cause}")


def test_latencies_lie_in_the_bucket_of_the_true_ones(app: Flask, desk: Open) -> None:
    busy_days(app)
    found, rows = lines(chart(look(desk(ADMIN)), "latency")), stored(app)

    for key, share in (("p50", 0.5), ("p95", 0.95)):
        assert set(found[key]) == {day(row) for row in rows}
        for place, estimate in found[key].items():
            times = sorted(row.latency_ms or 0 for row in rows if day(row) == place)
            bound = bucket_of(times[-int(-share * len(times) // 1) - 1])
            assert max((one for one in BUCKETS if one < bound), default=0) <= estimate <= bound


def test_costs_are_those_of_the_lots_that_gave_the_calls(app: Flask, desk: Open) -> None:
    busy_days(app)
    with app.app_context():
        lots = db.session.scalars(select(Lot)).all()
        prices = {lot.id: Fraction(lot.price_fen, lot.calls) for lot in lots if lot.price_fen is not None}
    page = look(desk(ADMIN))
    charged = [row for row in stored(app) if row.billed == "yes"]
    priced = [row for row in charged if row.lot_id in prices]
    assert 0 < len(priced) < len(charged)

    def cost(rows: list[Verification]) -> float:
        return int(sum(prices[row.lot_id or 0] for row in rows) + Fraction(1, 2)) / 100

    months = {day(row)[:7] for row in priced}
    assert {month[:7]: yuan for month, yuan in lines(chart(page, "cost"))["cost"].items()} == {
        month: cost([row for row in priced if day(row)[:7] == month]) for month in months
    }
    with app.app_context():
        names = {one.id: one.name for one in db.session.scalars(select(Department))}
    assert lines(chart(page, "departments"))["purpose-1"] == {
        names.get(one or 0, "No department"): cost([row for row in priced if row.department_id == one])
        for one in {row.department_id for row in priced}
    }
    assert f'data-cost="{round(cost(priced) * 100)}"' in page
    assert f'data-unpriced="{len(charged) - len(priced)}"' in page
    each = sum(prices[row.lot_id or 0] for row in priced) / sum(row.outcome == "match" for row in priced)
    assert f"¥{float(each) / 100:.4f}".rstrip("0") in page


def test_calls_that_were_booked_on_a_lot_later_cost_what_its_calls_cost(app: Flask, desk: Open) -> None:
    """Of four calls on no lot, made by two departments, three are booked: they were matches, too."""
    for number, by in enumerate((OPERATOR, OPERATOR, COLLEAGUE, COLLEAGUE)):
        ask(app, somebody(number), lambda *_: MATCH, by=by)
    page = look(desk(ADMIN))
    assert (attribute(page, "data-cost"), attribute(page, "data-unpriced")) == ("0", "4")
    with app.app_context(), transaction():
        today = day_of(utc_now(), SHANGHAI)
        lot = ledger.record_purchase(Purchase(10, today, today, 1_000), who(), utc_now())
        covering.cover(lot.id, 3, "late", who(), utc_now())

    page = look(desk(ADMIN))

    assert (attribute(page, "data-cost"), attribute(page, "data-unpriced")) == ("300", "1")
    assert sum(lines(chart(page, "cost"))["cost"].values()) == 3
    assert sorted(lines(chart(page, "departments"))["purpose-1"].values()) == [1, 2]
    assert "¥1.00" in page, "of one match"

    with app.app_context(), transaction():
        covering.cover(lot.id, 1, "late", who(), utc_now())
    page = look(desk(ADMIN))
    assert (attribute(page, "data-cost"), "data-unpriced" in page) == ("400", False)


def test_a_cost_that_nobody_knows_is_not_told_as_nothing(app: Flask, desk: Open) -> None:
    """A month with calls of a lot without a price only, one with calls that have one, and one without calls."""
    now = utc_now()
    today = day_of(now, SHANGHAI)
    for price, bought, last in ((500, 100, -40), (None, 9, 9)):
        with app.app_context(), transaction():
            lot = Purchase(50, today - timedelta(days=bought), today + timedelta(days=last), price)
            ledger.record_purchase(lot, who(), now - timedelta(days=bought))
    for number, back in enumerate((65, 0, 0, 0)):
        at = now - timedelta(days=back)
        ask(app, somebody(number), lambda *_: MATCH, clock=lambda at=at: at,  # type: ignore[misc]
            by=COLLEAGUE if back else OPERATOR)  # fmt: skip
    asked = {"from": (today - timedelta(days=130)).isoformat(), "to": today.isoformat()}

    months = chart(look(desk(ADMIN), **asked), "cost")
    values = months["lines"][0]["values"]
    assert (values[0], values[-1], sum(value or 0 for value in values)) == (0, None, 0.1)
    assert months["notes"] == {str(len(values) - 1): "3 calls have no known price"}

    def filed(name: str) -> list[list[str]]:
        return rows_of(desk(ADMIN).get(f"/usage/{name}.csv", query_string=asked, headers={"Accept-Language": "en"}))

    head, *_rest, newest = filed("cost")
    assert (head[2], newest[1:]) == ("Note", ["", "3 calls have no known price"])
    assert filed("departments")[-1][1:] == ["", "3 calls have no known price"]


def test_what_lapsed_in_the_days_stands_beside_what_calls_cost(app: Flask, desk: Open) -> None:
    now = busy_days(app)
    with app.app_context(), transaction():
        last = day_of(now, SHANGHAI) - timedelta(days=1)
        for price, calls in ((600, 200), (None, 30)):
            ledger.record_purchase(Purchase(calls, last - timedelta(days=9), last, price), who(), now)
    with app.app_context():
        for _lot in range(2):
            with transaction():
                ledger.lapse_expired(day_of(now, SHANGHAI), now)

    page = look(desk(ADMIN))
    assert 'data-lapsed="230"' in page
    assert "calls expired or written off in these days · ¥6.00" in page
    assert "data-lapsed" not in look(desk(ADMIN), **{"from": "2026-01-01", "to": "2026-01-31"})


def test_what_lapsed_with_the_last_day_of_a_month_lapsed_in_that_month(app: Flask, desk: Open) -> None:
    """It is written off after midnight."""
    with app.app_context():
        with transaction():
            bought = datetime(2026, 1, 2, tzinfo=UTC)
            ledger.record_purchase(Purchase(100, date(2026, 1, 1), date(2026, 9, 30), 600), who(), bought)
        with transaction():
            assert ledger.lapse_expired(date(2026, 10, 1), datetime(2026, 9, 30, 16, 1, tzinfo=UTC))

    def month(first: str, last: str) -> str:
        return look(desk(ADMIN), **{"from": first, "to": last, "step": "month"})

    assert 'data-lapsed="100"' in month("2026-09-01", "2026-09-30")
    assert "data-lapsed" not in month("2026-10-01", "2026-10-31")


def test_the_zone_stands_on_times_only_in_files(app: Flask, desk: Open) -> None:
    busy_days(app)
    heads = {name: rows_of(desk(ADMIN).get(f"/usage/{name}.csv", headers={"Accept-Language": "en"}))[0][0]
             for name in ("usage", "cost", "week", "departments")}  # fmt: skip
    assert heads == {"usage": "Day (Asia/Shanghai)", "cost": "Month (Asia/Shanghai)", "week": "Hour (Asia/Shanghai)",
                     "departments": "Department"}  # fmt: skip


def test_the_table_behind_a_chart_holds_the_same(app: Flask, desk: Open) -> None:
    busy_days(app)
    page = look(desk(ADMIN))

    for name in ("usage", "week", "success", "refusals", "latency", "cost", "departments"):
        data = chart(page, name)
        table = page.split(f'id="{name}-chart-data"')[1].split("</table>")[0]
        cells = [cell.replace(",", "") for cell in re.findall(r'<td class="num">(.*?)</td>', table)]
        width = len(data["lines"])
        table_rows = [cells[at : at + width] for at in range(0, len(cells), width)]
        told = [
            [
                "–" if line["values"][place] is None else f"{line['values'][place]:.{data['digits']}f}"
                for line in data["lines"]
            ]
            for place in range(len(data["places"]))
        ]
        assert table_rows in (told, told[::-1]), name


def test_a_file_holds_the_chart_with_zone_and_unit(app: Flask, desk: Open) -> None:
    busy_days(app)
    admin = desk(ADMIN)
    page = look(admin)

    for name in ("usage", "week", "success", "refusals", "latency", "cost", "departments"):
        data = chart(page, name)
        link = re.search(rf'href="(/usage/{name}\.csv[^"]*)"', page)
        assert link is not None
        answer = admin.get(link[1].replace("&amp;", "&"), headers={"Accept-Language": "en"})
        head, *body = rows_of(answer)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{data["file"]}.csv"'
        assert ("(Asia/Shanghai)" in head[0]) == (name != "departments")
        width = 1 + len(data["lines"])
        assert head[1:width] == [f"{line['label']} ({data['unit']})" for line in data["lines"]]
        assert head[width:] == (["Note"] if data["notes"] else [])
        assert [row[0] for row in body] == data["places"]
        for place, row in enumerate(body):
            assert [float(cell) if cell else None for cell in row[1:width]] == [
                line["values"][place] for line in data["lines"]
            ], name


def test_a_name_is_no_formula_in_a_file(app: Flask, desk: Open) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(Department, 1).name = '=HYPERLINK("http://x")'
    ask(app, somebody(1), lambda *_: MATCH, by=OPERATOR)

    head, *_rows = rows_of(desk(ADMIN).get("/usage/usage.csv?stack=department"))

    assert head[1].startswith("'=HYPERLINK")


def test_an_operator_sees_own_calls_only_and_neither_names_nor_money(app: Flask, desk: Open) -> None:
    busy_days(app)
    own = [row for row in stored(app) if row.operator_id == OPERATOR.id]
    operator = desk(OPERATOR)

    page = look(operator)

    found = lines(chart(page, "usage"))
    assert found.pop("before") == {}
    assert found == by(own, lambda row: row.outcome)
    hours = {(at.weekday(), at.hour) for row in own for at in [row.created_at.astimezone(SHANGHAI)]}
    week = {int(line["key"]): line["values"] for line in chart(page, "week")["lines"]}
    assert {(weekday, hour) for weekday, values in week.items() for hour in range(24) if values[hour]} == hours
    assert COLLEAGUE.name not in page
    for hidden in ("data-cost", "latency-chart", "departments-chart", 'value="operator"', 'value="department"'):
        assert hidden not in page
    assert operator.get("/usage?stack=operator").status_code == 422
    for name in ("cost", "departments", "latency"):
        assert operator.get(f"/usage/{name}.csv").status_code == 404
    assert operator.get("/usage/usage.csv?stack=operator").status_code == 400
    counted = sum(int(cell) for row in rows_of(operator.get("/usage/usage.csv"))[1:] for cell in row[1:] if cell)
    assert counted == len(own)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "This day lies before the first one."),
        ({"from": "2026-10-01", "to": "2026-11-01", "step": "hour"}, "at most 31 days"),
        ({"from": "2025-10-01", "to": "2026-11-01", "step": "day"}, "at most 366 days"),
        ({"from": "2001-01-01", "to": "2026-11-01", "step": "month"}, "at most 3660 days"),
        ({"from": "02.11.2026"}, "Not a valid date value"),
        ({"to": "0001-01-01"}, "between 2000 and 2100"),
        ({"step": "minute"}, "Not a valid choice"),
        ({"stack": "outcome_id"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_shown_is_said_and_nothing_is_drawn(
    app: Flask, desk: Open, asked: dict[str, str], said: str
) -> None:
    answer = desk(ADMIN).get("/usage", query_string=asked, headers={"Accept-Language": "en"})

    assert answer.status_code == 422
    assert said in answer.text
    assert "data-chart" not in answer.text
    assert desk(ADMIN).get("/usage/usage.csv", query_string=asked).status_code == 400


def test_a_date_alone_is_completed_by_what_is_usual(app: Flask, desk: Open) -> None:
    places = chart_places(desk(ADMIN), {"to": "2026-03-31"}, app)
    assert (places[0], places[-1], len(places)) == ("2026-03-02", "2026-03-31", 30)


def chart_places(admin: Desk, asked: dict[str, str], app: Flask) -> list[str]:
    at = datetime(2026, 3, 15, 4, tzinfo=SHANGHAI)
    ask(app, somebody(1), lambda *_: MATCH, clock=lambda: at)
    return list(chart(look(admin, **asked), "usage")["places"])


def test_days_without_calls_say_so_instead_of_an_empty_drawing(app: Flask, desk: Open) -> None:
    page = look(desk(ADMIN), **{"from": "2010-01-01", "to": "2010-01-05"})

    assert "No calls in these days." in page
    assert "Every call of these days was answered." not in page
    assert "data-chart" not in page


def test_more_than_a_year_has_its_week_and_its_answer_times_too(app: Flask, desk: Open) -> None:
    busy_days(app)
    today = day_of(stored(app)[-1].created_at, SHANGHAI)

    page = look(desk(ADMIN), step="week", **{"from": (today - timedelta(days=500)).isoformat()})

    assert any(any(line["values"]) for line in chart(page, "week")["lines"])
    assert any(chart(page, "latency")["lines"][0]["values"])
    assert chart(page, "usage")


def test_no_chart_reads_verifications_or_asks_more_for_more_calls(app: Flask, desk: Open) -> None:
    admin = desk(ADMIN)
    asked: list[str] = []
    with app.app_context():
        engine = db.engine

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    def statements() -> dict[str, int]:
        found = {}
        for path in ("/usage", "/quota/supply.csv", "/days.csv", "/usage/cost.csv"):
            asked.clear()
            assert admin.get(path).status_code == 200
            found[path] = sum("FROM setting" not in one for one in asked)  # which keys there are is asked once a second
            assert [one for one in asked if re.search(r"\b(FROM|JOIN) (verification|identity)\b", one)] == []
        return found

    busy_days(app, calls=8)
    event.listen(engine, "before_cursor_execute", listen)
    try:
        few = statements()
        for number in range(1000, 1012):
            ask(app, somebody(number), lambda *_: MATCH)
        assert all(number <= few[path] for path, number in statements().items())
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert max(few.values()) < 30


def test_the_last_30_days_are_a_file_too(app: Flask, desk: Open) -> None:
    busy_days(app)
    operator = desk(OPERATOR)
    data = chart(operator.get("/").text, "usage")

    head, *body = rows_of(operator.get("/days.csv"))

    assert len(body) == len(data["places"]) == 30
    assert [row[0] for row in body] == data["places"]
    assert sum(int(cell) for row in body for cell in row[1:]) == len(stored(app))
    assert len(head) == 1 + len(data["lines"])
    assert date.fromisoformat(body[-1][0]) >= day_of(stored(app)[-1].created_at, SHANGHAI)
