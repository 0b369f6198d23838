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
from webapp.usage.spans import Span, Step, before, counterparts, hours_of, label, pieces, slot_of, slots_of

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
    names = [label(hour, Step.HOUR, zone, Span(day, day)) for hour in hours_of(Span(day, day), zone)]

    assert len(set(names)) == len(names)


def test_pieces_are_named_as_people_write_them() -> None:
    month, day = Span(date(2026, 11, 1), date(2026, 11, 30)), Span(date(2026, 11, 1), date(2026, 11, 1))
    assert label(datetime(2026, 11, 1, 16, tzinfo=UTC), Step.HOUR, SHANGHAI, month) == "2026-11-02 00:00"
    assert label(date(2026, 11, 2), Step.DAY, SHANGHAI, month) == "2026-11-02"
    assert label(date(2026, 11, 2), Step.WEEK, SHANGHAI, month) == "2026-11-02"
    assert label(date(2026, 11, 1), Step.MONTH, SHANGHAI, month) == "2026-11"
    twice = [label(hour, Step.HOUR, NEW_YORK, day) for hour in hours_of(day, NEW_YORK)]
    assert twice[:4] == ["2026-11-01 00:00", "2026-11-01 01:00-0400", "2026-11-01 01:00-0500", "2026-11-01 02:00"]


@given(spans, st.sampled_from(list(Step)))
def test_the_span_before_is_as_long_and_as_near_as_weekdays_allow(span: Span, step: Step) -> None:
    earlier = before(span, step)

    assert earlier.last < span.first
    if step != Step.HOUR:
        assert len(slots_of(earlier, step)) == len(slots_of(span, step))
    if step == Step.MONTH:
        months = [one.year * 12 + one.month for one in (earlier.first, earlier.last, span.first)]
        assert months[2] - months[0] == len(slots_of(span, step)) == months[1] - months[0] + 1
    else:
        assert earlier.days == span.days
        assert earlier.first.weekday() == span.first.weekday()
        assert (span.first - timedelta(days=1) - earlier.last).days < 7


def test_whole_months_are_compared_with_whole_months() -> None:
    assert before(Span(date(2026, 3, 1), date(2026, 3, 31)), Step.MONTH) == Span(date(2026, 2, 1), date(2026, 2, 28))
    assert before(Span(date(2026, 1, 1), date(2026, 12, 31)), Step.MONTH).first == date(2025, 1, 1)
    assert before(Span(date(2026, 3, 1), date(2026, 3, 31)), Step.DAY).first == date(2026, 1, 25)


@pytest.mark.parametrize(
    ("first", "last", "earlier"),
    [
        ((2026, 10, 10), (2026, 11, 23), ((2026, 8, 10), (2026, 9, 23))),
        ((2026, 10, 31), (2026, 11, 30), ((2026, 8, 31), (2026, 9, 30))),
        ((2026, 3, 30), (2026, 3, 30), ((2026, 2, 28), (2026, 2, 28))),
        ((2026, 2, 3), (2026, 2, 28), ((2026, 1, 3), (2026, 1, 28))),
        ((2026, 2, 28), (2026, 3, 20), ((2025, 12, 28), (2026, 1, 20))),
        ((2024, 2, 28), (2024, 3, 15), ((2023, 12, 28), (2024, 1, 15))),
    ],
)
def test_parts_of_months_are_compared_with_the_same_days_of_earlier_ones(
    first: tuple[int, int, int], last: tuple[int, int, int], earlier: tuple[tuple[int, int, int], ...]
) -> None:
    assert before(Span(date(*first), date(*last)), Step.MONTH) == Span(*(date(*one) for one in earlier))


@pytest.mark.parametrize(
    ("day", "compared"),
    [
        (date(2026, 11, 1), [0, 1, None, *range(2, 24)]),
        (date(2026, 11, 8), [*range(2), *range(3, 25)]),
        (date(2026, 3, 8), [0, 1, *range(3, 24)]),
        (date(2026, 3, 15), [0, 1, None, *range(2, 23)]),
    ],
    ids=["an hour twice", "an hour twice before", "an hour skipped", "an hour skipped before"],
)
def test_an_hour_is_compared_with_the_same_hour_of_the_clock(day: date, compared: list[int | None]) -> None:
    assert counterparts(Span(day, day), Step.HOUR, NEW_YORK) == compared


@given(st.builds(lambda first, more: Span(first, first + timedelta(days=more)), days, st.integers(0, 30)), steps,
       st.sampled_from(ZONES))  # fmt: skip
def test_every_longer_piece_has_its_counterpart(span: Span, step: Step, zone: ZoneInfo) -> None:
    assert counterparts(span, step, zone) == list(range(len(pieces(before(span, step), step, zone))))


def test_thirty_days_are_compared_with_those_five_weeks_earlier() -> None:
    assert before(Span(date(2026, 10, 25), date(2026, 11, 23)), Step.DAY) == Span(date(2026, 9, 20), date(2026, 10, 19))


def test_a_month_that_the_days_cut_short_says_which_of_it_are_shown() -> None:
    span = Span(date(2025, 12, 31), date(2026, 3, 23))
    names = [label(month, Step.MONTH, SHANGHAI, span) for month in slots_of(span, Step.MONTH)]

    assert names == ["2025-12 (31–31)", "2026-01", "2026-02", "2026-03 (1–23)"]
    one = Span(date(2026, 2, 3), date(2026, 2, 28))
    assert [label(month, Step.MONTH, SHANGHAI, one) for month in slots_of(one, Step.MONTH)] == ["2026-02 (3–28)"]


@given(st.sampled_from(ZONES), st.sampled_from([date(2026, 11, 1), date(2026, 3, 8), date(2026, 4, 5)]))
def test_pieces_by_hour_and_by_day_cover_the_same(zone: ZoneInfo, day: date) -> None:
    span = Span(day, day + timedelta(days=1))

    hours = pieces(span, Step.HOUR, zone)

    assert {day_of(hour, zone) for hour in hours} == set(pieces(span, Step.DAY, zone))  # type: ignore[arg-type]
    assert all(one < next_one for one, next_one in pairwise(hours))
