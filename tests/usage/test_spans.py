"""A span of days is cut into pieces without gap or overlap, whatever the zone's clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.foundation.clock import day_of, end_of, start_of
from webapp.usage.hours import hour_of
from webapp.usage.spans import Span, Step, before, hours_of, label, pieces, slot_of, slots_of

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
ZONES = [SHANGHAI, NEW_YORK, ZoneInfo("Africa/Cairo"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe"),
         ZoneInfo("Pacific/Chatham")]  # fmt: skip
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
spans = st.builds(lambda first, more: Span(first, first + timedelta(days=more)), days, st.integers(0, 500))
steps = st.sampled_from([Step.DAY, Step.WEEK, Step.MONTH])


@given(spans, steps)
def test_every_day_of_a_span_lies_in_one_piece_and_pieces_are_in_order(span: Span, step: Step) -> None:
    slots = slots_of(span, step)

    assert slots == sorted(set(slots))
    for index in range(span.days):
        day = span.first + timedelta(days=index)
        slot = slot_of(day, span, step)
        assert slot in slots
        assert slot == max(one for one in slots if one <= day)


@given(spans)
def test_weeks_begin_on_mondays_and_months_on_the_first_but_for_the_cut_beginning(span: Span) -> None:
    assert all(week.weekday() == 0 for week in slots_of(span, Step.WEEK)[1:])
    assert all(month.day == 1 for month in slots_of(span, Step.MONTH)[1:])
    assert slots_of(span, Step.DAY) == [span.first + timedelta(days=index) for index in range(span.days)]


@given(st.builds(lambda first, more: Span(first, first + timedelta(days=more)), days, st.integers(0, 30)),
       st.sampled_from(ZONES))  # fmt: skip
def test_every_instant_of_a_span_lies_in_one_of_its_hours(span: Span, zone: ZoneInfo) -> None:
    hours = hours_of(span, zone)

    assert hours == sorted(set(hours))
    begins, ends = start_of(span.first, zone), end_of(span.last, zone)
    for quarters in range(int((ends - begins) / timedelta(minutes=15))):
        assert hour_of(begins + timedelta(minutes=15) * quarters, zone) in hours


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 11, 1), 25), (date(2026, 3, 8), 23), (date(2026, 3, 9), 24)])
def test_a_day_on_which_clocks_change_has_an_hour_more_or_less(day: date, hours: int) -> None:
    assert len(hours_of(Span(day, day), NEW_YORK)) == hours


@given(st.sampled_from([date(2026, 11, 1), date(2026, 3, 8), date(2026, 7, 1)]), st.sampled_from(ZONES))
def test_no_two_hours_have_one_name(day: date, zone: ZoneInfo) -> None:
    names = [label(hour, Step.HOUR, zone) for hour in hours_of(Span(day, day), zone)]

    assert len(set(names)) == len(names)


def test_pieces_are_named_as_people_write_them() -> None:
    assert label(datetime(2026, 11, 1, 16, tzinfo=UTC), Step.HOUR, SHANGHAI) == "2026-11-02 00:00"
    assert label(date(2026, 11, 2), Step.DAY, SHANGHAI) == label(date(2026, 11, 2), Step.WEEK, SHANGHAI) == "2026-11-02"
    assert label(date(2026, 11, 1), Step.MONTH, SHANGHAI) == "2026-11"
    twice = [
        label(hour, Step.HOUR, NEW_YORK) for hour in hours_of(Span(date(2026, 11, 1), date(2026, 11, 1)), NEW_YORK)
    ]
    assert twice[:4] == ["2026-11-01 00:00", "2026-11-01 01:00-0400", "2026-11-01 01:00-0500", "2026-11-01 02:00"]


@given(spans, st.sampled_from(list(Step)))
def test_the_span_before_ends_where_the_span_begins_and_is_as_long(span: Span, step: Step) -> None:
    earlier = before(span, step)

    assert earlier.last == span.first - timedelta(days=1)
    whole = step == Step.MONTH and span.first.day == 1 and (span.last + timedelta(days=1)).day == 1
    if whole:
        assert len(slots_of(earlier, step)) == len(slots_of(span, step))
        assert earlier.first.day == 1
    else:
        assert earlier.days == span.days


def test_whole_months_are_compared_with_whole_months() -> None:
    assert before(Span(date(2026, 3, 1), date(2026, 3, 31)), Step.MONTH) == Span(date(2026, 2, 1), date(2026, 2, 28))
    assert before(Span(date(2026, 1, 1), date(2026, 12, 31)), Step.MONTH).first == date(2025, 1, 1)
    assert before(Span(date(2026, 3, 1), date(2026, 3, 31)), Step.DAY).first == date(2026, 1, 29)


@given(st.sampled_from(ZONES), st.sampled_from([date(2026, 11, 1), date(2026, 3, 8), date(2026, 4, 5)]))
def test_pieces_by_hour_and_by_day_cover_the_same(zone: ZoneInfo, day: date) -> None:
    span = Span(day, day + timedelta(days=1))

    hours = pieces(span, Step.HOUR, zone)

    assert {day_of(hour, zone) for hour in hours} == set(pieces(span, Step.DAY, zone))  # type: ignore[arg-type]
    assert all(one < next_one for one, next_one in pairwise(hours))
