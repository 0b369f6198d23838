"""What kind of day a day is: by admins, by the notices, and where none is known yet, by what returns every year."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.cast import ADMIN, NOW, OPERATOR, Desk, Member
from webapp.audit.trail import SYSTEM, Action, AuditRecord
from webapp.foundation.clock import day_of, utc_now
from webapp.foundation.database import db, transaction
from webapp.foundation.instance import this_instance
from webapp.usage import calendar_days, queries
from webapp.usage.calendar import Calendar, DayKind, Source, Spell, spells
from webapp.usage.calendar_days import MOST_DAYS, Said
from webapp.usage.festivals import expected_holidays
from webapp.usage.notices import known_to, noticed

Open = Callable[[Member | None], Desk]
NOTICED = Calendar(noticed(), known_to())


@pytest.mark.parametrize(
    ("day", "kind"),
    [("2025-01-26", DayKind.WORKDAY), ("2025-01-28", DayKind.HOLIDAY), ("2025-10-08", DayKind.HOLIDAY),
     ("2025-10-11", DayKind.WORKDAY), ("2025-10-12", DayKind.ORDINARY), ("2026-02-14", DayKind.WORKDAY),
     ("2026-02-23", DayKind.HOLIDAY), ("2026-11-23", DayKind.ORDINARY)],
)  # fmt: skip
def test_holidays_and_shifted_workdays_are_those_of_the_notices(day: str, kind: DayKind) -> None:
    assert NOTICED.kind(date.fromisoformat(day)) == kind


@pytest.mark.parametrize("year", range(2008, known_to() + 1))
def test_where_no_notice_is_known_the_holidays_that_return_every_year_are_expected(year: int) -> None:
    festivals = {day for day in noticed() if day.year == year and noticed()[day] == DayKind.HOLIDAY}

    assert len(expected_holidays(year) & festivals) >= 17
    assert len(expected_holidays(year) - festivals) <= 7, "earlier notices gave fewer days"


@pytest.mark.parametrize(
    ("year", "eve", "dragon_boat", "mid_autumn"),
    [(2024, "02-09", "06-10", "09-17"), (2025, "01-28", "05-31", "10-06"), (2026, "02-16", "06-19", "09-25"),
     (2027, "02-05", "06-09", "09-15"), (2028, "01-25", "05-28", "10-03"), (2034, "02-18", "06-20", "09-27")],
)  # fmt: skip
def test_the_days_of_the_moon_are_right(year: int, eve: str, dragon_boat: str, mid_autumn: str) -> None:
    found = expected_holidays(year)

    spring = min(day for day in found if day > date(year, 1, 15))
    assert f"{spring:%m-%d}" == eve
    assert {date.fromisoformat(f"{year}-{one}") for one in (dragon_boat, mid_autumn)} <= found
    assert date(year, 4, 4) in found or date(year, 4, 5) in found


def test_what_an_admin_says_goes_before_the_notice() -> None:
    holiday, weekday = date(2026, 10, 1), date(2026, 11, 23)
    calendar = Calendar(noticed(), known_to(), {holiday: DayKind.WORKDAY, weekday: DayKind.CLOSED})

    assert calendar.look_up(holiday) == (DayKind.WORKDAY, Source.ADMIN)
    assert calendar.look_up(weekday) == (DayKind.CLOSED, Source.ADMIN)
    assert calendar.look_up(date(2026, 10, 2)) == (DayKind.HOLIDAY, Source.NOTICE)
    assert calendar.look_up(date(known_to() + 1, 10, 2)) == (DayKind.HOLIDAY, Source.EXPECTED)


def test_days_in_a_row_make_one_spell() -> None:
    found = spells(NOTICED, date(2026, 9, 19), date(2026, 10, 11))

    assert found == [
        Spell(date(2026, 9, 20), date(2026, 9, 20), DayKind.WORKDAY, Source.NOTICE),
        Spell(date(2026, 9, 25), date(2026, 9, 27), DayKind.HOLIDAY, Source.NOTICE),
        Spell(date(2026, 10, 1), date(2026, 10, 7), DayKind.HOLIDAY, Source.NOTICE),
        Spell(date(2026, 10, 10), date(2026, 10, 10), DayKind.WORKDAY, Source.NOTICE),
    ]
    assert found[1].days == 3


def test_what_is_said_stands_until_it_is_taken_back(context: Flask) -> None:
    first, last = date(2027, 2, 4), date(2027, 2, 6)
    with transaction():
        calendar_days.say(Said(first, last, DayKind.CLOSED, "搬家"), SYSTEM, NOW)
    assert {queries.calendar().kind(first + timedelta(days=ahead)) for ahead in range(3)} == {DayKind.CLOSED}

    with transaction():
        calendar_days.say(Said(last, last, DayKind.HOLIDAY), SYSTEM, NOW)
        calendar_days.say(Said(first, first, None), SYSTEM, NOW)

    assert [(row.day.day, row.kind, row.note) for row in calendar_days.said_from(first)] == [
        (5, "closed", "搬家"), (6, "holiday", "")]  # fmt: skip
    assert queries.calendar().look_up(first)[1] == Source.WEEKDAY


def test_an_admin_enters_days_and_the_trail_keeps_it(app: Flask, desk: Open) -> None:
    with app.app_context():
        day = day_of(utc_now(), this_instance().settings.zone) + timedelta(days=40)
    admin = desk(ADMIN)

    answer = admin.post("/settings/calendar", {"first": f"{day}", "last": "", "kind": "closed", "note": "年会"})

    assert answer.status_code == 303
    page = admin.get("/settings/calendar").text
    assert f'data-spell="{day}" data-source="admin"' in page
    assert "年会" in page
    with app.app_context():
        record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == Action.CALENDAR_CHANGED)).one()
        assert record.detail == {"first": f"{day}", "last": f"{day}", "kind": "closed"}
    assert desk(OPERATOR).get("/settings/calendar").status_code == 403


def test_the_page_lists_what_is_to_come_and_what_was_entered_of_the_past(app: Flask, desk: Open) -> None:
    with app.app_context():
        today = day_of(utc_now(), this_instance().settings.zone)
    admin, past = desk(ADMIN), today - timedelta(days=90)
    admin.post("/settings/calendar", {"first": f"{past}", "last": "", "kind": "closed", "note": "<b>台风</b>"})

    page = admin.get("/settings/calendar").text

    listed = re.findall(r'data-spell="([\d-]+)" data-source="(\w+)"', page)
    assert (f"{past}", "admin") in listed
    assert all(day >= f"{today - timedelta(days=10)}" for day, source in listed if source != "admin")
    assert any(day == f"{today.year + 1}-01-01" for day, _source in listed)
    assert "&lt;b&gt;台风" in page


@pytest.mark.parametrize(
    "fault",
    [{"first": ""}, {"first": "2027-02-30"}, {"first": "1.2.2027"}, {"first": "1999-12-31"}, {"last": "2027-01-31"},
     {"last": f"{date(2027, 2, 1) + timedelta(days=MOST_DAYS)}"}, {"kind": ""}, {"kind": "ordinary"},
     {"note": "x" * 81}, {"note": "a\nb"}],
)  # fmt: skip
def test_a_faulty_entry_is_not_stored(app: Flask, desk: Open, fault: dict[str, str]) -> None:
    page = desk(ADMIN).post("/settings/calendar", {"first": "2027-02-01", "last": "", "kind": "holiday"} | fault)

    assert page.status_code == 422
    assert "field-error" in page.text
    with app.app_context():
        assert calendar_days.said_from(date.min) == []
